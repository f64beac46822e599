"""Where the stack's names lead, asked each way that a program would: by the system, by the browser's rule, and in each container."""

from __future__ import annotations

from collections.abc import Sequence

from dusty_tasks import session
from dusty_tasks.core.of_verbs import name_findings as judged
from dusty_tasks.core.of_verbs.findings import Finding
from dusty_tasks.core.of_verbs.name_answers import LOOK_UP, looked_up, own_addresses
from dusty_tasks.core.plan.ports_to_open import published_addresses
from dusty_tasks.core.plan.push_changes import aliases_of
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.parallel import threads
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.hosts.section import read_hosts_file
from dusty_tasks.effects.machine import resolving

ENOUGH = 20
"""Names that are asked for in a container: the others are aliases of the same proxy."""


def findings(host_names: Sequence[str]) -> list[Finding]:
    """All of it; `host_names` are those of the stack's hosts section."""
    settings = session.settings()
    typed = [f"{name}.localhost" if settings.hosts_mode == "localhost" else name for name in host_names]
    found = judged.programs(_here(typed))
    try:
        proxy = next((one for one in session.wanted().containers if one.kind == "proxy"), None)
        if proxy is None:
            return found
        engine = Engine(session.docker_host())
        return [*found, *_in_browsers(engine, proxy), *_in_containers(engine, proxy)]
    except Failure:
        return found  # That there is no engine, or nothing compiled, is said elsewhere.


def _here(typed: Sequence[str]) -> judged.Names:
    settings = session.settings()
    here = resolving.read_all_addresses(typed)
    wrong = [name for name, found in here.items() if not set(found) & set(settings.hosts_addresses)]
    names = judged.Names(settings.hosts_mode, settings.hosts_addresses, here)
    if not wrong:
        return names
    with threads(8) as pool:
        asked = [(server, name) for server in resolving.read_name_servers() for name in wrong[:ENOUGH]]
        answers = list(zip(asked, pool.map(lambda pair: resolving.ask_server(*pair), asked), strict=True))
    servers = [
        judged.Server(
            each, resolving.read_interface(each), {name: said for (server, name), said in answers if server == each}
        )
        for each in dict.fromkeys(server for server, _ in asked)
    ]
    in_file = own_addresses(read_hosts_file().decode("utf-8", "replace"), wrong)
    return names._replace(in_hosts_file=in_file, order=resolving.read_sources(), servers=servers)


def _in_browsers(engine: Engine, proxy: WantedContainer) -> list[Finding]:
    from dusty_tasks.effects.engine.port_holders import read_holder

    settings = session.settings()
    if settings.hosts_mode != "localhost":
        return []
    ports = dict.fromkeys(port for _, port in published_addresses(proxy.mapping))
    held = {port: str(holder) for port in ports if (holder := read_holder(engine, ("::1", port)))}
    return judged.browsers(settings.hosts_mode, held)


def _in_containers(engine: Engine, proxy: WantedContainer) -> list[Finding]:
    names, running = aliases_of(proxy.mapping), reads.read_containers(engine)
    if PROXY not in running or not running[PROXY].is_running:
        return []
    connected = reads.read_details(engine, running[PROXY].id)["NetworkSettings"]["Networks"]
    addresses = [
        network[key] for network in connected.values() for key in ("IPAddress", "GlobalIPv6Address") if network.get(key)
    ]
    asked = [
        one.name
        for one in session.wanted().containers
        if one.kind != "proxy" and one.name in running and running[one.name].state == "running" and _is_among_us(one)
    ]

    def look(name: str) -> dict[str, tuple[str, ...]] | None:
        try:
            code, printed = acts.run_exec(engine, running[name].id, ["sh", "-c", LOOK_UP, "sh", *names[:ENOUGH]])
        except Failure:
            return None
        return looked_up(printed) if code == 0 else None

    with threads(8) as pool:
        return judged.containers(dict(zip(asked, pool.map(look, asked), strict=True)), addresses, len(names[:ENOUGH]))


def _is_among_us(container: WantedContainer) -> bool:
    """False for those whose spec keeps them off the stack's network."""
    networks = container.mapping.get("networks")
    return not container.mapping.get("network_mode") and (not networks or "default" in networks)
