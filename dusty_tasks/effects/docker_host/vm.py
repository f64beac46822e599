"""The machine that a Docker host is, where commands for it are known (`host.start` and its kin, or a preset's)."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from dusty_tasks.core.settings.vm_presets import creation
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.docker_host import ssh
from dusty_tasks.effects.docker_host.host import DockerHost, Unreachable
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.files import read_bytes, write_if_changed

Say = Callable[[str], None]
Confirm = Callable[[str], bool]

PATIENCE = 10.0
"""Seconds for a status command, where another answer is there already."""
DAEMON_FILE = "/etc/docker/daemon.json"
DAEMON_NOTE = "daemon.json"
"""In state/: the `host.daemon` that lies on the Docker host, as far as we know."""
WRITE_DAEMON = r"""
set -eu
mkdir -p "${1%/*}"
cat > "$1.dusty"
[ ! -e "$1" ] || cp -p "$1" "$1.before-dusty-$2"
mv "$1.dusty" "$1"
"""
RESTART_ENGINE = r"""
if command -v systemctl >/dev/null 2>&1 && systemctl restart docker; then exit 0; fi
if command -v service >/dev/null 2>&1 && service docker restart; then exit 0; fi
[ -x /etc/init.d/docker ] && /etc/init.d/docker restart
"""


def is_startable(host: DockerHost) -> bool:
    """True if there is a command that starts the machine."""
    return bool(host.machine.start)


def is_running(host: DockerHost) -> bool:
    """What the status command says; without one, whether ssh gets through. A tool that is not installed runs nothing."""
    if host.machine.status:
        return process.run(host.machine.status).code == 0
    try:
        return host.run(["true"]).code == 0
    except Unreachable:
        return False


def is_known_off(host: DockerHost) -> bool:
    """True if what manages the machine says that it is off. Where nothing does, or it is not installed, nobody knows."""
    if not host.machine.status:
        return False
    try:
        return process.run(host.machine.status, timeout=PATIENCE).code not in (0, process.TIMED_OUT)
    except ToolFailed:
        return False


def start(host: DockerHost, say: Say, confirm: Confirm) -> None:
    """Start the machine if there is a command for that and it is off; making a VM is asked for first.

    Raises ToolFailed with the command's own last lines; Failure if making the VM was not agreed to.
    """
    if not is_startable(host) or is_running(host):
        learn_ssh(host)
        return
    exists, create = creation(host.settings.host, host.home)
    if create and process.run(exists).code:
        if not confirm(f"Create a VM with {_size(host)} using `{' '.join(create)}`?"):
            raise Failure("there is no VM yet, and you have not agreed to create one", f"{DUSTY} start --yes")
        run_saying(create, say)
    run_saying(host.machine.start, say)
    learn_ssh(host)


def stop(host: DockerHost, say: Say) -> bool:
    """Stop the machine, if there is a command for that; False if there is none, or the machine is off already."""
    if not host.machine.stop or (host.machine.status and not is_running(host)):
        return False
    host.close()
    # A machine that is told over ssh to power off may cut the line before its answer.
    run_saying(host.machine.stop, say, fine=(0, 255) if os.path.basename(host.machine.stop[0]) == "ssh" else (0,))
    return True


def run_saying(argv: Sequence[str], say: Say, fine: tuple[int, ...] = (0,)) -> None:
    """Run a command whose lines are shown as they come. Raises ToolFailed unless it ends with one of `fine`."""
    say(" ".join(argv))
    finished = process.run(argv, on_line=lambda line: say(f"    {line}"))
    if finished.code not in fine:
        raise ToolFailed(argv, finished.code, finished.err or finished.out)


def learn_ssh(host: DockerHost) -> None:
    """Ask the VM's tool for its ssh configuration and keep it. Raises ToolFailed."""
    if host.machine.ssh_config:
        ssh.write_config(host.home, host.target, process.run(host.machine.ssh_config, check=True).out)
        host.forget_connection()


def apply_daemon(host: DockerHost, say: Say, confirm: Confirm) -> bool:
    """Make `host.daemon` the engine's daemon.json, the former file kept, and restart the engine; True if it was changed.

    Raises Failure if the restart was not agreed to, ToolFailed.
    """
    wanted = host.machine.daemon
    if wanted is None:
        return False
    found = host.run(["cat", DAEMON_FILE], as_root=True).out
    if _json(found) == wanted:
        _note_daemon(host)
        return False
    if not confirm(
        f"{DAEMON_FILE} on {host.name} differs from host.daemon: write it and restart the engine, with all containers on it?"
    ):
        raise Failure(
            f"{DAEMON_FILE} on {host.name} differs from host.daemon",
            f"{DUSTY} start --yes writes it and restarts the engine",
        )
    data = json.dumps(wanted, indent=4, sort_keys=True) + "\n"
    host.run_script(WRITE_DAEMON, DAEMON_FILE, time.strftime("%Y%m%d-%H%M%S"), input=data, as_root=True)
    say(f"wrote {DAEMON_FILE} on {host.name}; restarting the engine")
    host.run_script(RESTART_ENGINE, as_root=True)
    _note_daemon(host)
    return True


def is_daemon_in_place(host: DockerHost) -> bool:
    """True if `host.daemon` is what was last seen or written on this Docker host: by our own note, nobody is asked."""
    if host.machine.daemon is None:
        return True
    return bool(_json((read_bytes(f"{host.settings.state}/{DAEMON_NOTE}") or b"").decode()) == _daemon_note(host))


def _note_daemon(host: DockerHost) -> None:
    write_if_changed(f"{host.settings.state}/{DAEMON_NOTE}", json.dumps(_daemon_note(host)).encode())


def _daemon_note(host: DockerHost) -> dict[str, Any]:
    return {"host": host.target, "daemon": host.machine.daemon}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _size(host: DockerHost) -> str:
    return f"{host.machine.memory:g} GiB and {host.machine.ncpu} CPUs"
