"""Containers and the proxy: what the plan says of them is done. What cannot be made is named at the end, and the others are up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.console import working
from dusty_tasks.core.plan.change import NGINX, RECONNECT, RELOAD, STARTING
from dusty_tasks.core.plan.container_state import STARTING as IS_STARTING
from dusty_tasks.core.plan.container_state import State
from dusty_tasks.core.text.alike import Report, merged, subject
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.places import place_finder, read_origins
from dusty_tasks.operations.up.run import Run, StartOver

if TYPE_CHECKING:
    from dusty_tasks.core.plan.ports_to_open import Address

SEEN, UNSEEN, REFUSED = "seen", "unseen", "refused"


def change_containers(run: Run) -> None:
    """Make reality what the plan says. Raises StartOver where other ports have to be compiled."""
    from dusty_tasks.operations.launch.preconditions import record_owner, remove_strangers

    record_owner(run.engine.host, run.view)
    # Where they cannot be written (a full disk, a folder in the way), nothing is stopped yet.
    run.launcher.write_records()
    if run.options.adopt:
        remove_strangers(run.engine, run.view)
    if proxy_is_started(run) and _push_nginx(run) == REFUSED:
        # The proxy that runs goes on with its config; the apps are brought up all the same.
        run.view = run.view._replace(plan=run.view.plan.without(PROXY))
    note_page_states(run, {name: State(IS_STARTING, "is being started") for name in run.view.plan.names(*STARTING)})
    with working("changing containers"):
        run.launcher.launch()
    if run.launcher.failures:
        from dusty_tasks.operations.launch.kept_ports import refused_for_nobody

        start_over_without(run, refused_for_nobody(run.engine, run.launcher.failures))
    for failure in _launch_failures(run):
        run.fail(failure)


def start_over_without(run: Run, kept: Sequence[tuple[str, Address]]) -> None:
    """Raise StartOver, so that routes get other ports where the engine keeps theirs for nobody; it returns if these cannot be set aside."""
    from dusty_tasks.operations.launch.kept_ports import set_ports_aside

    if not run.is_again and set_ports_aside(kept):
        raise StartOver("compiling and comparing again")


def _launch_failures(run: Run) -> Iterator[Failure]:
    """What could not be launched, each with its place in the specs; one cause is said once."""
    place_of = place_finder(lambda: read_origins(session.settings()))
    wanted = run.launcher.wanted
    reports = [
        Report(name, str(failure), (wanted[name].container_name,) if name in wanted else (), failure.code)
        for name, failure in run.launcher.failures.items()
    ]
    for each in merged(reports):
        named = "".join(f"\n    {source}" for source in _sources_in(each.text)) if len(each.names) == 1 else ""
        placed = subject([f"{name} ({place_of(name, ()) or 'Dusty itself'})" for name in each.names])
        yield Failure(f"{placed}: {each.text}{named}", code=each.code)


def _sources_in(printed: str) -> list[Any]:
    """The spec lines behind the keys that Compose complains about."""
    from dusty_tasks.core.artifacts.origins import sources_named_in

    return sources_named_in(printed, read_origins(session.settings()))


def proxy_is_started(run: Run) -> bool:
    """True if this run makes or starts the proxy."""
    return any(change.name == PROXY for change in run.view.plan.of(*STARTING))


def _push_nginx(run: Run) -> str:
    """SEEN by the running proxy (or there is none), UNSEEN, or REFUSED by it: then the former config stays, and the run ends with 3."""
    from dusty_tasks.operations.launch.proxy import ConfigRefused, push_config

    proxy, is_seen = run.view.found.containers.get(PROXY), True
    for change in run.view.plan.of(NGINX):
        run.deeds.begin(change)
        try:
            is_seen = push_config(
                run.engine, session.settings(), proxy.id if proxy and proxy.state == "running" else ""
            )
        except ConfigRefused as refused:
            run.fail(refused)
            return REFUSED
        run.deeds.end(change)
    return SEEN if is_seen else UNSEEN


def load_proxy_config(run: Run) -> None:
    """Its names on the network, for a proxy that was not made anew; for one that goes on running also its config pushed, tested and loaded."""
    if PROXY in run.launcher.failures or not run.view.plan.of(NGINX, RELOAD, RECONNECT):
        return
    from dusty_tasks.operations.launch.proxy import load_config

    for change in run.view.plan.of(RECONNECT):
        run.launcher.reconnect(change)
    if proxy_is_started(run):
        return
    pushed = _push_nginx(run)
    for change in run.view.plan.of(RELOAD) if pushed != REFUSED else ():
        run.deeds.begin(change)
        load_config(run.engine, run.view.found.containers[PROXY].id, is_seen=pushed == SEEN)
        run.launcher.note_loaded(change, is_seen=pushed == SEEN)


def note_page_states(run: Run, seen: dict[str, State]) -> None:
    """Let the proxy's pages tell of `seen`; of all others what the plan's look saw."""
    from dusty_tasks.operations.launch.page_states import note_states

    note_states(run.engine, run.view.wanted, "up", {**run.view.states, **seen}, run.printed)
