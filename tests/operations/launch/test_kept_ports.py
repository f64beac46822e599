"""Ports that the engine keeps for nobody: which of them are set aside, and how often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks import session
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.stack.model import Route, Stack
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.engine.port_holders import Holder
from dusty_tasks.operations.launch import kept_ports
from dusty_tasks.operations.launch.kept_ports import refused_for_nobody, set_ports_aside

BRIDGE = "172.17.0.1"
REFUSED = "Error response from daemon: driver failed programming external connectivity on endpoint dusty_web_1 (f00): "
ALLOCATED = f"{REFUSED}Bind for {BRIDGE}:65000 failed: port is already allocated"


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """state/ports.json of a stack whose app web has port 65000."""
    monkeypatch.setenv("DUSTY_HOME", str(tmp_path))
    session.forget()
    monkeypatch.setattr(
        session, "settings", lambda: Settings(home=str(tmp_path), routing="published", bridge_ip=BRIDGE)
    )
    monkeypatch.setattr(
        session, "compiled_stack", lambda: Stack(routes=(Route("web", 0, "web.test", 8080, 80, "http", 65000),))
    )
    (tmp_path / "state").mkdir()
    (tmp_path / "state/ports.json").write_text('[["web", "web.test", 8080, 80, 65000]]')
    yield tmp_path / "state/ports.json"
    monkeypatch.undo()
    session.forget()


def test_a_routes_own_port_is_set_aside(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = [("web", (BRIDGE, 65000))]
    assert set_ports_aside(kept)
    assert json.loads(memory.read_text()) == [["", "", 0, 65000, 65000]]
    assert capsys.readouterr().out == "port 65000 is held by the engine though no container has it: web gets another\n"


@pytest.mark.parametrize(
    "kept",
    [
        [],
        [("dustyNginx", ("", 8080))],
        [("web", ("127.0.0.1", 65000))],
        [("web", (BRIDGE, 65000)), ("db", (BRIDGE, 5432))],
    ],
    ids=["nothing", "a host_port", "another address", "one that a spec publishes, too"],
)
def test_a_port_that_a_spec_names_is_never_set_aside(memory: Path, kept: list[tuple[str, tuple[str, int]]]) -> None:
    before = memory.read_text()
    assert not set_ports_aside(kept)
    assert memory.read_text() == before


@pytest.mark.parametrize(
    ("printed", "holder", "published", "is_kept"),
    [
        (ALLOCATED, None, (), True),
        (
            f"{REFUSED}failed to bind port {BRIDGE}:65000/tcp: Error starting userland proxy: listen tcp4 {BRIDGE}:65000: bind: address already in use",
            None,
            (),
            True,
        ),
        (
            f"failed to bind host port for {BRIDGE}:65000:172.18.0.2:80/tcp: address already in use",
            Holder("docker-proxy (pid 7)", is_engine=True),
            (),
            True,
        ),
        (ALLOCATED, Holder("the container theirs"), (), False),
        (ALLOCATED, Holder("httpd (pid 7)"), (), False),
        (ALLOCATED, None, ((BRIDGE, 65000),), False),
        (ALLOCATED.replace("65000", "8080"), None, (), False),
        (ALLOCATED.replace(BRIDGE, "127.0.0.1"), None, (), False),
        (f"no such image; {BRIDGE}:65000", None, (), False),
    ],
    ids=[
        "allocated",
        "in use",
        "in use, by a forwarder",
        "a stranger's container",
        "a process",
        "one of ours",
        "a host_port",
        "another address",
        "another failure",
    ],
)
def test_a_refused_port_is_kept_for_nobody_where_nobody_has_it(
    memory: Path,
    monkeypatch: pytest.MonkeyPatch,
    printed: str,
    holder: Holder | None,
    published: tuple[tuple[str, int], ...],
    is_kept: bool,
) -> None:
    monkeypatch.setattr(kept_ports, "read_holder", lambda *_: holder)
    monkeypatch.setattr(
        kept_ports.reads,
        "read_containers",
        lambda _: {"other": FoundContainer("other", "dusty_other_1", "1", "running", published=published)},
    )
    engine: Any = None
    failures: dict[str, Failure] = {
        "web": ToolFailed(["docker", "compose", "up"], 1, printed),
        "db": Failure("it has no image"),
    }
    assert refused_for_nobody(engine, failures) == ([("web", (BRIDGE, 65000))] if is_kept else [])
