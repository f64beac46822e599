"""A world's network, and the containers of the base that its own parts use: they run, and are on it. All under the lock of the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from dusty_tasks import session
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import HOME_LABEL, WORLD_LABEL
from dusty_tasks.core.worlds.model import World
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.home.worlds import change_world, home_of, worlds_of

LONGEST_WAIT = 120.0
"""Seconds that a world waits for another run that changes the base."""
Uses = Mapping[str, Sequence[str]]
"""Containers of the base, by the names of their parts -> their names in a world's network."""


class Shared:
    """What the base has for one of its worlds. It is asked and changed in a session of the base."""

    def __init__(self, base: str, name: str) -> None:
        self.base, self.name = base, name
        with self.of_base():
            self.engine = Engine(session.docker_host())
            self.network = self.engine.host.namespace.of_world(name).network

    def of_base(self) -> Any:
        return session.begun(session.Session(self.base))

    def absent(self, needed: Sequence[str]) -> list[str]:
        """Those of these parts that do not run, and did not come to their end."""
        found = reads.read_containers(self.engine)
        return [name for name in needed if not _is_there(found.get(name))]

    def is_in_place(self, uses: Uses, former: Uses) -> bool:
        """True if the network is there, and those that run are on it."""
        network, found = self._network(), reads.read_containers(self.engine)
        return (
            network is not None
            and {name: list(names) for name, names in uses.items()}
            == {name: list(each) for name, each in former.items()}
            and not self._to_connect(uses, network, found)
            and not self._to_take_off(uses, former, found)
        )

    def put_in_place(self, uses: Uses, former: Uses) -> None:
        """Make the network where it is missing, and connect who is to be on it; who is no longer used is taken off."""
        with held("up", verb=f"up of {self.name}", home=self.base, wait=LONGEST_WAIT):
            network = self._network() or self._make()
            found = reads.read_containers(self.engine)
            for name in self._to_take_off(uses, former, found):
                acts.disconnect(self.engine, found[name].id, self.network)
                found[name] = found[name]._replace(networks={})
            _all_or_failure(
                [
                    partial(acts.connect, self.engine, container.id, self.network, list(uses[name]))
                    for name, container in self._to_connect(uses, network, found).items()
                ]
            )

    def take_away(self) -> None:
        """Take the base's containers off the network. The lock of the base is held by the caller."""
        found = reads.read_containers(self.engine)
        for container in found.values():
            if self.network in (container.networks or {}):
                acts.disconnect(self.engine, container.id, self.network)

    def leave(self) -> None:
        """The world is stopped: nothing of the base is on its network any more."""
        with held("up", verb=f"stop of {self.name}", home=self.base, wait=LONGEST_WAIT):
            change_world(home_of(self.base, self.name), uses={})
            self.take_away()

    def remove_network(self) -> None:
        """The same, and the network with it, whoever else is still on it."""
        details = self._details()
        if details is None or not self._is_ours(details):
            return
        for container_id in details.get("Containers") or {}:
            acts.disconnect(self.engine, container_id, self.network)
        self.take_away()
        acts.run_remove_network(self.engine, self.network)

    def _to_connect(self, uses: Uses, network: str, found: Mapping[str, FoundContainer]) -> dict[str, FoundContainer]:
        return {
            name: found[name]
            for name in uses
            if name in found and found[name].is_stoppable and (found[name].networks or {}).get(self.network) != network
        }

    def _to_take_off(self, uses: Uses, former: Uses, found: Mapping[str, FoundContainer]) -> list[str]:
        """Those on the network that are not used, or by other names; also what a run that was killed left there."""
        return [
            name
            for name, container in found.items()
            if self.network in (container.networks or {})
            and (name not in uses or list(uses[name]) != list(former.get(name, uses[name])))
        ]

    def _network(self) -> str | None:
        """Its id; None if it is missing. Raises Failure for one that somebody else made."""
        details = self._details()
        if details and not self._is_ours(details):
            raise Failure(
                f"there is a network {self.network} on the engine already, which this DUSTY_HOME did not make",
                f"docker network rm {self.network} removes it, if nobody needs it; or make a world of another name",
            )
        return str(details["Id"]) if details else None

    def _is_ours(self, details: Mapping[str, Any]) -> bool:
        return (details.get("Labels") or {}).get(HOME_LABEL) == self.base

    def _details(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.engine.get(f"/networks/{quote(self.network)}")
        except EngineRefused as refused:
            if refused.status == 404:
                return None
            raise
        return found

    def _make(self) -> str:
        labels = {WORLD_LABEL: self.name, HOME_LABEL: self.base}
        try:
            acts.make_network(self.engine, self.network, labels)
        except EngineRefused as refused:
            raise Failure(
                f"the network {self.network} could not be made: {refused.what}",
                f"{DUSTY} world list shows which worlds there are; each has a network",
                code=2,
            ) from refused
        return self._network() or ""


def _is_there(container: FoundContainer | None) -> bool:
    return container is not None and (container.is_running or container.exit_status == 0)


def _all_or_failure(calls: Sequence[Any]) -> None:
    for failure in acts.each_at_once(calls):
        if failure:
            raise failure


def reconnect_worlds(engine: Engine, made: Mapping[str, FoundContainer]) -> list[str]:
    """Put containers of the base that were made anew on the networks of the worlds that use them; those worlds."""
    reconnected: list[str] = []
    for world in worlds_of(session.base_home()):
        network = engine.host.namespace.of_world(world.name).network
        if _reconnect(engine, world, network, made):
            reconnected.append(world.name)
    return reconnected


def _reconnect(engine: Engine, world: World, network: str, made: Mapping[str, FoundContainer]) -> bool:
    used = [name for name in world.uses if name in made]
    try:
        for name in used:
            if network not in (made[name].networks or {}):
                acts.connect(engine, made[name].id, network, list(world.uses[name]))
    except EngineRefused as refused:
        if refused.status != 404:
            raise
        return False  # The world is stopped: it has no network.
    return bool(used)


def worlds_using(container: FoundContainer, engine: Engine) -> list[str]:
    """The worlds whose networks a container of the base is on."""
    worlds = (engine.host.namespace.world_of_network(network) for network in container.networks or {})
    return sorted(world for world in worlds if world)
