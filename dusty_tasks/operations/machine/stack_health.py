"""What `doctor` says of the stack: its ports, its containers, and whether requests are answered; with the repair of its proxy."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING, Finding
from dusty_tasks.core.plan.change import NGINX, RECONNECT, RELOAD
from dusty_tasks.core.plan.container_state import advice
from dusty_tasks.core.plan.ports_to_open import published_addresses
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.text.alike import subject
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine


def ports() -> list[Finding]:
    """Who holds the ports that the proxy listens on?"""
    from dusty_tasks.effects.engine.port_holders import read_holder

    asked, wanted = Engine(session.docker_host()), _wanted()
    proxy = next((container for container in wanted.containers if container.kind == "proxy"), None)
    if proxy is None:
        return [Finding("ports", OK, "no route is active")]
    wrong = [
        (address[1], holder)
        for address in published_addresses(proxy.mapping)
        if (holder := read_holder(asked, address))
    ]
    if wrong:
        strangers = [holder for _, holder in wrong if not holder.is_engine]
        return [
            Finding(
                "ports",
                FAILED if strangers else WARNING,
                "; ".join(f"{port} is held by {holder}" for port, holder in wrong),
                (strangers or [wrong[0][1]])[0].way_out,
            )
        ]
    running = reads.read_containers(asked).get(PROXY)
    return [
        Finding(
            "ports",
            OK,
            f"{', '.join(map(str, wanted.host_ports))} {'held by the proxy' if running and running.published else 'free'}",
        )
    ]


def _wanted() -> Wanted:
    try:
        return session.wanted()
    except Failure:
        return Wanted(containers=())


def changes() -> list[Finding]:
    """Containers that are in trouble, and what `up` would do, the proxy's config among it."""
    from dusty_tasks.operations.look import look

    try:
        view = look(Engine(session.docker_host()))
    except Failure as failure:
        return [Finding("stack", WARNING, failure.what, failure.hint)]
    if view.engine_trouble:
        return [Finding("stack", WARNING, f"what runs on {session.docker_host().name} is unknown: it does not answer")]
    proxy = view.plan.of(NGINX, RELOAD, RECONNECT)
    found = [Finding("proxy", WARNING, str(change), f"{DUSTY} up", "proxy") for change in proxy] or [
        Finding("proxy", OK, "its config is the compiled one")
    ]
    troubles = {name: state for name, state in view.states.items() if state.is_trouble}
    found += [
        Finding("container", FAILED, f"{name} {state.what}", advice(state, name)) for name, state in troubles.items()
    ]
    others = [str(change) for change in view.plan.changes if change not in proxy and change.name not in troubles]
    if not others:
        return [*found, *([] if troubles else [Finding("stack", OK, "as compiled")])]
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return [
        *found,
        Finding(
            "stack",
            WARNING,
            f"{counted(len(others), 'change')} pending: {'; '.join(others[:3])}{more}",
            f"{DUSTY} up; {DUSTY} plan shows all",
        ),
    ]


def requests() -> list[Finding]:
    """One request a route, through nginx; where it is not answered, the hop that fails."""
    from dusty_tasks.core.plan.hops import OWN_TROUBLE, Verdict
    from dusty_tasks.operations.launch.route_checks import Checked, check_routes

    asked = Engine(session.docker_host())
    checked = check_routes(asked, _wanted().containers, reads.read_containers(asked))
    silent: dict[Verdict, list[Checked]] = {}
    for one in checked:
        if one.verdict:
            silent.setdefault(one.verdict, []).append(one)
    found = [
        Finding(
            f"route ({verdict.hop})",
            FAILED,
            f"{subject([one.url for one in those])} is not answered: {verdict.what}",
            verdict.mend or f"{DUSTY} logs {' '.join(dict.fromkeys(one.name for one in those))}",
        )
        for verdict, those in silent.items()
    ]
    found += [
        Finding(
            "request",
            WARNING,
            f"{one.name} answers at {one.url} with its own status {one.answer.status}",
            f"{DUSTY} logs {one.name}",
        )
        for one in checked
        if not one.verdict and one.answer.status >= OWN_TROUBLE
    ]
    return found or [
        Finding(
            "request",
            OK,
            f"{counted(len(checked), 'URL')} answered through nginx" if checked else "no app with a URL runs",
        )
    ]


def repair_proxy() -> None:
    from dusty_tasks.effects.doors.lock import held
    from dusty_tasks.operations.launch.containers import Launcher
    from dusty_tasks.operations.launch.printed import Printed
    from dusty_tasks.operations.launch.proxy import load_config, push_config
    from dusty_tasks.operations.launch.reporter import Deeds
    from dusty_tasks.operations.look import look

    asked = Engine(session.docker_host())
    with held("up", verb="doctor", home=session.home()):
        view = look(asked)
        launcher = Launcher(asked, session.settings(), view, Deeds(Printed()))
        proxy = view.found.containers.get(PROXY)
        if proxy is None or proxy.state != "running":
            return
        for change in view.plan.of(RECONNECT):
            launcher.reconnect(change)
        is_seen = push_config(asked, session.settings(), proxy.id) if view.plan.of(NGINX) else True
        for change in view.plan.of(RELOAD):
            say(str(change))
            load_config(asked, proxy.id, is_seen=is_seen)
            launcher.note_loaded(change, is_seen=is_seen)
