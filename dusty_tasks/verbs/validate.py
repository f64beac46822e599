"""`dusty validate`: all checks of a specs repo, or the JSON Schema of one kind of file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dusty_tasks.console import confirm, say, warn
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.problems import errors
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.source_lines import told
from dusty_tasks.verbs.shared.words import local_path, misuse, say_json, unknown

if TYPE_CHECKING:
    from dusty_tasks.operations.fix_specs import Change

SCHEMAS = ("app", "bundle", "config", "lib", "service")


def run(
    words: list[str],
    schema: str | None = None,
    write: str | None = None,
    json: bool = False,
    fix: bool = False,
    yes: bool = False,
    no_overrides: bool = False,
    **_options: object,
) -> int:
    """Check the specs in use, or those at the path in `words`, with `fix` after mending what is safe; 1 if there is any error."""
    if len(words) > 1:
        raise misuse("validate", f'unexpected argument "{words[1]}"')
    if write is not None:
        return _write_schemas(local_path(write), schema)
    if schema is not None:
        return _say_schema(schema)
    from dusty_tasks import session

    if words:
        root = local_path(words[0])
        if not Path(root).is_dir():
            raise Failure(f"there is no folder {root}", "the path of a specs repo, which holds bundles/ and apps/")
        if fix:
            _fix(root, yes=yes, in_json=json)
        specs, problems = session.read_whole_specs(root)
    else:
        if fix:
            _fix(str(session.specs_root()), yes=yes, in_json=json)
        if no_overrides:
            session.leave_out_overrides()
        specs, problems = session.read_whole_specs(
            session.specs_root(), session.paths().documents, session.spec_files(), session.variable_settings()
        )
    counts = {
        "bundle": len(specs.bundles),
        "app": len(specs.apps),
        "lib": len(specs.libs),
        "service": len(specs.services),
    }
    if json:
        say_json(
            {
                "ok": not errors(problems),
                "problems": [problem.to_json() for problem in problems],
                **{f"{kind}s": count for kind, count in counts.items()},
            }
        )
    elif errors(problems):
        say(told(problems))
    else:
        sums = ", ".join(f"{count} {kind}" if count == 1 else f"{count} {kind}s" for kind, count in counts.items())
        say("\n".join([*told(problems).splitlines()[:-1], f"specs are fine: {sums}"]))
    return 1 if errors(problems) else 0


def _fix(root: str, *, yes: bool, in_json: bool) -> None:
    """Show what can be mended without a doubt, ask, and write it. Raises Failure for a clone that Dusty manages."""
    from dusty_tasks import session
    from dusty_tasks.operations.fix_specs import apply, find_fixes

    clones = os.path.realpath(session.paths().repos)
    if os.path.realpath(root).startswith(f"{clones}/"):
        raise Failure(
            f"{root} is Dusty's own clone: an edit there would conflict with the next update",
            f"{DUSTY} validate --fix <path of your checkout>",
        )
    changes, mended = find_fixes(root)
    tell = warn if in_json else say  # stdout is for the program that reads the JSON
    if not changes:
        tell("nothing can be fixed safely")
        return
    tell("\n".join(_difference(change) for change in changes))
    fixes, files = counted(len(mended), "fix", "fixes"), counted(len(changes), "file")
    if confirm(f"Apply {fixes} to {files}?", yes=yes):
        apply(root, changes)
        tell(f"applied {fixes} to {files}")


def _difference(change: Change) -> str:
    from difflib import unified_diff

    before, after = (data.decode("utf-8", "replace").splitlines() for data in (change.before, change.after))
    lines = list(unified_diff(before, after, change.file, change.new_file, lineterm="", n=1))
    return "\n".join(lines) if lines else f"rename {change.file} to {change.new_file}"


def _schema(kind: str) -> dict[str, Any]:
    from dusty_tasks.core.specs.editor_schema import schema_for_editors
    from dusty_tasks.effects.specs.schemas import read_schema

    if kind not in SCHEMAS:
        raise unknown("schema", kind, SCHEMAS)
    return schema_for_editors(read_schema(kind))


def _say_schema(kind: str) -> int:
    say_json(_schema(kind))
    return 0


def _write_schemas(folder: str, kind: str | None) -> int:
    """Write one schema, or all, as `<kind>.json`; a file that is no schema is left alone. Raises Failure."""
    import json

    from dusty_tasks.effects.doors.files import read_bytes, write_atomically

    schemas = {one: _schema(one) for one in ([kind] if kind is not None else SCHEMAS)}
    texts = {f"{folder}/{one}.json": f"{json.dumps(schema, indent=2)}\n".encode() for one, schema in schemas.items()}
    for path in texts:
        found = read_bytes(path)
        if os.path.lexists(path) and b'"$schema"' not in (found or b""):
            raise Failure(f"{path} is not a JSON Schema, and is left as it is", "choose another folder")
    changed = [path for path, text in texts.items() if read_bytes(path) != text]
    for path in changed:
        os.makedirs(folder, exist_ok=True)
        write_atomically(path, texts[path])
        say(f"wrote {path}")
    if not changed:
        say("up to date")
    one = next(iter(schemas))
    say(
        f"the first line of a spec names its schema: # yaml-language-server: $schema=../{os.path.basename(folder)}/{one}.json"
    )
    return 0
