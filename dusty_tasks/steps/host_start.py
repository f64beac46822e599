"""The Docker host on and off: its VM started and stopped by the settings' own commands, its engine waited for, saying what for."""
from __future__ import annotations

import os
import socket
import time
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import confirm, is_terminal, say
from dusty_tasks.core.presets import creation
from dusty_tasks.effects import docker, process, ssh
from dusty_tasks.effects.docker import Engine, EngineDown
from dusty_tasks.effects.docker_host import DockerHost, Unreachable
from dusty_tasks.effects.failures import Failure

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0


def ensure_running(engine: Engine, *, yes: bool) -> None:
    """Start the Docker host where it is off, and wait for its engine up to `host.wait`.

    Raises Failure: 1 where a VM is to be created and nobody agreed, 2 with the last cause if the engine does not come up.
    """
    host = engine.host
    if not host.is_local and host.host.start and not is_machine_on(host):
        create_machine(host, yes=yes)
        say(f"starting the Docker host: {' '.join(host.host.start)}")
        process.run(host.host.start, check=True, on_line=lambda line: say(f"    {line}"))
        keep_ssh_config(host)
    wait_for_engine(engine, host.settings.host.wait)


def is_machine_on(host: DockerHost) -> bool:
    """True if the VM's own status command says so, or where there is none."""
    return not host.host.status or process.run(host.host.status).code == 0


def create_machine(host: DockerHost, *, yes: bool) -> None:
    """Make the preset's VM if there is none; asked first. Raises Failure if nobody agrees."""
    exists, create = creation(host.settings.host, host.home)
    if not create or process.run(exists).code == 0:
        return
    if not confirm(f"There is no VM yet. Create it: {' '.join(create)}?", yes=yes):
        raise Failure("there is no VM to start", f"dusty up --yes creates it: {' '.join(create)}")
    process.run(create, check=True, on_line=lambda line: say(f"    {line}"))


def keep_ssh_config(host: DockerHost) -> None:
    """Keep what the VM's tool says about reaching it, and its address if none is stored."""
    if host.host.ssh_config:
        ssh.write_config(host.home, host.target, process.run(host.host.ssh_config, check=True).out)
        # The program that calls ssh with this configuration is made anew.
        session.docker_host.cache_clear()


def store_address(host: DockerHost) -> str:
    """The address of an ssh Docker host by what ssh says; stored in the settings if none was. '' if it is not to be found."""
    if host.is_local or host.address:
        return host.address
    from dusty_tasks.effects.store import change_config

    name, _port = ssh.split_target(host.target)
    config_path = ssh.kept_config(host.home, host.target)
    asked = process.run(["ssh", *(["-F", config_path] if config_path else []), "-G", name]).out
    host_name = next((line.partition(" ")[2] for line in asked.splitlines() if line.startswith("hostname ")), name.rpartition("@")[2])
    try:
        address = str(socket.getaddrinfo(host_name, None, socket.AF_INET)[0][4][0])
    except OSError:
        return ""

    def change(config: dict[str, Any]) -> None:
        config.setdefault("host", {})["address"] = address
    change_config(host.home, f"host.address {address}, as ssh resolves it", change)
    session.forget()
    say(f"stored host.address = {address}, as ssh resolves {host_name}")
    return address


def wait_for_engine(engine: Engine, seconds: float) -> None:
    """Wait until the engine answers; the waits are counted on one line. Raises Failure, exit 2, with the last cause."""
    begin, pause, waits = time.monotonic(), FIRST_PAUSE, 0
    while True:
        try:
            docker.read_containers(engine)
            break
        except (EngineDown, Unreachable) as away:
            if time.monotonic() - begin + pause > seconds:
                end_line(waits)
                raise Failure(f"{away.what} (waited {seconds:g} s)", away.hint, code=2) from away
        waits += 1
        count_on_one_line(f"Docker is not responding: waiting {pause:g} s", waits)
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    if waits:
        end_line(waits)
        say("Docker is responding")


def count_on_one_line(text: str, times: int) -> None:
    """The first wait as a line of its own; on a terminal the repeats are counted on it."""
    if is_terminal():
        print(f"\r{text}{f' ({times} times)' if times > 1 else ''}", end="", flush=True)
    elif times == 1:
        say(text)


def end_line(waits: int) -> None:
    if is_terminal():
        print(flush=True)
    elif waits > 1:
        say(f"... {waits} times")


def stop_machine(host: DockerHost) -> None:
    """Stop the VM; a machine that Dusty cannot stop is left on, and that is said."""
    if host.is_local or not host.host.stop:
        what = "this machine" if host.is_local else f"{host.name}, which has no stop command (host.stop),"
        say(f"{what} stays on")
        return
    if host.host.status and not is_machine_on(host):
        say(f"{host.name} is off")
        return
    host.close()
    say(f"stopping the Docker host: {' '.join(host.host.stop)}")
    finished = process.run(host.host.stop, on_line=lambda line: say(f"    {line}"))
    # A machine that is told to power off over ssh may cut the line before its answer.
    if finished.code not in (0, 255) or (finished.code == 255 and os.path.basename(host.host.stop[0]) != "ssh"):
        raise Failure(f"`{' '.join(host.host.stop)}` ended with status {finished.code}\n    {finished.err.strip()}", code=2)
