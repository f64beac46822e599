"""Which parts of a world are its own: both stacks are compiled in memory and compared; nothing is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks import session
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.worlds.decision import Choices, Decision, decide
from dusty_tasks.core.worlds.differences import Inputs, Moved, differences
from dusty_tasks.core.worlds.model import World, compared_with, settings_of
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code.sources import rules_at
from dusty_tasks.operations.look import Compiled, compiled_now
from dusty_tasks.operations.names import refuse_unknown
from dusty_tasks.operations.places import place_finder

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings


class Deciding(NamedTuple):
    """What was decided, and what follows from it."""

    decision: Decision
    needed: tuple[str, ...]
    """Shared parts that own ones depend on: they have to run."""
    uses: dict[str, list[str]]
    """Containers of the base that own parts may call -> their names in the world's network."""
    warnings: tuple[str, ...]


def decide_world(world: World, base: str) -> Deciding:
    """Of the specs and sources as they are. Raises Failure: broken specs, a name that the stack does not have, a part that cannot be shared."""
    with session.begun(session.Session(base)):
        settings = session.settings()
        compared = compared_with(world, settings)
    with session.begun(session.Session(base)):
        session.settings.use(compared)
        made = compiled_now()
        specs, stack = session.specs(), session.stack()
        inputs = _inputs(made, compared)
    with session.begun(session.Session(base)):
        former = _inputs(compiled_now(), settings)
    refuse_unknown((*world.own, *world.shared), {*stack.apps, *stack.services})
    moved = list(_moved(made, settings, compared))
    from dusty_tasks.core.worlds.parts import parts_of
    from dusty_tasks.core.worlds.surprises import surprises
    from dusty_tasks.core.worlds.uses import uses_of

    parts = parts_of(specs, stack, differences(former, inputs, moved), place_finder(made.origins))
    decision = decide(parts, Choices(frozenset(world.own), frozenset(world.shared), world.own_parts))
    if decision.conflicts:
        raise Failure(
            "\n".join(map(str, decision.conflicts)),
            f"{DUSTY} world own {decision.conflicts[0].name}, or take `world: shared` out of its spec",
        )
    needed, uses = uses_of(parts, decision, made.wanted, stack)
    return Deciding(decision, needed, uses, (*decision.warnings, *surprises(made.wanted, stack, decision, settings)))


def foresee() -> Deciding | None:
    """What an `up` of the world that this run is about would decide; the rest of the session is as after it. None for the base."""
    world = session.world()
    if world is None:
        return None
    decided = decide_world(world, session.base_home())
    with session.begun(session.Session(session.base_home())):
        base = session.settings()
    parts = {part.name: part.is_own for part in decided.decision.parts}
    session.forget()
    session.settings.use(settings_of(world._replace(parts=parts), base, session.home()))
    return decided


def _inputs(made: Compiled, settings: Settings) -> Inputs:
    from dusty_tasks.effects.observe.this_machine import read_sources

    root = str(session.specs_root())
    return Inputs(made.wanted, read_sources(settings, made.wanted, made.artifacts, os.environ, root))


def _moved(made: Compiled, base: Settings, compared: Settings) -> Iterator[Moved]:
    """The repos that come from another folder, the specs repo among them."""
    from dusty_tasks.core.specs.repo_ids import repo_of, shown_names
    from dusty_tasks.effects.code.same_trees import hold_the_same

    local_paths = {entry.id: entry.local_path for entry in made.wanted.repos}
    if base.specs_repo:
        repo = repo_of(base.specs_repo)
        local_paths.setdefault(repo.id, repo.local_path)
    shown = shown_names(local_paths)
    for repo_id, local_path in local_paths.items():
        former, folder = base.path_of(repo_id, local_path), compared.path_of(repo_id, local_path)
        if former == folder:
            continue
        try:
            is_other = os.path.realpath(former) != os.path.realpath(folder) and not hold_the_same(
                folder, former, rules_at(folder, compared)
            )
        except OSError as error:
            raise Failure(
                f"the source of {shown[repo_id]}, {error.filename or folder}, cannot be read: {error.strerror}",
                f"{DUSTY} world shows which worlds have lost their worktrees; {DUSTY} world prune removes those",
            ) from error
        yield Moved(repo_id, shown[repo_id], folder, former, is_other)
