"""The server of `dusty ui` as a client meets it: a real server on loopback."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("uvicorn")
import uvicorn

from dusty_tasks.operations.ui import server
from dusty_tasks.operations.ui.feed import Feed
from dusty_tasks.operations.ui.watching import Busy

TOKEN = "a-token-of-this-test"


class Commands:
    """Watching, without an engine: it notes what it was asked for."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []
        self.asked: list[list[str]] = []
        self.is_busy = False
        self.shown = "base"
        self.cancelled = 0
        self.answer: Any = None

    def switch(self, name: str) -> None:
        if name not in ("base", "fix"):
            raise ValueError(f'there is no world named "{name}"')
        self.shown = name

    def run(self, words: list[str], world: str) -> dict[str, Any]:
        if world != self.shown:
            raise Busy(f"the page shows {world}, and the server {self.shown} by now: load it again")
        if self.is_busy:
            raise Busy("dusty up is still running")
        self.ran.append(words)
        return {"id": 1, "command": f"dusty {' '.join(words)}"}

    def cancel(self) -> None:
        self.cancelled += 1

    def ask(self, words: list[str]) -> Any:
        self.asked.append(words)
        return self.answer or {"words": words}


class Served:
    """A server, and requests to it."""

    def __init__(self) -> None:
        self.feed, self.commands = Feed(), Commands()
        self.sockets = server.listening(0)
        self.port = self.sockets[0].getsockname()[1]
        app = server.application(self.commands, self.feed, self.port, TOKEN)  # type: ignore[arg-type]
        self.uvicorn = uvicorn.Server(server.config(app))
        self.thread = threading.Thread(target=self.uvicorn.run, args=(self.sockets,), daemon=True)
        self.thread.start()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = {"Host": f"dusty.localhost:{self.port}", "X-Dusty-Token": TOKEN}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, {name: value for name, value in given.items() if value})
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def stream(self) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(
            "GET", "/api/events", headers={"Host": f"dusty.localhost:{self.port}", "X-Dusty-Token": TOKEN}
        )
        return connection.getresponse()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Served]:
        made = cls()
        yield made
        made.uvicorn.should_exit = True
        made.thread.join(20)


@pytest.fixture
def served() -> Iterator[Served]:
    with Served.running() as made:
        yield made


def test_it_listens_on_loopback_alone(served: Served) -> None:
    assert {each.getsockname()[0] for each in served.sockets} <= {"127.0.0.1", "::1"}
    assert {each.getsockname()[1] for each in served.sockets} == {served.port}
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(2)
        other.connect(("127.0.0.2", served.port))


def test_nobody_else_can_listen_where_browsers_look_first() -> None:
    """A browser asks ::1 before 127.0.0.1: a stranger's server there would read the token from the address."""
    with socket.socket(socket.AF_INET6) as stranger:
        try:
            stranger.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        stranger.listen()
        port = stranger.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            server.listening(port)
        found = server.listening(0)
        assert len(found) == 2 and found[0].getsockname()[1] == found[1].getsockname()[1] != port
        for each in found:
            each.close()


def test_pages_come_with_a_policy_and_hold_no_secret_and_no_inline_code(served: Served) -> None:
    total = 0
    for path in ["/", *server.page_files()]:
        status, headers, body = served.ask("GET", path, X_Dusty_Token="")
        total += len(body)
        assert status == 200 and TOKEN.encode() not in body
        assert (
            "default-src 'none'" in headers["content-security-policy"]
            and "unsafe" not in headers["content-security-policy"]
        )
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        text = body.decode()
        assert "innerHTML" not in text and "style=" not in text and "onclick=" not in text and "eval(" not in text
        assert not [
            word for word in text.split() if "://" in word and "w3.org/2000/svg" not in word and "https?:" not in word
        ]
    assert total < 150_000
    assert served.ask("GET", "/../requirements.txt")[0] == served.ask("GET", "/nothing.js")[0] == 404
    assert "set-cookie" not in served.ask("GET", "/")[1]


def test_only_who_has_the_token_and_the_name_is_answered(served: Served) -> None:
    for path in ("/api/plan", "/api/why?name=web", "/api/events"):
        assert served.ask("GET", path, X_Dusty_Token="")[0] == served.ask("GET", path, X_Dusty_Token="x")[0] == 401
        assert served.ask("GET", path, Host=f"rebound.test:{served.port}")[0] == 421
    run = json.dumps({"action": "restart", "names": ["web"]}).encode()
    assert served.ask("POST", "/api/run", run, X_Dusty_Token="", Cookie=f"token={TOKEN}")[0] == 401
    assert served.ask("POST", "/api/run", run, Origin="http://web.test")[0] == 403
    assert served.ask("GET", "/api/run")[0] in (404, 405) and served.commands.ran == []


def test_a_button_runs_its_command_and_nothing_else(served: Served) -> None:
    run = json.dumps({"action": "restart", "names": ["web"]}).encode()
    status, _headers, body = served.ask("POST", "/api/run", run)
    assert (status, json.loads(body)["command"]) == (202, "dusty restart web") and served.commands.ran == [
        ["restart", "web"]
    ]
    for wrong in (b"", b"{", b"[]", b'{"action": "uninstall", "names": []}', b'{"action": "up", "names": ["--adopt"]}'):
        assert served.ask("POST", "/api/run", wrong)[0] == 400
    assert served.ask("POST", "/api/run", b"x" * 20_000)[0] == 413
    served.commands.is_busy = True
    status, _headers, body = served.ask("POST", "/api/run", run)
    assert (status, body) == (409, b"dusty up is still running\n") and len(served.commands.ran) == 1


def test_the_page_switches_between_the_base_and_worlds(served: Served) -> None:
    fix = b'{"world": "fix"}'
    assert served.ask("POST", "/api/world", fix, X_Dusty_Token="")[0] == 401
    assert served.ask("POST", "/api/world", fix, Origin="http://web.test")[0] == 403
    assert served.ask("GET", "/api/world")[0] in (404, 405) and served.commands.shown == "base"
    assert served.ask("POST", "/api/world", fix)[0] == 204 and served.commands.shown == "fix"
    assert served.ask("POST", "/api/world", b'{"world": "no"}')[::2] == (400, b'there is no world named "no"\n')
    for wrong in (b"", b"{", b"[]", b'"fix"', b'{"world": ["fix"]}', b'{"world": "--yes"}', b'{"world": ""}'):
        assert served.ask("POST", "/api/world", wrong)[0] == 400
    of_base, of_fix = (
        json.dumps({"action": "stop", "names": ["web"], "world": world}).encode() for world in ("base", "fix")
    )
    assert served.ask("POST", "/api/run", of_base)[0] == 409 and served.commands.ran == [], "of a page that is stale"
    assert served.ask("POST", "/api/run", of_fix)[0] == 202 and served.commands.ran == [["stop", "web"]]


def test_what_runs_can_be_cancelled_by_who_may_run_it(served: Served) -> None:
    assert served.ask("POST", "/api/cancel", X_Dusty_Token="")[0] == 401
    assert served.ask("GET", "/api/cancel")[0] in (404, 405) and served.commands.cancelled == 0
    assert served.ask("POST", "/api/cancel")[0] == 204 and served.commands.cancelled == 1


def test_questions_are_commands_too(served: Served) -> None:
    assert json.loads(served.ask("GET", "/api/plan")[2]) == {"words": ["plan", "--json"]}
    assert json.loads(served.ask("GET", "/api/why?name=web")[2]) == {"words": ["why", "--json", "-n", "10", "web"]}
    assert served.ask("GET", "/api/why")[0] == served.ask("GET", "/api/why?name=--json")[0] == 400
    assert served.ask("GET", "/api/why?name=a%00b")[0] == 400
    assert len(served.commands.asked) == 2


def test_the_stream_tells_what_was_and_what_comes_and_forgets_a_page_that_has_gone(served: Served) -> None:
    served.feed.tell("state", {"stack": []})
    answer = served.stream()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    assert json.loads(answer.readline()[6:]) == {"state": [{"stack": []}]}
    answer.readline()
    served.feed.tell_item({"what": "line", "name": "web", "text": "</script><b>hello", "at": ""})
    assert json.loads(answer.readline()[6:])["line"][0]["text"] == "</script><b>hello"
    assert served.feed.is_watched
    answer.close()
    end = time.monotonic() + 10
    while served.feed.is_watched and time.monotonic() < end:
        served.feed.tell("state", {})
        time.sleep(0.05)
    assert not served.feed.is_watched
