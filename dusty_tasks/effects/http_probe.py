"""Asking http routes whether an app answers behind them, each in a thread of its own."""
from __future__ import annotations

import threading
from collections.abc import Iterable
from urllib.parse import urlsplit

PAUSE = 0.1
PATIENCE = 15.0
"""Seconds for one answer; an app that is slow at its first request is ready when it gives it."""
NOT_YET = (502, 504)
"""What nginx says while nobody answers behind it."""


class Probes:
    """URLs being asked until each gave an answer that is not nginx's own; ended when the block ends."""

    def __init__(self, address: str) -> None:
        self.address = address
        """Where nginx listens; names are not looked up, so it works before the hosts section is written."""
        self._over = threading.Event()
        self._open: dict[str, list[str]] = {}

    def __enter__(self) -> Probes:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def watch(self, name: str, urls: Iterable[str]) -> None:
        """Begin to ask the URLs of `name`."""
        self._open[name] = list(urls)
        for url in tuple(self._open[name]):
            threading.Thread(target=self._ask, args=(name, url), daemon=True).start()

    def open_urls(self, name: str) -> list[str]:
        """Those that have not answered yet."""
        return list(self._open.get(name, ()))

    def _ask(self, name: str, url: str) -> None:
        while not self._over.is_set():
            if answers(self.address, url):
                self._open[name].remove(url)
                return
            self._over.wait(PAUSE)


def answers(address: str, url: str, patience: float = PATIENCE) -> bool:
    """True if a request for `url`, sent to `address`, is answered within `patience` seconds by anything but 502 and 504."""
    import http.client

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(address, parts.port or 80, timeout=patience)
    try:
        connection.request("GET", parts.path or "/", headers={"Host": parts.netloc, "User-Agent": "dusty"})
        return connection.getresponse().status not in NOT_YET
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
