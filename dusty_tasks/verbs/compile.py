"""`dusty compile` with options: everything that compile does, in memory. Without options the doit steps do it (pipelines/compile)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say, table_within, warn, width
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import CONFIG_FILE
from dusty_tasks.core.text.problems import Place, Problem, errors, in_order
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.source_lines import told
from dusty_tasks.effects.home.artifacts import Record, changes_of, write_artifacts
from dusty_tasks.operations.compile import steps
from dusty_tasks.verbs.shared.words import local_path, misuse, say_json

ALL = "all together"


class Compiled(NamedTuple):
    """One compile: which bundles, every problem, what came out (nothing if there is an error), and the powers asked for."""

    title: str
    stack: Stack
    problems: list[Problem]
    artifacts: dict[str, bytes]
    powers: tuple[Problem, ...] = ()
    """What needs consent (core/powers), as warnings with their places."""


def run(
    words: list[str],
    dry_run: bool = False,
    check: bool = False,
    all_bundles: bool = False,
    out: str | None = None,
    deny_powers: bool = False,
    no_overrides: bool = False,
    json: bool = False,
) -> int:
    """Compile without touching build/ (`out`: into that folder); the exit code. Raises Failure with all problems."""
    if words:
        raise misuse("compile", f'compile takes no arguments, but got "{words[0]}"')
    if deny_powers and not (dry_run or check or all_bundles or out is not None):
        raise misuse("compile", "--deny-powers goes with --dry-run, --check, --all-bundles or --out")
    if no_overrides:
        session.leave_out_overrides()
    if all_bundles:
        return _each_bundle(json, deny_powers)
    if out is None and not (dry_run or check):
        return _run_steps(json)
    folder = local_path(out) if out is not None else session.settings().build
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise Failure(f"{folder} is not a folder")
    compiled = _denied(_compile_active(is_to_run=out is not None and not (dry_run or check)), deny_powers)
    if errors(compiled.problems):
        return _end_with(compiled.problems, [compiled], json)
    changes = changes_of(Record(folder, "all"), compiled.artifacts, "commands")
    if json:
        say_json(_as_json([compiled], changes))
    else:
        _say_warnings([*compiled.problems, *compiled.powers])
    if out is not None and not (dry_run or check):
        _write(folder, compiled, json)
    elif not json:
        say("\n".join(_summary(compiled, changes)))
    return 1 if check and any(changes) else 0


def _run_steps(json: bool) -> int:
    """The pipeline itself; with `json` what it prints goes to stderr, and the JSON to stdout."""
    from dusty_tasks.cli.doit_bridge import run_doit

    if not json:
        return run_doit(["run", "compile"])
    import contextlib
    import sys

    session.settings()  # Settings that cannot be used end here, and are said once.
    with contextlib.redirect_stdout(sys.stderr):
        code = run_doit(["run", "compile"])
    session.forget()
    compiled, changed = _compile_active(), steps.compiling().changed
    written = [path for path in changed if path in compiled.artifacts]
    said = _as_json([compiled], (written, [path for path in changed if path not in written]))
    say_json({**said, "ok": said["ok"] and code == 0})
    return code


def _compile_active(*, is_to_run: bool = False) -> Compiled:
    """What is active; that nothing is counts as a problem, and with `is_to_run` that a variable has no value."""
    specs, problems = _specs()
    from dusty_tasks.core.check.assembled import with_unset_variables_refused

    names = session.settings().bundles or (tuple(specs.bundles) if session.local_specs_root() else ())
    compiled = _compile(", ".join(names), specs, problems, names, is_fresh=False)
    if is_to_run:
        refused = with_unset_variables_refused(compiled.problems, specs, compiled.stack)
        compiled = compiled._replace(problems=refused)
    if errors(compiled.problems) or compiled.stack.bundles:
        return compiled
    return compiled._replace(problems=[*compiled.problems, _nothing_active()], artifacts={})


def _nothing_active() -> Problem:
    from dusty_tasks.core.check.assembled import nothing_active

    return Problem(Place(CONFIG_FILE), "bundles", Code.NOTHING_ACTIVE, *nothing_active())


def _specs(bundles: Sequence[str] | None = None) -> tuple[Specs, list[Problem]]:
    """The specs with the values of variables that the active bundles, or these, give."""
    chosen = session.variable_settings()
    if bundles is not None:
        chosen = replace(chosen, bundles=tuple(bundles))
    return session.read_whole_specs(session.specs_root(), files=session.spec_files(), chosen=chosen)


def _compile(title: str, specs: Specs, problems: list[Problem], names: Sequence[str], is_fresh: bool) -> Compiled:
    from dusty_tasks.core.artifacts.rendering import compile_all
    from dusty_tasks.core.artifacts.table import Whole
    from dusty_tasks.core.check.assembled import assemble_with_ports
    from dusty_tasks.core.powers.rules import power_warnings, powers_of
    from dusty_tasks.effects.specs.schemas import read_templates

    if errors(problems):
        return Compiled(title, Stack(), problems, {})
    settings = session.settings()
    made = assemble_with_ports(specs, names, settings, {} if is_fresh else session.remembered_ports())
    problems = in_order([*problems, *made.problems])
    if errors(problems):
        return Compiled(title, made.stack, problems, {})
    root = str(session.specs_root())
    whole = Whole(made.stack, session.settings_for(made.stack.repos.values()), root)
    artifacts = compile_all(specs, made.ports, whole, read_templates())
    return Compiled(
        title,
        made.stack,
        problems,
        artifacts,
        tuple(power_warnings(powers_of(made.stack, settings, root), specs.places)),
    )


def _denied(compiled: Compiled, is_denied: bool) -> Compiled:
    """With --deny-powers each power is an error."""
    if not is_denied or not compiled.powers:
        return compiled
    return compiled._replace(
        problems=in_order([*compiled.problems, *(power._replace(is_warning=False) for power in compiled.powers)]),
        powers=(),
    )


# --- --all-bundles ------------------------------------------------------------------------------------------------


def _each_bundle(json: bool, deny_powers: bool) -> int:
    """Compile each bundle alone and all together, on a fresh state; a clash between two is found by the last."""
    from dusty_tasks.core.check.assembled import clashing_pairs

    specs, problems = _specs()
    if errors(problems):
        return _end_with(problems, [], json)
    if any(bundle.vars for bundle in specs.bundles.values()):
        specs, problems = _specs(tuple(specs.bundles))
    compiled = [_denied(_alone(name, specs), deny_powers) for name in specs.bundles]
    clashes: list[tuple[str, str]] = []
    if len(specs.bundles) > 1:
        together = _denied(_compile(ALL, specs, [], tuple(specs.bundles), is_fresh=True), deny_powers)
        alone = {one.title: (one.stack, one.problems) for one in compiled}
        clashes = clashing_pairs(specs, alone, together.problems, session.settings())
        compiled.append(together)
    found = in_order([*(problem for one in compiled for problem in one.problems), *problems])
    if errors(found):
        where = [f"{one.title}: {len(errors(one.problems))} to fix" for one in compiled if errors(one.problems)]
        where += [f"{one} and {other} clash" for one, other in clashes]
        return _end_with(found, compiled, json, "\n".join(where), clashes)
    if json:
        say_json({**_as_json(compiled, None), "clashes": []})
        return 0
    _say_warnings(sorted({*found, *(power for one in compiled for power in one.powers)}))
    say(
        table_within(
            width(),
            ("bundle", "apps", "libs", "services", "routes"),
            [(one.title, *map(str, _counts(one.stack).values())) for one in compiled],
        )
    )
    return 0


def _alone(name: str, specs: Specs) -> Compiled:
    """One bundle; where bundles give variables values, `specs` are read with its own."""
    problems: list[Problem] = []
    if any(bundle.vars for bundle in specs.bundles.values()):
        specs, problems = _specs((name,))
    from dusty_tasks.core.check.assembled import without_unset_elsewhere

    compiled = _compile(name, specs, problems, (name,), is_fresh=True)
    return compiled._replace(problems=without_unset_elsewhere(compiled.problems, specs, compiled.stack))


# --- what is said -------------------------------------------------------------------------------------------------


def _end_with(
    problems: list[Problem],
    compiled: list[Compiled],
    json: bool,
    where: str = "",
    clashes: Sequence[tuple[str, str]] = (),
) -> int:
    """Say the problems: exit code 1."""
    if json:
        say_json(
            {
                **_as_json(compiled, None),
                "ok": False,
                "problems": [problem.to_json() for problem in problems],
                "clashes": clashes,
            }
        )
        return 1
    nothing = _nothing_active()
    if nothing in problems:
        _say_warnings([problem for problem in problems if problem != nothing])
        raise Failure(nothing.what, nothing.hint)
    raise Failure(f"{told(problems)}\n{where}".rstrip())


def _say_warnings(problems: list[Problem]) -> None:
    if problems:
        warn(told(problems))


def _summary(compiled: Compiled, changes: tuple[list[str], list[str]]) -> list[str]:
    counts = ", ".join(
        f"{number} {noun[:-1] if number == 1 else noun}" for noun, number in _counts(compiled.stack).items()
    )
    lines = [f"specs are fine: {counts}; {len(compiled.artifacts)} files"]
    for word, paths in zip(("would write", "would remove"), changes, strict=True):
        lines += steps.file_lines(word, paths)
    return lines if any(changes) else [*lines, "up to date"]


def _write(folder: str, compiled: Compiled, json: bool) -> None:
    outcome = write_artifacts(Record(folder, "all"), compiled.artifacts, "commands")
    for text in outcome.edited.values():
        warn(text)
    if not json:
        lines = [f"wrote {path}" for path in outcome.written] + [f"removed {path}" for path in outcome.removed]
        say("\n".join(lines) if lines else "up to date")


def _counts(stack: Stack) -> dict[str, int]:
    return {
        "apps": len(stack.apps),
        "libs": len(stack.libs),
        "services": len(stack.services),
        "routes": len(stack.routes),
    }


def _as_json(compiled: list[Compiled], changes: tuple[list[str], list[str]] | None) -> dict[str, Any]:
    """A stable form: per compile its counts and the digest of each artifact; what was or would be changed."""
    problems = in_order(problem for one in compiled for problem in one.problems)
    powers = sorted({power for one in compiled for power in one.powers})
    return {
        "ok": not errors(problems),
        "problems": [problem.to_json() for problem in problems],
        "powers": [power.to_json() for power in powers],
        "compiled": [
            {
                "bundles": one.title,
                **_counts(one.stack),
                "ok": not errors(one.problems),
                "artifacts": {path: hashlib.sha256(data).hexdigest() for path, data in one.artifacts.items()},
            }
            for one in compiled
        ],
        **({} if changes is None else {"written": changes[0], "removed": changes[1]}),
    }
