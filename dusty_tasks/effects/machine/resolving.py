"""Where names lead on this machine, by its own resolver: what a browser or curl finds."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Iterable

from dusty_tasks.core.of_verbs.name_answers import (
    NO_REPLY,
    answer,
    interface_of,
    name_servers,
    question,
    sources,
)

PATIENCE = 1.0
"""Seconds for all names: those of the hosts file are there at once, and a name server that is away is not worth waiting for."""
LONG_PATIENCE = 6.0
"""For `doctor`, which wants to know; a resolver gives up on a name server after 5."""
REPLY_PATIENCE = 2.0
NO_IPV6 = "this machine has no IPv6 loopback address (::1)"


def has_ipv6_loopback() -> bool:
    """True if a program of this machine can listen on ::1; some machines and containers have IPv6 turned off."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as attempt:
            attempt.bind(("::1", 0))
    except OSError:
        return False
    return True


def read_addresses(names: Iterable[str]) -> dict[str, str]:
    """Name -> the IPv4 address that it leads to, '' for none that was found in time."""
    return {name: (*found, "")[0] for name, found in read_all_addresses(names, socket.AF_INET, PATIENCE).items()}


def read_all_addresses(
    names: Iterable[str], family: int = socket.AF_UNSPEC, patience: float = LONG_PATIENCE
) -> dict[str, tuple[str, ...]]:
    """Name -> the addresses that the system finds for it (getaddrinfo), () for none that was found within `patience` seconds."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())

    def look_up(name: str) -> None:
        try:
            answers = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
            found[name] = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except (OSError, UnicodeError):
            pass

    threads = [threading.Thread(target=look_up, args=(name,), daemon=True) for name in found]
    for thread in threads:
        thread.start()
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(found)


def ask_server(address: str, name: str, port: int = 53) -> str:
    """What a name server says of `name`: its first IPv4 address, else a code in words, or NO_REPLY."""
    number = secrets.randbelow(1 << 16)
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.settimeout(REPLY_PATIENCE)
            asking.connect((address, port))
            asking.send(question(name, number))
            return answer(asking.recv(4096), number)
    except (OSError, ValueError):
        return NO_REPLY


def read_name_servers() -> list[str]:
    """Those that this machine asks, as the C library knows them."""
    return name_servers(_text("/etc/resolv.conf"))


def read_sources() -> tuple[str, ...]:
    """Where this machine looks up names, in order; () where it does not say (macOS)."""
    return sources(_text("/etc/nsswitch.conf"))


def read_interface(address: str) -> str:
    """The interface on the way to a name server; '' where that is not known."""
    return interface_of(_text("/proc/net/route"), address)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
