"""`dusty init`: the first specs of a repo, from its Compose file, its Dockerfile or its language."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.console import confirm, may_ask, say, warn
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.import_rows import OUR_BUG, code_of, row_text, unproven_text, values_to_set
from dusty_tasks.verbs.shared.words import answer, exactly, local_path, misuse, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dusty_tasks.core.importing.first_specs import Choice
    from dusty_tasks.core.importing.found_code import Found

USUAL_FOLDER = "specs"
FLAGS = f"{DUSTY} init --yes; --name, --host-name, --port, --image and --command replace what does not fit"


class Proposal(NamedTuple):
    """What would be written."""

    source: str
    """The file that it comes from, or '' for an image that a person named."""
    bundles: list[str]
    files: Mapping[str, bytes]
    """Path below the folder -> bytes."""
    notes: list[str]
    code: int = 0
    """The exit code when it is written."""
    copies: Mapping[str, str] = {}
    """Path below the folder -> the absolute path that the file is copied from."""


def run(
    words: list[str],
    name: str | None = None,
    host_name: str | None = None,
    port: int | None = None,
    image: str | None = None,
    command: str | None = None,
    into: str | None = None,
    yes: bool = False,
    json: bool = False,
) -> int:
    """Show what it would write, ask, write it. 1 where there are specs or a person declines; else as `import` ends. Raises Failure."""
    from dusty_tasks.operations.first_specs import specs_there
    from dusty_tasks.operations.importing import compare, usual_files, write

    exactly("init", "", words)
    here, specs = local_path("."), local_path(into or USUAL_FOLDER)
    if there := specs_there(specs) or [path for path in specs_there(here) if path.startswith(f"{here}/bundles/")]:
        shown = ", ".join(os.path.relpath(path, here) for path in there[:5])
        more = f" and {len(there) - 5} more" if len(there) > 5 else ""
        raise Failure(f"there are specs already: {shown}{more}", f"{DUSTY} init --into DIR, or {DUSTY} validate DIR")
    given = {"--name": name, "--host-name": host_name, "--port": port, "--image": image, "--command": command}
    if compose := usual_files(here):
        if flags := [flag for flag, value in given.items() if value is not None]:
            raise misuse("init", f"{flags[0]} does not go with a Compose file, which says this itself: {compose[0]}")
        proposal = _of_compose(compose, specs)
    else:
        asks = may_ask() and not yes and not json
        proposal = _of_code(here, _Given(name, host_name, port, image, command), asks=asks)
    written = compare(specs, proposal.files)
    if taken := [*written.same, *written.other]:
        raise Failure(f"{os.path.join(specs, taken[0])} is there already", f"{DUSTY} init --into DIR")
    if not json:
        _show(proposal, specs)
    if not yes and not may_ask():
        if json:
            _say_as_json(proposal, specs, is_written=False)
        warn(f"nothing was written: init asks before it writes, and there is no terminal to ask on\n    hint: {FLAGS}")
        return 1
    if not confirm(f"Write {counted(len(proposal.files), 'file')} to {specs}?", yes=yes):
        if json:
            _say_as_json(proposal, specs, is_written=False)
        return 1
    write(specs, proposal.files, written.new, proposal.copies)
    if json:
        _say_as_json(proposal, specs, is_written=True)
        return proposal.code
    say("\n".join([f"wrote {counted(len(proposal.files), 'file')} to {specs}; next:", *_next(proposal, specs)]))
    return proposal.code


class _Given(NamedTuple):
    """What was given as options."""

    name: str | None
    host_name: str | None
    port: int | None
    image: str | None
    command: str | None


def _of_compose(files: list[str], specs: str) -> Proposal:
    from dusty_tasks.core.importing.report import Outcome
    from dusty_tasks.operations.importing import Import, run_import

    _project, made = run_import(Import(tuple(files), specs))
    if made.unproven:
        raise Failure(unproven_text(made), code=OUR_BUG)
    notes = [row_text(row) for row in made.rows if row.outcome in (Outcome.BENT, Outcome.LOST)] + values_to_set(made)
    return Proposal(os.path.basename(files[0]), made.bundles, made.files, notes, code_of(made), made.copies)


def _of_code(here: str, given: _Given, *, asks: bool) -> Proposal:
    """Without a Compose file: what is found, and what a person says. Raises Failure where that is not enough."""
    from dusty_tasks.core.importing.first_specs import first_specs, found_in
    from dusty_tasks.core.importing.found_code import Found
    from dusty_tasks.operations.first_specs import code_of, read_folder

    folder = read_folder(here)
    if not folder.name:
        raise Failure("the root folder is not a project", "go to the folder of your code")
    found = found_in(folder)
    if not found and not given.image:
        raise Failure(
            "this folder has no Compose file, no Dockerfile and no language that init knows",
            f"{DUSTY} init --image IMAGE --command LINE --port N",
        )
    first = found[0] if found else Found("an image", "", needs_command=not given.command and given.port is None)
    choice = _chosen(first, folder.name, given, asks=asks)
    code = code_of(here)
    notes = [*first.notes]
    if len(found) > 1:
        notes.append(f"also found, and left alone: {', '.join(f'{one.what} ({one.source})' for one in found[1:])}")
    if not choice.port:
        notes.append("no port is forwarded to it; --port N does that")
    if code.repo != here and not code.repo.startswith("/"):
        override = f"{DUSTY} repos override {shlex.quote(code.repo)} {shlex.quote(_top(here, code.folder))}"
        notes.append(f"Dusty runs a clone of {code.repo}; to run this checkout: {override}")
    return Proposal(first.source, [choice.name], first_specs(first, choice, code), notes)


def _top(here: str, folder: str) -> str:
    return os.path.normpath(os.path.join(here, os.path.relpath(".", folder)))


def _chosen(found: Found, folder_name: str, given: _Given, *, asks: bool) -> Choice:
    """What was given, else what a person answers, else what was found; checked. Raises Failure."""
    from dusty_tasks.core.importing.first_specs import Choice, usual_host_name, usual_name
    from dusty_tasks.core.specs.rules import check_host_name, check_image, check_port, check_spec_name

    def chosen(value: str | None, question: str, usual: str) -> str:
        return value if value is not None else answer(question, usual) if asks else usual

    if asks:
        say(f"found {found.what}{f': {found.source}' if found.source else ''}")
    name = chosen(given.name, "Name of the app", usual_name(folder_name))
    _checked("--name", lambda: check_spec_name("app", name))
    port_text = chosen(
        None if given.port is None else str(given.port), "Port it listens on, 0 for none", str(found.port)
    )
    if not port_text.isdecimal():
        raise Failure(f'"{port_text}" is not a port', "a number from 1 to 65535, or 0 for none")
    port, host_name = int(port_text), usual_host_name(name)
    if port:
        _checked("--port", lambda: check_port(port))
        host_name = chosen(given.host_name, "Host name", host_name)
        _checked("--host-name", lambda: check_host_name(host_name))
    if given.image is not None:
        _checked("--image", lambda: check_image(given.image))
    needs_command = found.needs_command and given.command is None
    command = chosen(given.command, "Shell line that starts it", "") if needs_command else given.command or ""
    if needs_command and not command.strip():
        raise Failure(
            f"{found.source or 'nothing'} does not say how to start it",
            f'{DUSTY} init --command "exec …" --port {port}',
        )
    return Choice(name, host_name, port, given.image or "", command.strip())


def _checked(flag: str, check: Callable[[], None]) -> None:
    from dusty_tasks.core.specs.rules import Wrong

    try:
        check()
    except Wrong as wrong:
        raise Failure(f"{flag}: {wrong.what}", wrong.hint) from None


def _is_spec(path: str) -> bool:
    return path.endswith(".yml") and path.split("/")[0] in ("bundles", "apps", "libs", "services", "vars.yml")


def _show(proposal: Proposal, specs: str) -> None:
    for path, data in proposal.files.items():
        text = data.decode("utf-8", "replace") if _is_spec(path) else ""
        say("\n".join([os.path.join(os.path.relpath(specs), path), *(f"    {line}" for line in text.splitlines()), ""]))
    if proposal.notes:
        say("\n".join(proposal.notes))


def _next(proposal: Proposal, specs: str) -> list[str]:
    bundle = shlex.quote(proposal.bundles[0]) if proposal.bundles else "NAME"
    return [
        f"    {DUSTY} setup --specs-repo {shlex.quote(specs)}",
        f"    {DUSTY} bundles activate {bundle} && {DUSTY} up",
    ]


def _say_as_json(proposal: Proposal, specs: str, *, is_written: bool) -> None:
    value: dict[str, Any] = {
        "ok": True,
        "source": proposal.source,
        "specs": specs,
        "written": is_written,
        "files": [
            {"path": path, "text": data.decode("utf-8", "replace")} for path, data in sorted(proposal.files.items())
        ],
        "bundles": proposal.bundles,
        "notes": proposal.notes,
        "next": [line.strip() for line in _next(proposal, specs)],
    }
    say_json(value)
