"""The steps of `compile`: specs to build/stack.json, and from there to each artifact.

stack.json holds no line numbers, so a changed comment runs the first step and that of origins, and no other. A step
whose inputs and artifacts are as it left them imports nothing of what it would need to run.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.artifacts.table import ARTIFACTS, Form, Row, Whole, rows
from dusty_tasks.core.text.value import cut
from dusty_tasks.effects.doors.failures import Failure, refuse_errors
from dusty_tasks.effects.doors.files import write_if_changed
from dusty_tasks.effects.doors.memos import code_version
from dusty_tasks.effects.doors.once import Lasting
from dusty_tasks.effects.home.artifacts import Record, record_path, write_artifacts
from dusty_tasks.operations.compile.as_checked import AsChecked
from dusty_tasks.operations.compile.sliced_files import SlicedFiles, traced

if TYPE_CHECKING:
    from dusty_tasks.core.artifacts.rendering import Rendering
    from dusty_tasks.core.artifacts.traced import Artifact, Traced
    from dusty_tasks.core.settings.model import Settings

SINGLE_LINES = 20
"""Up to so many files are named one by one."""

MAX_WAIT = 60.0
"""Seconds that a step waits for another compile's step to end."""

SPARE = 0.05
"""The part of a memo that may be stale: a few texts are made again sooner than all are written."""


def say_files(word: str, paths: Sequence[str]) -> None:
    """A line a file."""
    for line in file_lines(word, paths):
        say(line)


class Compiling:
    """What the steps of one compile have in common."""

    def __init__(self) -> None:
        self.changed: list[str] = []
        """What was written or removed, by its path below build/."""
        self.rendering: Rendering | None = None
        self.tell: Callable[[str, Sequence[str]], None] = say_files
        """Hears what was done (`wrote`, `removed`) to which files below build/."""
        self.written: dict[str, Record] = {}
        """Records that were written, for the step of origins, which needs what is in them."""


compiling = Lasting(Compiling)
"""That of this session."""


class Step(NamedTuple):
    """One step: what it is called, what it reads and leaves, and what it does. Where both are as it left them, it is not done again."""

    name: str
    doc: str
    act: Callable[[], None]
    checked: AsChecked
    targets: tuple[str, ...]
    after: tuple[str, ...]
    """Steps that it needs: of those that were done, what they left is as they left it."""


def compile_steps() -> list[Step]:
    """The steps that write, in an order in which they can be done."""
    steps: list[Step] = []
    for row in ARTIFACTS:
        stack = steps[0].checked if steps else None
        inputs, place = partial(_inputs, row), _place(row)
        checked = AsChecked(_with_stack(inputs, stack) if stack else inputs, (place, *_memories(row)))
        act = _alone(checked.noting(_without_gc(partial(WRITERS[row.form], row))))
        after = tuple(other.name for other in rows(Form.FILES)) if row.form is Form.ORIGINS else ()
        steps.append(Step(row.name, row.doc, act, checked, () if row.path.endswith("/") else (place,), after))
    return steps


def _with_stack(inputs: Callable[[], list[object]], stack: AsChecked) -> Callable[[], list[object]]:
    """What a later step reads: also stack.json, as it was when this process read or wrote it.

    Another compile may have put a newer one there since; what is made of the older one must not pass for made of that.
    """
    return lambda: [*inputs(), stack.found[:1]]


def _memories(row: Row) -> list[str]:
    """What a step keeps beside its artifacts, and makes again where it was lost: later steps and runs rely on it."""
    return [record_path(_build(), row.name), *([_ports_path()] if row.form is Form.STACK else [])]


def _place(row: Row) -> str:
    """Where it lies; a folder without its `/`."""
    paths = session.paths()
    return (paths.kept(row.path) if row.in_state else paths.artifact(row.path)).rstrip("/")


def _alone(action: Callable[[], None]) -> Callable[[], None]:
    """One step at a time writes: what another compile wrote meanwhile would look like a person's edit."""

    def acted() -> None:
        from dusty_tasks.effects.doors.lock import held

        with held("build", verb="compile", home=session.home(), wait=MAX_WAIT):
            action()

    return acted


def _without_gc(action: Callable[[], None]) -> Callable[[], None]:
    """Values by the ten thousand and no garbage: looking for some would take a quarter of the time.

    What an action leaves is kept for the next ones, so it is not looked at afterwards, either.
    """

    def acted() -> None:
        gc.disable()
        try:
            action()
        finally:
            gc.freeze()
            gc.enable()

    return acted


def step_names() -> list[str]:
    """The steps that write."""
    return [row.name for row in ARTIFACTS]


def _inputs(row: Row) -> list[object]:
    """What is looked at to see whether a step has anything to do: what its row may see, as far as it is read in every run."""
    settings = session.settings() if row.form is Form.STACK else _settings_of_containers()
    # Where lines come from changes with every artifact: a line more in one moves all that stand below.
    slices = [other.settings for other in ARTIFACTS] if row.form is Form.ORIGINS else [row.settings]
    specs = [tuple(found) for found in session.spec_files()] if row.form in (Form.STACK, Form.ORIGINS) else []
    return [code_version(), str(session.specs_root()), *(cut(slice, settings) for slice in slices), specs]


def _settings_of_containers() -> Settings:
    return session.settings_for(
        session.compiled_stack().repos.values() if session.settings().sync_mode == "bind" else ()
    )


# --- actions ------------------------------------------------------------------------------------------------------


def _rendering() -> Rendering:
    """The rendering of the compiled stack, one for all steps of a run."""
    from dusty_tasks.core.artifacts.rendering import Rendering
    from dusty_tasks.effects.specs.schemas import read_templates

    stack = session.compiled_stack()
    found = compiling().rendering
    if found is None or found.stack is not stack:
        whole = Whole(stack, _settings_of_containers(), str(session.specs_root()))
        found = Rendering(whole, read_templates(), session.kept_texts())
        compiling().rendering = found
    return found


def _keep_memo(name: str) -> None:
    """What was made for this artifact is there for the next run."""
    from dusty_tasks.effects.doors.memos import write_memo

    write_memo(session.memo_path(name), code_version(), getattr(_rendering().memos, name), SPARE)


def _write_stack(row: Row) -> None:
    from dusty_tasks.core.check.assembled import nothing_active
    from dusty_tasks.core.stack.json_form import ports_to_json, stack_json
    from dusty_tasks.effects.doors.source_lines import told

    made, problems = session.assembled()
    refuse_errors(problems)
    if problems:
        warn(told(problems))
    if not session.active_bundles() or not made.stack.bundles:
        raise Failure(*nothing_active())
    _put(_record(row.name), {row.path: stack_json(made.stack, made.ports).encode()})
    write_if_changed(_ports_path(), json.dumps(ports_to_json(made.ports)).encode())


def _write_containers(row: Row) -> None:
    """The file with a part for each container that a rendering has under the name of the row."""
    data = getattr(_rendering(), row.name)
    if row.in_state:
        write_if_changed(_place(row), data)
    else:
        _put(_record(row.name), {row.path: data})
    _keep_memo(row.name)


def _write_files(row: Row) -> None:
    """Each file depends on the slice that it is made of: those whose slice is as it was are not rendered again."""
    files = SlicedFiles(row, _rendering())
    _put(files.record, _bytes(files.rendered), files.folder, files.notes(), files.kept)
    compiling().written[row.name] = files.record
    if files.folder == "commands":
        from dusty_tasks.operations.compile.first_files import put_first_files

        put_first_files()


def _write_values(row: Row) -> None:
    """A file a container that has values of `dusty env` or secrets, for its owner alone."""
    from dusty_tasks.core.artifacts.parts import secrets_of
    from dusty_tasks.core.plan.given_values import files_of
    from dusty_tasks.effects.doors.files import write_private_folder

    rendering = _rendering()
    values = cut(row.settings, rendering.whole.settings)
    templates = {name: secrets_of(parts) for name, parts in rendering.parts.items()}
    write_private_folder(_place(row), files_of(values.env, templates, values.secrets))


def _write_origins(row: Row) -> None:
    rendering = _rendering()
    others = [
        spans for other in sorted(rows(Form.FILES), key=lambda row: row.path) for spans in _left_spans(other.name)
    ]
    _put(_record(row.name), {row.path: rendering.origins(session.specs().places, others)})
    _keep_memo(row.name)


WRITERS: dict[Form, Callable[[Row], None]] = {
    Form.STACK: _write_stack,
    Form.FILES: _write_files,
    Form.CONTAINERS: _write_containers,
    Form.VALUES: _write_values,
    Form.ORIGINS: _write_origins,
}


# --- files --------------------------------------------------------------------------------------------------------


def _left_spans(name: str) -> Iterator[Traced]:
    """The spans that the steps before left in a record."""
    record = compiling().written.pop(name, None) or _record(name)
    return traced({path: left.note for path, left in record.files.items()})


def _put(
    record: Record,
    artifacts: Mapping[str, bytes],
    pruned: str = "",
    notes: Mapping[str, Any] | None = None,
    kept: Collection[str] = (),
) -> None:
    """Write what differs, and say it."""
    outcome = write_artifacts(record, artifacts, pruned, notes, kept)
    for text in outcome.edited.values():
        warn(text)
    for word, paths in (("wrote", outcome.written), ("removed", outcome.removed)):
        if paths:
            compiling().tell(word, paths)
        compiling().changed.extend(paths)


def _record(name: str) -> Record:
    return Record(_build(), name)


def _ports_path() -> str:
    return session.paths().ports


def file_lines(word: str, paths: Sequence[str]) -> list[str]:
    """One line for each file below build/, or one for very many."""
    if len(paths) > SINGLE_LINES:
        return [f"{word} {len(paths)} files below build/{os.path.commonpath(paths)}".rstrip("/")]
    return [f"{word} build/{path}" for path in paths]


def _bytes(artifacts: Mapping[str, Artifact]) -> dict[str, bytes]:
    return {path: artifact.text.encode() for path, artifact in artifacts.items()}


def _build(path: str = "") -> str:
    return session.paths().artifact(path).rstrip("/")
