"""`dusty plan`: what `up --no-pull` would do now, and why. It changes nothing and takes no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.plan.change import to_json
from dusty_tasks.core.plan.container_state import OFF, UNKNOWN
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.look import Compiled, View, compiled_now, look
from dusty_tasks.verbs.shared.words import exactly, say_json

if TYPE_CHECKING:
    from dusty_tasks.operations.worlds.deciding import Deciding

SOMETHING_TO_DO = 10


def run(
    words: list[str], exit_code: bool = False, json: bool = False, verbose: bool = False, no_overrides: bool = False
) -> int | None:
    """One line a change, in order. Raises Failure for broken specs."""
    exactly("plan", "", words)
    if no_overrides:
        session.leave_out_overrides()
    decided = _decided() if session.current().base else None
    made = compiled_now()
    view = look(Engine(session.docker_host()), made=made)
    differences = artifact_differences(made) if verbose else {}
    if view.plan.changes:
        warn_of_refusal(view)
    warn_of_powers(made)
    if json:
        world = {"parts": _parts(decided)} if decided else {}
        say_json(
            {**to_json(view.plan), **world, **unseen_facts(view), **({"artifacts": differences} if verbose else {})}
        )
    else:
        for part in decided.decision.parts if decided else ():
            say(str(part))
        for warning in decided.warnings if decided else ():
            warn(warning)
        if view.engine_trouble:
            warn(unseen_text(view))
        for conflict in view.found.hosts_conflicts:
            warn(conflict)
        for change in view.plan.changes:
            say(str(change))
        for change in view.plan.pending:
            say(f"pending {change}")
        for text in differences.values():
            say(text)
        if not view.plan.changes and not view.engine_trouble:
            say("nothing to do")
    if view.engine_trouble and not view.is_off:
        return 2
    return SOMETHING_TO_DO if exit_code and (view.plan.changes or view.is_off) else 0


def _decided() -> Deciding | None:
    from dusty_tasks.operations.worlds.deciding import foresee

    return foresee()


def _parts(decided: Deciding) -> list[dict[str, object]]:
    """What is own and what is shared, for a machine."""
    return [
        {"name": part.name, "own": part.is_own, "cause": part.cause.what, "place": part.cause.place}
        for part in decided.decision.parts
    ]


def unseen_facts(view: View) -> dict[str, str]:
    """What a machine is told where the engine did not answer."""
    return (
        {"docker_host": OFF if view.is_off else UNKNOWN, "trouble": view.engine_trouble} if view.engine_trouble else {}
    )


def unseen_text(view: View) -> str:
    """The same for a person: a Docker host that nobody can see is not an empty one."""
    name = session.docker_host().name
    if view.is_off:
        return f"{name} is off: {DUSTY} up starts it, and only then is it known what has to be done there"
    return (
        f"{view.engine_trouble}\n    what has to be done on {name} is unknown until it does\n    hint: {DUSTY} doctor"
    )


def warn_of_refusal(view: View) -> None:
    """What `up` refuses to do is planned all the same, with a word."""
    from dusty_tasks.operations.launch.preconditions import check_owner, refuse_unfinished_restore

    try:
        refuse_unfinished_restore(view.found.unfinished_restore)
        check_owner(view)
    except Failure as refusal:
        warn(f"up would refuse this: {refusal}")


def warn_of_powers(made: Compiled) -> None:
    """What `up` would ask first: powers that were not allowed yet."""
    from dusty_tasks.operations.machine import trust

    if new := trust.asked(trust.powers_now(made.wanted)).new:
        warn(trust.question(new, ()) + f"\n    up asks first; {DUSTY} trust specs list says more")


def artifact_differences(made: Compiled) -> dict[str, str]:
    """Path below build/ -> unified diff, for each artifact that compile would write or remove."""
    import difflib

    from dusty_tasks.core.text.paths import COMPOSE_FILE
    from dusty_tasks.effects.observe.this_machine import read_build

    before = read_build(session.settings().build, also=(COMPOSE_FILE,))
    found = {}
    for path in sorted({*before, *made.artifacts}):
        old, new = (
            before.get(path, b"").decode("utf-8", "replace"),
            made.artifacts.get(path, b"").decode("utf-8", "replace"),
        )
        if old != new:
            lines = difflib.unified_diff(
                old.splitlines(), new.splitlines(), f"build/{path}", f"build/{path} (compiled now)", lineterm=""
            )
            found[path] = "\n".join(lines)
    return found
