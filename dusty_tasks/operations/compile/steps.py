"""The steps of `compile`: specs to build/stack.json, and from there to each artifact.

stack.json holds no line numbers, so a changed comment runs the first step and that of origins, and no other. A step
whose inputs and artifacts are as it left them imports nothing of what it would need to run.
"""

from __future__ import annotations

import functools
import gc
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.text.memo import digest
from dusty_tasks.effects.doors.code_version import code_version
from dusty_tasks.effects.doors.failures import Failure, refuse_errors
from dusty_tasks.effects.doors.files import write_if_changed
from dusty_tasks.effects.doors.once import Lasting
from dusty_tasks.effects.home.artifacts import Record, record_path, write_artifacts
from dusty_tasks.operations.compile.as_checked import AsChecked

if TYPE_CHECKING:
    from dusty_tasks.core.artifacts.table import Rendering
    from dusty_tasks.core.artifacts.traced import Artifact, Span, Traced
    from dusty_tasks.core.settings.model import Settings

STACK, NGINX = "stack.json", "nginx/dustyNginx.conf"
SINGLE_LINES = 20
"""Up to so many files are named one by one."""

MAX_WAIT = 60.0
"""Seconds that a step waits for another compile's step to end."""

OF_SPANS = ("hosts", "nginx", "commands")
"""The steps whose records the step of origins reads: below `up`, doit keeps no order but the one it is told."""

SPARE = 0.05
"""The part of a memo that may be stale: a few texts are made again sooner than all are written."""


class Compiling:
    """What the steps of one compile have in common."""

    def __init__(self) -> None:
        self.changed: list[str] = []
        """What was written or removed, by its path below build/."""
        self.rendering: Rendering | None = None
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
    for name, doc, action, inputs, outputs in _table():
        stack = steps[0].checked if steps else None
        checked = AsChecked(_with_stack(inputs, stack) if stack else inputs, (*outputs, *_memories(name)))
        targets = tuple(path for path in outputs if path not in (_build("commands"), _env_folder()))
        act = _alone(checked.noting(_without_gc(action)))
        steps.append(Step(name, doc, act, checked, targets, OF_SPANS if name == "origins" else ()))
    return steps


def _with_stack(inputs: Callable[[], list[object]], stack: AsChecked) -> Callable[[], list[object]]:
    """What a later step reads: also stack.json, as it was when this process read or wrote it.

    Another compile may have put a newer one there since; what is made of the older one must not pass for made of that.
    """
    return lambda: [*inputs(), stack.found[:1]]


def _memories(name: str) -> list[str]:
    """What a step keeps beside its artifacts, and makes again where it was lost: later steps and runs rely on it."""
    return [record_path(_build(), name), *([_ports_path()] if name == "stack" else [])]


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
    return [name for name, *_ in _table()]


def _table() -> list[tuple[str, str, Callable[[], None], Callable[[], list[object]], tuple[str, ...]]]:
    """Name, doc, action, inputs and outputs of each step."""
    return [
        (
            "stack",
            "check the specs, close them over what is active",
            _write_stack,
            lambda: [*_spec_inputs(), *_settings("bundles", "routing", "host", "sync_mode")],
            (_build(STACK),),
        ),
        (
            "hosts",
            "the section of the hosts file",
            lambda: _put(_record("hosts"), _bytes(_rendering().hosts)),
            lambda: [code_version(), *_settings("host")],
            (_build("hosts"),),
        ),
        (
            "nginx",
            "the proxy's config",
            _write_nginx,
            lambda: [code_version(), *session.settings().of_proxy_config],
            (_build(NGINX),),
        ),
        ("compose", "the Compose file", _write_compose, _container_inputs, (_build("docker-compose.yml"),)),
        (
            "env",
            "the values of variables that were set, for Compose alone",
            _write_env,
            lambda: [code_version(), *_settings("env")],
            (_env_folder(),),
        ),
        (
            "commands",
            "what containers run",
            _write_commands,
            lambda: [code_version(), *_settings("sync_mode")],
            (_build("commands"),),
        ),
        ("wanted", "what should run, for the run phase", _write_wanted, _container_inputs, (session.paths().wanted,)),
        (
            "origins",
            "which spec line put what where",
            _write_origins,
            lambda: [*_spec_inputs(), *_container_inputs(), *_settings("hosts_mode")],
            (_build("origins.json"),),
        ),
    ]


# --- inputs -------------------------------------------------------------------------------------------------------


def _spec_inputs() -> list[object]:
    return [code_version(), str(session.specs_root()), [tuple(found) for found in session.spec_files()]]


def _container_inputs() -> list[object]:
    return [code_version(), str(session.specs_root()), *_container_settings().of_containers]


def _container_settings() -> Settings:
    return session.settings_for(
        session.compiled_stack().repos.values() if session.settings().sync_mode == "bind" else ()
    )


def _settings(*names: str) -> list[object]:
    settings = session.settings()
    return [getattr(settings, name) for name in names]


# --- actions ------------------------------------------------------------------------------------------------------


def _rendering() -> Rendering:
    """The rendering of the compiled stack, one for all steps of a run."""
    from dusty_tasks.core.artifacts.table import Rendering
    from dusty_tasks.effects.specs.templates import read_templates

    stack = session.compiled_stack()
    found = compiling().rendering
    if found is None or found.stack is not stack:
        found = Rendering(
            stack, _container_settings(), str(session.specs_root()), read_templates(), session.kept_texts()
        )
        compiling().rendering = found
    return found


def _keep_memo(name: str) -> None:
    """What was made for this artifact is there for the next run."""
    from dusty_tasks.effects.doors.memos import write_memo

    write_memo(session.memo_path(name), code_version(), getattr(_rendering().memos, name), SPARE)


def _write_stack() -> None:
    from dusty_tasks.core.check.assembled import nothing_active
    from dusty_tasks.core.stack.json_form import ports_to_json, stack_json
    from dusty_tasks.effects.doors.source_lines import told

    made, problems = session.assembled()
    refuse_errors(problems)
    if problems:
        warn(told(problems))
    if not session.active_bundles() or not made.stack.bundles:
        raise Failure(*nothing_active())
    _put(_record("stack"), {STACK: stack_json(made.stack, made.ports).encode()})
    write_if_changed(_ports_path(), json.dumps(ports_to_json(made.ports)).encode())


def _write_compose() -> None:
    _put(_record("compose"), _bytes(_rendering().compose))
    _keep_memo("compose")


def _write_nginx() -> None:
    """The config depends on the routes alone, among all that the stack holds."""
    from dusty_tasks.core.stack.model import file_of

    rendering = _rendering()
    files = [file_of(rendering.stack, route.app_name) for route in rendering.stack.routes]
    settings = rendering.settings
    key = digest((rendering.stack.routes, files, settings.of_proxy_config, code_version()))
    _put_keyed(_record("nginx"), {NGINX: key}, lambda _paths: rendering.nginx)


def _write_commands() -> None:
    """Each app's files depend on that app and its libs: those of the others are not rendered again."""
    from dusty_tasks.core.artifacts.commands import command_files

    found = list(command_files(_rendering().stack, session.settings().sync_mode == "bind"))
    key_of = {id(files): digest((files.key, code_version())) for files in found}
    by_path = {f"commands/{files.folder}/{path}": (files, path) for files in found for path in files.paths}
    rendered: dict[int, dict[str, Artifact]] = {}

    def render(paths: Collection[str]) -> dict[str, Artifact]:
        artifacts = {}
        for path in paths:
            files, name = by_path[path]
            if id(files) not in rendered:
                rendered[id(files)] = files.render(_rendering().templates)
            artifacts[path] = rendered[id(files)][name]
        return artifacts

    record = _record("commands")
    record.look_below("commands")
    _put_keyed(record, {path: key_of[id(files)] for path, (files, _) in by_path.items()}, render, "commands")


def _put_keyed(
    record: Record,
    keys: Mapping[str, str],
    render: Callable[[Collection[str]], Mapping[str, Artifact]],
    pruned: str = "",
) -> None:
    """Render and write those of the files whose key, a digest of all they are made of, is new, or that were touched."""
    from dusty_tasks.core.artifacts.traced import files_of

    kept = {path for path, key in keys.items() if (record.note(path) or {}).get("key") == key}
    artifacts = render([path for path in keys if path not in kept]) if len(kept) < len(keys) else {}
    notes = {
        path: {"key": keys[path], "files": files_of(artifact.spans), "spans": artifact.spans}
        for path, artifact in artifacts.items()
    }
    _put(record, _bytes(artifacts), pruned, notes, kept)
    compiling().written[record.name] = record


def _write_env() -> None:
    """A file a container that has values of `dusty env`, for its owner alone."""
    from dusty_tasks.core.plan.given_values import files_of
    from dusty_tasks.effects.doors.files import write_private_folder

    rendering = _rendering()
    write_private_folder(_env_folder(), files_of(rendering.settings.env, rendering.parts))


def _env_folder() -> str:
    from dusty_tasks.core.plan.given_values import FOLDER

    return session.paths().kept(FOLDER)


def _write_origins() -> None:
    from dusty_tasks.core.artifacts.traced import traced

    rendering = _rendering()
    others = [*_left_spans("commands"), traced(rendering.hosts), *_left_spans("nginx")]
    _put(_record("origins"), {"origins.json": rendering.origins(session.specs().places, others)})
    _keep_memo("origins")


def _left_spans(name: str) -> Iterator[Traced]:
    """The spans that the steps before left in a record: those of files that are made of the same belong together."""
    from dusty_tasks.core.artifacts.traced import Traced, spans_from_json

    def spans_of(notes: Mapping[str, Any]) -> dict[str, tuple[Span, ...]]:
        return {path: spans_from_json(note["spans"]) for path, note in notes.items()}

    notes_by_key: dict[str, dict[str, Any]] = {}
    for path, left in sorted((compiling().written.pop(name, None) or _record(name)).files.items()):
        notes_by_key.setdefault(left.note["key"], {})[path] = left.note
    for key, notes in notes_by_key.items():
        files = sorted({file for note in notes.values() for file in note["files"]})
        yield Traced(f"{key} {' '.join(notes)}", files, functools.partial(spans_of, notes))


def _write_wanted() -> None:
    write_if_changed(session.paths().wanted, _rendering().wanted)
    _keep_memo("wanted")


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
        for line in file_lines(word, paths):
            say(line)
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
