"""The docker SDK over the line of a Docker host: what it asks for goes where all else goes, and fails in the same words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.settings.model import Settings
from dusty_tasks.effects.docker_host.engine_line import EngineDown, EngineRefused
from dusty_tasks.effects.docker_host.local import LocalHost
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import acts
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.sdk import client

ROOT = Path(__file__).resolve().parents[3]


class Line(LocalHost):
    """A Docker host whose engine gives the same answer to everything."""

    def __init__(self, status: int = 204, body: bytes = b"") -> None:
        super().__init__(Settings(home="/nowhere"))
        self.answer = b"HTTP/1.0 %d X\r\n\r\n" % status + body
        self.asked: list[tuple[str, Any, float]] = []

    def exchange(self, request: bytes, timeout: float) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        self.asked.append((head.split(b" HTTP")[0].decode(), json.loads(body) if body else None, timeout))
        return self.answer


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (lambda engine: acts.run_start(engine, "1"), ("POST /containers/1/start", None, 60)),
        (lambda engine: acts.run_unpause(engine, "1"), ("POST /containers/1/unpause", None, 60)),
        (lambda engine: acts.run_stop(engine, "1", 3), ("POST /containers/1/stop?t=3", None, 63)),
        (lambda engine: acts.run_stop(engine, "1", None), ("POST /containers/1/stop", None, 120)),
        (lambda engine: acts.run_restart(engine, "1", 3), ("POST /containers/1/restart?t=3", None, 63)),
        (lambda engine: acts.run_restart(engine, "1", None), ("POST /containers/1/restart", None, 120)),
        (lambda engine: acts.run_signal(engine, "1", "HUP"), ("POST /containers/1/kill?signal=HUP", None, 60)),
        (lambda engine: acts.run_remove_volume(engine, "a b"), ("DELETE /volumes/a%20b", None, 60)),
        (lambda engine: acts.run_remove_network(engine, "n"), ("DELETE /networks/n", None, 60)),
    ],
)
def test_each_act_is_one_question_of_no_version_with_its_time(
    act: Callable[[Engine], None], asked: tuple[str, Any, float]
) -> None:
    line = Line()
    act(Engine(line))
    assert line.asked == [asked]


def test_a_container_is_taken_off_its_network_and_put_back_under_its_names() -> None:
    line = Line(200)
    acts.reconnect(Engine(line), "1", "dusty_default", ["web", "web.test"])
    (off, off_body, _), (on, on_body, _) = line.asked
    assert off == "POST /networks/dusty_default/disconnect" and off_body == {"Container": "1", "Force": True}
    assert on == "POST /networks/dusty_default/connect"
    assert on_body["Container"] == "1" and on_body["EndpointConfig"]["Aliases"] == ["web", "web.test"]


def test_what_the_engine_refuses_and_that_it_is_away_is_said_as_everywhere() -> None:
    with pytest.raises(EngineRefused, match="it does not want to") as refused:
        acts.run_start(Engine(Line(500, b'{"message": "it does not want to"}')), "1")
    assert refused.value.status == 500
    acts.run_remove_volume(Engine(Line(404, b'{"message": "no such volume"}')), "v")

    class Away(Line):
        def exchange(self, request: bytes, timeout: float) -> bytes:
            raise EngineDown("it is off")

    with pytest.raises(EngineDown, match="it is off"):
        acts.run_start(Engine(Away()), "1")


def test_surroundings_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, no .netrc; and a configuration that nobody can read is the user's to mend."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine engine login a password b\n")
    line = Line(200, b"{}")
    client(Engine(line)).start("1")
    assert line.asked == [("POST /containers/1/start", None, 60)]
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text('{"auths": {"x": "no mapping"}}')
    with pytest.raises(Failure, match="configuration of the docker client"):
        client(Engine(line))


@pytest.mark.parametrize("module", ["verbs.status", "verbs.completion", "operations.look", "operations.up.bring_up"])
def test_what_changes_nothing_does_not_import_the_sdk(module: str) -> None:
    code = f"import sys, dusty_tasks.{module}, dusty_tasks.effects.engine.acts; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
