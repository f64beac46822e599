"""`dusty validate`: all checks of a specs repo, or the JSON Schema of one kind of file."""

from __future__ import annotations

from pathlib import Path

from dusty_tasks.console import say
from dusty_tasks.core.text.problems import errors
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.source_lines import told
from dusty_tasks.verbs.shared.words import local_path, misuse, say_json, unknown

SCHEMAS = ("app", "bundle", "config", "lib", "service")


def run(words: list[str], schema: str | None = None, json: bool = False, **_options: object) -> int:
    """Check the specs in use, or those at the path in `words`; 1 if there is any error."""
    if len(words) > 1:
        raise misuse("validate", f'"{words[1]}" is one word too many')
    if schema is not None:
        return _say_schema(schema)
    from dusty_tasks import session

    if words:
        root = local_path(words[0])
        if not Path(root).is_dir():
            raise Failure(f"there is no folder {root}", "the path of a specs repo, which holds bundles/ and apps/")
        specs, problems = session.read_whole_specs(root)
    else:
        specs, problems = session.read_whole_specs(session.specs_root(), session.paths().documents)
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
        counted = ", ".join(f"{count} {kind}" if count == 1 else f"{count} {kind}s" for kind, count in counts.items())
        say("\n".join([*told(problems).splitlines()[:-1], f"specs are fine: {counted}"]))
    return 1 if errors(problems) else 0


def _say_schema(kind: str) -> int:
    from dusty_tasks.core.specs.editor_schema import schema_for_editors
    from dusty_tasks.effects.specs.schemas import read_schema

    if kind not in SCHEMAS:
        raise unknown("schema", kind, SCHEMAS)
    say_json(schema_for_editors(read_schema(kind)))
    return 0
