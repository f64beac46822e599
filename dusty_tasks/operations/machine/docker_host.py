"""The Docker host on and off: its VM started and stopped by the settings' own commands, its engine waited for, saying what for; and how its ports can be reached."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import confirm, is_terminal, say, warn
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.safe import harmless
from dusty_tasks.core.text.ssh_trouble import SshTrouble
from dusty_tasks.effects.docker_host import vm
from dusty_tasks.effects.docker_host.engine_line import EngineDenied, EngineDown, EngineSilent
from dusty_tasks.effects.docker_host.host import DockerHost, Unreachable
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0
SILENCE = 3.0
"""Seconds for an engine that is there and says nothing: one that is starting takes no connections yet, or answers soon."""


def ensure_running(engine: Engine, *, yes: bool) -> None:
    """Start the Docker host where it is off, wait for its engine up to `host.wait`, and give it the settings' daemon.json.

    Raises Failure: 1 where a VM is to be made or the engine to be restarted and nobody agreed, 2 with the last cause if the
    engine does not come up.
    """
    host, agreed = engine.host, partial(confirm, yes=yes)
    vm.start(host, say, agreed)
    wait_for_engine(engine, host.settings.host.wait)
    if vm.apply_daemon(host, say, agreed):
        wait_for_engine(engine, host.settings.host.wait)


def named_off(failure: Failure) -> Failure:
    """What to say in place of a failure to reach the Docker host, where that is known to be off."""
    host = session.docker_host()
    return (
        Failure(f"{host.name} is off", f"{DUSTY} start", code=1)
        if failure.is_absence and vm.is_known_off(host)
        else failure
    )


def store_address(host: DockerHost) -> str:
    """The address of an ssh Docker host by what ssh says; stored in the settings if none was. '' if it is not to be found."""
    address = host.address or host.find_address()
    if host.address or not address:
        return address
    from dusty_tasks.effects.home.config import change_config

    def change(config: dict[str, Any]) -> None:
        config.setdefault("host", {})["address"] = address

    change_config(host.home, f"host.address {address}, as ssh resolves it", change)
    session.forget()
    say(f"stored host.address = {address}, as ssh resolves {host.name}")
    return address


def wait_for_engine(engine: Engine, seconds: float) -> None:
    """Wait until the engine answers; the waits are counted on one line. Raises Failure, exit 2, with the last cause; at once where waiting mends nothing."""
    begin, pause, waits = time.monotonic(), FIRST_PAUSE, 0
    while True:
        try:
            reads.read_containers(engine)
            break
        except (EngineDown, Unreachable) as away:
            if isinstance(away, EngineDenied) or _is_final(engine.host, away.trouble):
                end_line(waits)
                raise
            elapsed = time.monotonic() - begin
            is_mute = isinstance(away, EngineSilent) and not vm.is_startable(engine.host) and elapsed > SILENCE
            if is_mute or elapsed + pause > seconds:
                end_line(waits)
                raise Failure(
                    f"{away.what} (waited {round(elapsed) if is_mute else seconds:g} s)",
                    _after_waiting(engine, away.hint),
                    code=2,
                ) from away
        waits += 1
        count_on_one_line(f"Docker is not responding: waiting {pause:g} s", waits)
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    if waits:
        end_line(waits)
        say("Docker is responding")


def _is_final(host: DockerHost, trouble: SshTrouble) -> bool:
    """A machine of ours that is just starting may not know its users yet; but its host key stays what it is."""
    return trouble.is_lasting and not (trouble.passes_at_start and vm.is_startable(host))


def _after_waiting(engine: Engine, hint: str) -> str:
    """The hint at an engine that does not come up: to start it is what was just tried."""
    if hint != f"{DUSTY} start":
        return hint
    return engine.host.engine_hint


def count_on_one_line(text: str, times: int) -> None:
    """The first wait as a line of its own; on a terminal the repeats are counted on it."""
    if is_terminal():
        print(f"\r{harmless(text)}{f' ({times} times)' if times > 1 else ''}", end="", flush=True)
    elif times == 1:
        say(text)


def end_line(waits: int) -> None:
    if is_terminal():
        print(flush=True)
    elif waits > 1:
        say(f"... {waits} times")


def stop_machine(host: DockerHost) -> bool:
    """Stop the VM; True if it is off then. A machine that Dusty cannot stop is left on, and that is said."""
    if not host.machine.stop:
        say(f"{host.staying_on} stays on")
        return False
    if not vm.stop(host, say):
        say(f"{host.name} is off")
    return True


def choose_routing(verb: str) -> None:
    """Where this machine cannot bind the engine's bridge, store `routing: network`; where it has no ::1, `hosts.ipv6: false`.

    An engine that does not answer tells later.
    """
    from dusty_tasks.core.plan.ports_to_open import hidden_bridge
    from dusty_tasks.effects.engine.http import Engine
    from dusty_tasks.effects.engine.reads import read_info
    from dusty_tasks.effects.home.config import change_config

    _choose_loopback(verb)
    if session.settings().routing != "published" or session.settings().host.is_elsewhere:
        return
    try:
        reason = hidden_bridge(read_info(Engine(session.docker_host())), sys.platform == "darwin")
    except Failure:
        return
    if reason:
        change_config(session.home(), f"{verb}: {reason}", lambda config: config.update(routing="network"), warn)
        session.forget()
        say(f"routing: network ({reason}, so ports cannot be published on its bridge)")


def _choose_loopback(verb: str) -> None:
    from dusty_tasks.effects.home.config import change_config
    from dusty_tasks.effects.machine.resolving import NO_IPV6, has_ipv6_loopback

    if not session.settings().hosts_ipv6 or has_ipv6_loopback():
        return

    def change(config: dict[str, Any]) -> None:
        config["hosts"] = {**(config.get("hosts") or {}), "ipv6": False}

    change_config(session.home(), f"{verb}: {NO_IPV6}", change, warn)
    session.forget()
    say(f"hosts.ipv6: false ({NO_IPV6})")
