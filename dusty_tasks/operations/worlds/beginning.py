"""The beginning of an `up` in a world: what is its own is decided, and what it shares with the base is there."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import mention, say, warn
from dusty_tasks.core.text.wording import counted
from dusty_tasks.core.worlds.decision import Decision
from dusty_tasks.core.worlds.model import World, unsupported
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import Busy, held
from dusty_tasks.effects.home.worlds import change_world
from dusty_tasks.operations.up.run import Run, UpOptions
from dusty_tasks.operations.worlds.deciding import decide_world
from dusty_tasks.operations.worlds.sharing import LONGEST_WAIT, Shared


def begin_world(run: Run) -> None:
    """Decide, start what is shared and does not run, connect it, and note both. Raises Failure."""
    world, base, home = session.world(), session.base_home(), session.home()
    assert world is not None
    refuse_unsupported()
    decided = decide_world(world, base)
    for warning in decided.warnings:
        run.warnings.append(warning)
    say_decision(world, decided.decision)
    shared = Shared(base, world.name)
    while absent := shared.absent(decided.needed):
        with held("up", verb=f"up of {world.name}", home=base, wait=LONGEST_WAIT):
            absent = shared.absent(decided.needed)  # Another world's `up` may have started them by now.
        if not absent or _start_in_base(run, base, world.name, absent):
            break
    parts = {part.name: part.is_own for part in decided.decision.parts}
    if (parts, decided.uses) != (world.parts, world.uses):
        change_world(home, parts=parts, uses=decided.uses)
    if not shared.is_in_place(decided.uses, world.uses):
        shared.put_in_place(decided.uses, world.uses)
    session.forget()


def refuse_unsupported() -> None:
    """Raise Failure where worlds cannot run beside the base."""
    with session.begun(session.Session(session.base_home())):
        what, hint = unsupported(session.settings())
    if what:
        raise Failure(what, hint)


def say_decision(world: World, decision: Decision) -> None:
    """What is own and why, where that is news; else how many."""
    before = world.parts or {}
    own = [part for part in decision.parts if part.is_own]
    for part in own:
        if not before.get(part.name):
            say(str(part))
    for part in decision.parts:
        if not part.is_own and before.get(part.name):
            say(str(part))
    if world.parts is None:
        say(f"shared with the base: {counted(len(decision.shared), 'part')}")
    if not own:
        warn(f"nothing of {world.name} differs from the base: it has no container of its own")


def _start_in_base(run: Run, base: str, name: str, absent: list[str]) -> bool:
    """True once they were brought up; False if another run that changes the base was faster. Raises Failure."""
    from dusty_tasks.operations.launch.printed import Printed

    assert run.bring_up is not None
    mention(f"starting {', '.join(absent)} in the base: {name} uses {'it' if len(absent) == 1 else 'them'}")
    options = UpOptions(no_pull=run.options.no_pull, yes=run.options.yes, names=tuple(absent))
    outcome = run.bring_up(options, Printed(), home=base, consent=run.consent)
    if any(isinstance(failure, Busy) for failure in outcome.failures):
        return False
    if outcome.code:
        raise Failure(f"{', '.join(absent)} of the base could not be brought up", code=outcome.code)
    return True
