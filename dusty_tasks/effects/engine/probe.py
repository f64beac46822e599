"""Asking http routes whether an app answers behind them, each in a thread of its own, and the app as seldom as can be."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dusty_tasks.core.plan.hops import NO_ANSWER, NO_PROXY, REFUSED, SILENT, Answer

if TYPE_CHECKING:
    import socket

PAUSE = 0.1
LONGEST_PAUSE = 8.0
"""Between requests that the app may have got: it need not read that it is waited for."""
PATIENCE = 15.0
"""Seconds for one answer; an app that is slow at its first request is ready when it gives it."""
KNOCK = "/.dusty/knock"
"""Where nginx tells whether the app takes connections in its container (templates/nginx), which it does not notice while nothing listens."""


class Probes:
    """URLs being asked until each gave an answer that is not nginx's own; ended when the block ends."""

    def __init__(self, address: str) -> None:
        self.address = address
        """Where nginx listens; names are not looked up, so it works before the hosts section is written."""
        self._over = threading.Event()
        self._open: dict[str, list[str]] = {}
        self.answers: dict[str, Answer] = {}
        """URL -> what came back last."""

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
        pause = PAUSE
        while not self._over.is_set():
            answer = self.answers[url] = ask(self.address, url)
            if answer.is_the_apps:
                self._open[name].remove(url)
                return
            pause = min(max(2 * pause, 1.0), LONGEST_PAUSE) if has_arrived(self.address, url, answer) else PAUSE
            self._over.wait(pause)


def has_arrived(address: str, url: str, answer: Answer) -> bool:
    """True if the app may have got the request. What listens on a published port takes connections for an app that does not listen
    yet, and ends them: nginx sees no difference, so it is asked to look at the app itself.
    """
    return answer.may_have_arrived and not (answer.saw == SILENT and ask(address, url, path=KNOCK).saw == REFUSED)


def answers(address: str, url: str, patience: float = PATIENCE) -> bool:
    """True if a request for `url`, sent to `address`, is answered by the app within `patience` seconds."""
    return ask(address, url, patience).is_the_apps


def _as_tls(plain: socket.socket, name: str) -> socket.socket:
    """The connection as TLS for `name`. Whether the certificate is believed is not what is asked here."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=name)


def ask(address: str, url: str, patience: float = PATIENCE, path: str = "") -> Answer:
    """What comes back for a request for `url` (or another path there), sent to `address`."""
    import http.client

    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = http.client.HTTPConnection(address, port, timeout=patience)
    try:
        connection.connect()
        if parts.scheme == "https":
            connection.sock = _as_tls(connection.sock, parts.hostname or "")
    except OSError:
        return Answer(NO_PROXY)
    try:
        connection.request("GET", path or parts.path or "/", headers={"Host": parts.netloc, "User-Agent": "dusty"})
        answer = connection.getresponse()
        return Answer(answer.getheader("X-Dusty-Saw") or "", answer.status)
    except TimeoutError:
        return Answer(NO_ANSWER)
    except (OSError, http.client.HTTPException):
        # The engine takes connections for an nginx that does not listen yet.
        return Answer(NO_PROXY)
    finally:
        connection.close()
