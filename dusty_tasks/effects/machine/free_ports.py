"""Whether a port of this machine is free."""

from __future__ import annotations

import socket


def can_bind(port: int) -> bool:
    """True if nothing listens there on any address, neither for TCP nor for UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as tried:
            if kind == socket.SOCK_STREAM:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("", port))
            except OSError:
                return False
    return True
