"""Which process listens on a port of the Docker host."""

from __future__ import annotations

import glob
import os
import re
import socket
from typing import TYPE_CHECKING

from dusty_tasks.core.plan.listening import Listener, listeners_of
from dusty_tasks.core.plan.ports_to_open import Address, is_in_the_way

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

FORWARDER = "docker-proxy"
"""The engine's program that listens on a published port of the Docker host."""
LISTENERS = rf"""
ss -Hltnp "sport = :$1"
pgrep -f "{FORWARDER} .*-host-port $1( |\$)" | sed 's/^/{FORWARDER} /'
"""
"""Word: a port. Prints the sockets that listen on it, then the pids of the engine's forwarders for it: root's processes have no name in `ss`."""


def process_here(address: Address) -> str:
    inodes = {
        inode
        for path in ("/proc/net/tcp", "/proc/net/tcp6")
        for listening, inode in _listeners(path)
        if is_in_the_way(listening, address)
    }
    if inodes:
        return _owner_of(inodes) or _forwarder_here(address[1]) or "a process of another user"
    return "" if os.path.exists("/proc/net/tcp") or _can_bind(address) else "a program of this machine"


def _listeners(path: str) -> list[Listener]:
    """The listeners in a table of the kernel's."""
    try:
        with open(path, encoding="ascii") as file:
            return list(listeners_of(file.read()))
    except OSError:
        return []


def _owner_of(inodes: set[str]) -> str:
    """The process that has one of these sockets open; '' for another user's, whom only root can see."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for link in glob.iglob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) in wanted:
                pid = link.split("/")[2]
                with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                    return f"{file.read().strip()} (pid {pid})"
        except OSError:
            continue
    return ""


def _forwarder_here(port: int) -> str:
    """The engine's forwarder for a port, by its words, which everybody can see."""
    for path in glob.iglob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if os.path.basename(words[0]) == FORWARDER.encode() and str(port).encode() in words:
            return f"{FORWARDER} (pid {path.split('/')[2]})"
    return ""


def _can_bind(address: Address) -> bool:
    """Where there is no /proc: the kernel's own answer. Ports below 1024 may be refused for other reasons, and count as free."""
    try:
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind((address[0], address[1]))
        return True
    except PermissionError:
        return True
    except OSError:
        return False


def process_there(host: DockerHost, address: Address) -> str:
    """The same on an ssh Docker host, by its `ss`; without one nobody can be named, and Docker will complain itself."""
    listed = host.run_script(LISTENERS, str(address[1]), as_root=True, check=False).out
    for line in listed.splitlines():
        columns = line.split()
        if len(columns) < 4:
            continue
        listening = columns[3].rpartition(":")[0].strip("[]").replace("*", "")
        if is_in_the_way((listening.partition("%")[0], address[1]), address):
            found = re.search(r'\("([^"]*)",pid=(\d+)', line) or re.search(
                f"^({FORWARDER}) ([0-9]+)$", listed, re.MULTILINE
            )
            return f"{found[1]} (pid {found[2]})" if found else "a process of another user"
    return ""
