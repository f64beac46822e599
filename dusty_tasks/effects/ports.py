"""Who listens on a port of the Docker host, by name."""
from __future__ import annotations

import glob
import os
import re
import socket

from dusty_tasks.core.addresses import Address, is_in_the_way
from dusty_tasks.core.listening import Listener, listeners_of
from dusty_tasks.effects.docker import Engine
from dusty_tasks.effects.docker_host import DockerHost


def read_holder(engine: Engine, address: Address) -> str:
    """Who holds `address` on the Docker host: a container, or a process, in words; '' if nobody does."""
    return _container(engine, address) or (_process_here(address) if engine.host.is_local else _process_there(engine.host, address))


def _container(engine: Engine, address: Address) -> str:
    for entry in engine.get("/containers/json"):
        for port in entry.get("Ports") or []:
            if port.get("PublicPort") and port.get("Type") == "tcp" and is_in_the_way((port.get("IP", ""), port["PublicPort"]), address):
                return f"the container {(entry.get('Names') or ['/?'])[0].lstrip('/')}"
    return ""


def _process_here(address: Address) -> str:
    inodes = {inode for path in ("/proc/net/tcp", "/proc/net/tcp6") for listening, inode in _listeners(path)
              if is_in_the_way(listening, address)}
    if inodes:
        return _owner_of(inodes)
    return "" if os.path.exists("/proc/net/tcp") or _can_bind(address) else "a program of this machine"


def _listeners(path: str) -> list[Listener]:
    """The listeners in a table of the kernel's."""
    try:
        with open(path, encoding="ascii") as file:
            return list(listeners_of(file.read()))
    except OSError:
        return []


def _owner_of(inodes: set[str]) -> str:
    """The process that has one of these sockets open; another user's cannot be seen without root."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for link in glob.iglob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) in wanted:
                pid = link.split("/")[2]
                with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                    return f"{file.read().strip()} (pid {pid})"
        except OSError:
            continue
    return "a process of another user"


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


def _process_there(host: DockerHost, address: Address) -> str:
    """The same on an ssh Docker host, by its `ss`; without one nobody can be named, and Docker will complain itself."""
    listed = host.run(["ss", "-Hltnp", f"sport = :{address[1]}"], as_root=True).out
    for line in listed.splitlines():
        columns = line.split()
        listening = columns[3].rpartition(":")[0].strip("[]").replace("*", "") if len(columns) > 3 else ""
        if is_in_the_way((listening.partition("%")[0], address[1]), address):
            found = re.search(r'\("([^"]*)",pid=(\d+)', line)
            return f"{found[1]} (pid {found[2]})" if found else "a process of another user"
    return ""
