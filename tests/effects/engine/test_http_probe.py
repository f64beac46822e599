"""How often an app is asked: as seldom as can be once it may have got a request; against real sockets of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dusty_tasks.core.plan.hops import BROKEN, NO_ANSWER, NO_PROXY, REFUSED, SILENT, Answer
from dusty_tasks.effects.engine import probe as http_probe
from dusty_tasks.effects.engine.probe import KNOCK, Probes, ask, has_arrived


class Proxy:
    """A server that says what nginx would: by path, what it saw (''  for the app's own answer), or how it fails."""

    def __init__(self) -> None:
        self.saw = {"/": ("", 200), KNOCK: (REFUSED, 502)}
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.asked.append(f"{self.headers['Host']}{self.path}")
                saw, status = proxy.saw[self.path]
                if saw in (NO_PROXY, NO_ANSWER):
                    threading.Event().wait(0.5 if saw == NO_ANSWER else 0)
                    return
                self.send_response(status)
                if saw:
                    self.send_header("X-Dusty-Saw", saw)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://web.test:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.server.shutdown()
    proxy.server.server_close()


@pytest.mark.parametrize(
    ("saw", "status"), [("", 200), ("", 502), ("", 504), (REFUSED, 502), (SILENT, 502), (BROKEN, 502)]
)
def test_what_nginx_saw_is_told_from_an_answer_of_the_app(proxy: Proxy, saw: str, status: int) -> None:
    proxy.saw["/"] = (saw, status)
    assert ask("127.0.0.1", proxy.url) == Answer(saw, status)
    assert proxy.asked == [proxy.url.removeprefix("http://")]


def test_no_proxy_and_no_answer_are_told_apart(proxy: Proxy) -> None:
    proxy.saw["/"] = (NO_ANSWER, 0)
    assert ask("127.0.0.1", proxy.url, 0.1).saw == NO_ANSWER
    proxy.saw["/"] = (NO_PROXY, 0)
    assert ask("127.0.0.1", proxy.url).saw == NO_PROXY
    assert ask("127.0.0.1", "http://web.test:1/").saw == NO_PROXY


@pytest.mark.parametrize(
    ("saw", "knock", "arrived"),
    [
        (REFUSED, REFUSED, False),
        (SILENT, REFUSED, False),
        (SILENT, SILENT, True),
        (SILENT, "", True),
        (BROKEN, REFUSED, True),
    ],
)
def test_a_connection_that_the_engine_took_for_an_app_that_does_not_listen_did_not_arrive(
    proxy: Proxy, saw: str, knock: str, arrived: bool
) -> None:
    proxy.saw[KNOCK] = (knock, 502 if knock else 200)
    assert has_arrived("127.0.0.1", proxy.url, Answer(saw)) is arrived


@pytest.mark.parametrize(("first", "knock", "longest"), [(SILENT, "", 1.0), (SILENT, REFUSED, http_probe.PAUSE)])
def test_an_app_that_may_have_got_a_request_is_asked_again_only_after_a_while(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, first: str, knock: str, longest: float
) -> None:
    proxy.saw.update({"/": (first, 502), KNOCK: (knock, 502 if knock else 200)})
    pauses: list[float] = []

    def waited(self: object, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            proxy.saw["/"] = ("", 200)

    probes = Probes("127.0.0.1")
    monkeypatch.setattr(probes._over, "wait", lambda seconds: waited(None, seconds))
    probes._open["web"] = [proxy.url]
    probes._ask("web", proxy.url)
    assert pauses[0] == longest and probes.open_urls("web") == [] and probes.answers[proxy.url] == Answer("", 200)
    assert pauses == ([1.0, 2.0, 4.0] if knock == "" else [http_probe.PAUSE] * 3)
