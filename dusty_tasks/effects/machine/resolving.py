"""Where names lead on this machine, by its own resolver: what a browser or curl finds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable

PATIENCE = 1.0
"""Seconds for all names: those of the hosts file are there at once, and a name server that is away is not worth waiting for."""


def read_addresses(names: Iterable[str]) -> dict[str, str]:
    """Name -> the IPv4 address that it leads to, '' for none that was found in time."""
    found = dict.fromkeys(names, "")

    def look_up(name: str) -> None:
        try:
            found[name] = str(socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
        except (OSError, UnicodeError):
            pass

    threads = [threading.Thread(target=look_up, args=(name,), daemon=True) for name in found]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(found)
