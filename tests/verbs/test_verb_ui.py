"""`dusty ui`: its packages, its address, and what it refuses (the page: tests/operations/ui, with an engine tests/e2e/test_ui.py)."""

from __future__ import annotations

import http.client
import socket
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from chosen import Chosen

from dusty_tasks import bootstrap
from dusty_tasks.effects.machine import browser
from dusty_tasks.verbs import ui


def test_without_its_packages_it_asks_or_says_what_to_do(
    dusty: Chosen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed: list[list[str]] = []
    monkeypatch.setattr(ui, "is_there", lambda: False)
    monkeypatch.setattr(bootstrap, "main", lambda names: installed.append(names) or 1)
    ended = dusty("ui")
    assert ended.code == 1 and "run dusty ui once in a terminal" in ended.err and not installed
    ended = dusty("ui", "--yes")
    assert ended.code == 2 and "could not be installed" in ended.err and installed == [["requirements-ui.txt"]]
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    assert 'pipx install "dusty[ui]"' in dusty("ui", "--yes").err


def test_each_start_has_a_new_address_with_a_long_token(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvicorn")
    from dusty_tasks.operations.ui import server, watching

    served: list[Any] = []
    monkeypatch.setattr(
        server, "serve", lambda app, on: served.append((app, on[0].getsockname(), *(each.close() for each in on)))
    )
    monkeypatch.setattr(watching.Watching, "start", lambda _self: None)
    opened: list[str] = []
    monkeypatch.setattr(browser, "_opener", lambda: "/opener")
    monkeypatch.setattr(browser, "open_in_browser", lambda path: opened.append(Path(path).read_text()))
    urls = [dusty("ui").out.splitlines()[0], dusty("ui", "--no-open").out.splitlines()[0]]
    tokens = {url.partition("#")[2] for url in urls}
    assert len(tokens) == 2 and all(len(token) >= 40 for token in tokens)
    assert len(opened) == 1 and urls[0] in opened[0]
    for url, (app, (address, port), *_closed) in zip(urls, served, strict=True):
        assert url.startswith(f"http://dusty.localhost:{port}/#") and address == "127.0.0.1" and app.token in url


def test_a_port_that_is_taken_is_named(dusty: Chosen) -> None:
    pytest.importorskip("uvicorn")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = dusty("ui", "--no-open", "--port", str(taken.getsockname()[1]))
    assert ended.code == 1 and "cannot be used" in ended.err and "leave out --port" in ended.err
    assert dusty("ui", "--no-open", "--port", "70000").code == 1
    assert dusty("ui", "web").code == 1


def test_dev_serves_it_as_long_as_it_runs(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvicorn")
    from dusty_tasks.operations.live import loop
    from dusty_tasks.operations.ui import watching

    monkeypatch.setattr(watching.Watching, "start", lambda _self: None)
    urls: list[str] = []
    monkeypatch.setattr(ui, "opened_privately", lambda url, _folder: nullcontext(urls.append(url)))
    answers: list[int] = []

    def run_dev(_names: list[str], _options: object) -> int:
        host = urls[0].split("/")[2]
        connection = http.client.HTTPConnection("127.0.0.1", int(host.split(":")[1]), timeout=20)
        connection.request("GET", "/", headers={"Host": host})
        answers.append(connection.getresponse().status)
        return 0

    monkeypatch.setattr(loop, "run_dev", run_dev)
    assert dusty("dev", "--ui").code == 0 and answers == [200]
