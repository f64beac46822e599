"""`dusty import`: a Compose project becomes specs, with a report on every key and a proof that nothing was lost unsaid."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dusty_tasks.console import confirm, say, table, warn
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.import_rows import code_of, row_text, unproven_text, values_to_set
from dusty_tasks.verbs.shared.words import local_path, misuse, repo_as_stored, say_json

if TYPE_CHECKING:
    from dusty_tasks.core.importing.importing import Outcomes
    from dusty_tasks.core.importing.report import Row
    from dusty_tasks.core.importing.surroundings import Owned
    from dusty_tasks.operations.importing import Written

USUAL_FOLDER = "specs"


def run(
    words: list[str],
    file: list[str] | None = None,
    env_file: list[str] | None = None,
    own: list[str] | None = None,
    own_from: str | None = None,
    into: str | None = None,
    check: bool = False,
    yes: bool = False,
    json: bool = False,
) -> int:
    """0 if all was kept, 10 if something was lost, 3 if the proof fails; with `check` nothing is written."""
    from dusty_tasks.operations.importing import Import, compare, run_import, usual_files

    if words:
        raise misuse("import", f'import takes no arguments, but got "{words[0]}"; write -f {words[0]}')
    files = [local_path(name) for name in file or ()] or usual_files(local_path("."))
    if not files:
        raise Failure("there is no Compose file in this folder", f"{DUSTY} import -f FILE")
    asked = Import(
        tuple(files),
        local_path(into or USUAL_FOLDER),
        tuple(local_path(name) for name in env_file) if env_file else None,
        dict(map(_owned, own or ())),
        local_path(own_from) if own_from else "",
    )
    project, made = run_import(asked)
    written = compare(asked.specs, made.files)
    code = code_of(made)
    may_write = not check and not made.unproven
    if json:
        if may_write:
            _write(asked.specs, made, written, yes)
        say_json(_as_json(project.name, asked.specs, made, written, is_written=may_write))
        return code
    say("\n".join(map(row_text, made.rows)))
    say(_summary(made.rows))
    if made.unproven:
        warn(unproven_text(made))
        return code
    if may_write:
        _write(asked.specs, made, written, yes)
    _say_files(asked.specs, written, is_check=check)
    _say_next(asked.specs, made)
    return code


def _owned(word: str) -> tuple[str, Owned]:
    from dusty_tasks.core.importing.surroundings import Owned
    from dusty_tasks.core.specs.rules import Wrong, check_mount, check_repo

    name, sign, rest = word.partition("=")
    repo, colon, mount = rest.rpartition(":")
    if not (name and sign and colon and repo):
        raise misuse("import", f'--own "{word}" is not NAME=REPO:MOUNT')
    try:
        check_repo(stored := repo_as_stored(repo))
        check_mount(mount)
    except Wrong as wrong:
        raise Failure(f"--own {name}: {wrong.what}", wrong.hint) from None
    return name, Owned(stored, mount)


def _summary(rows: list[Row]) -> str:
    from dusty_tasks.core.importing.report import counts

    found = counts(rows)
    total = max(1, sum(found.values()))
    return table(
        ("keys", "", ""), [(name, str(count), f"{100 * count / total:.1f} %") for name, count in found.items()]
    )


def _write(specs: str, made: Outcomes, written: Written, yes: bool) -> None:
    """Write what is new, and what differs where a person agrees. Raises Failure where nobody does."""
    from dusty_tasks.operations.importing import write

    if written.other:
        warn("\n".join(f"{os.path.join(specs, path)} exists and differs" for path in written.other))
        if not confirm(f"Replace {counted(len(written.other), 'file')}?", yes=yes):
            raise Failure(
                "nothing was written", f"--into FOLDER for another folder; {DUSTY} import --check only reports"
            )
    write(specs, made.files, [*written.new, *written.other], made.copies)


def _say_files(specs: str, written: Written, *, is_check: bool) -> None:
    changed = [*written.new, *written.other]
    if not changed:
        say(f"{specs} already holds all of this; nothing changed")
    elif is_check:
        say(f"would write {counted(len(changed), 'file')} to {specs}")
    else:
        say(f"wrote {counted(len(changed), 'file')} to {specs}")


def _say_next(specs: str, made: Outcomes) -> None:
    """What a person has to do, and what comes next."""
    lines = values_to_set(made)
    if made.bundles:
        lines.append(f"{DUSTY} setup --specs-repo {specs}, then {DUSTY} bundles activate {made.bundles[0]}")
    say("\n".join(lines))


def _as_json(project: str, specs: str, made: Outcomes, written: Written, *, is_written: bool) -> dict[str, Any]:
    from dusty_tasks.core.importing.report import counts

    return {
        "ok": not made.unproven,
        "project": project,
        "specs": specs,
        "written": is_written,
        "files": [
            {"path": path, "state": state}
            for state, paths in (("new", written.new), ("same", written.same), ("changed", written.other))
            for path in paths
        ],
        "counts": counts(made.rows),
        "rows": [row.to_json() for row in made.rows],
        "bundles": made.bundles,
        "variables": [
            {"name": name, "default": variable.default, "secret": variable.is_secret}
            for name, variable in sorted(made.variables.items())
        ],
        "assets": sorted(made.assets),
        "unproven": made.unproven,
    }
