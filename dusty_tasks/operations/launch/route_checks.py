"""Asking the routes of running apps, and, where one is not answered, which hop of the way fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.hops import UNREACHABLE, Answer, Verdict, judge
from dusty_tasks.core.plan.listening import listening_trouble
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import probe as http_probe
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.listeners import read_listeners


class Checked(NamedTuple):
    """One http route, asked once."""

    name: str
    url: str
    answer: Answer
    verdict: Verdict | None
    """None if the app answered."""


def check_routes(
    engine: Engine, containers: Iterable[WantedContainer], found: Mapping[str, FoundContainer]
) -> list[Checked]:
    """Ask every URL of the containers that run, several at a time."""
    from dusty_tasks.effects.doors.parallel import threads

    address = session.settings().hosts_address
    asked = [
        (container, url)
        for container in containers
        if container.name in found and found[container.name].is_running
        for url in container.http_urls
    ]

    def check(pair: tuple[WantedContainer, str]) -> Checked:
        container, url = pair
        answer = http_probe.ask(address, url)
        verdict = (
            None
            if answer.is_the_apps
            else verdict_of(engine, container, url, answer, read_closed(engine, container, found[container.name].id))
        )
        return Checked(container.name, url, answer, verdict)

    with threads(8) as pool:
        return list(pool.map(check, asked))


def verdict_of(engine: Engine, container: WantedContainer, url: str, answer: Answer, closed: str | None) -> Verdict:
    """Which hop fails where nginx answered, or nobody; `closed` is what read_closed tells."""
    settings = session.settings()
    subnet = ""
    if answer.saw == UNREACHABLE and settings.routing == "published":
        try:
            subnet = reads.read_subnet(engine)
        except Failure:
            pass
    return judge(
        answer, closed, settings, dict(zip(container.http_urls, container.http_ports, strict=False)).get(url, 0), subnet
    )


def read_closed(engine: Engine, container: WantedContainer, container_id: str) -> str | None:
    """Why no route to a running container can be answered, by what listens in it; '' if all of its ports are listened on, None if nobody can tell."""
    if container.mapping.get("network_mode") == "host":
        return None
    listening = read_listeners(engine, container_id)
    return None if listening is None else listening_trouble(container.route_ports, listening)
