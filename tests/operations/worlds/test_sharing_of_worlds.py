"""A world's network and who of the base is on it: ours alone is used and removed, and what a killed run left is put right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks import session
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.text.namespace import HOME_LABEL
from dusty_tasks.core.worlds.model import World
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import acts, http, reads
from dusty_tasks.effects.home.worlds import home_of, names_of_worlds, write_world
from dusty_tasks.operations.launch.printed import Printed
from dusty_tasks.operations.up.run import Run, UpOptions
from dusty_tasks.operations.worlds.sharing import Shared

NETWORK = "dusty_world_fix"


class Base:
    """What the engine has of the base, and what was done to it."""

    def __init__(self, home: str) -> None:
        self.home, self.done = home, list[tuple[str, str]]()
        self.details: dict[str, Any] = {"Id": "n1", "Labels": {HOME_LABEL: home}, "Containers": {"id-cache": {}}}
        self.containers = {
            "cache": self.container("cache", {NETWORK: "n1"}),
            "other": self.container("other", {}),
        }

    def container(self, name: str, networks: dict[str, str]) -> FoundContainer:
        return FoundContainer(
            name=name, container_name=f"dusty_{name}_1", id=f"id-{name}", state="running", image="b", networks=networks
        )


@pytest.fixture
def base(dusty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Base]:
    dusty_home.mkdir()
    (dusty_home / "config.yml").write_text("specs_repo: /nowhere\n")
    found = Base(str(dusty_home))
    monkeypatch.setattr(http.Engine, "get", lambda _self, _path, timeout=0: found.details)
    monkeypatch.setattr(reads, "read_containers", lambda _engine: dict(found.containers))
    for act in ("connect", "disconnect"):
        monkeypatch.setattr(acts, act, lambda _engine, id, *_rest, act=act: found.done.append((act, id)))
    monkeypatch.setattr(acts, "run_remove_network", lambda _engine, name: found.done.append(("remove", name)))
    yield found
    session.forget()


def test_who_is_used_no_more_is_taken_off_though_the_run_that_noted_it_was_killed(base: Base) -> None:
    shared, uses = Shared(base.home, "fix"), {"other": ["other"]}
    assert not shared.is_in_place(uses, uses)
    shared.put_in_place(uses, uses)
    assert base.done == [("disconnect", "id-cache"), ("connect", "id-other")]


def test_who_is_used_by_another_name_is_connected_anew(base: Base) -> None:
    shared = Shared(base.home, "fix")
    assert shared.is_in_place({"cache": ["cache"]}, {"cache": ["cache"]})
    shared.put_in_place({"cache": ["cache", "redis"]}, {"cache": ["cache"]})
    assert base.done == [("disconnect", "id-cache"), ("connect", "id-cache")]


@pytest.mark.parametrize("labels", [None, {}, {HOME_LABEL: "/home/other/.dusty"}])
def test_a_network_of_somebody_else_is_neither_used_nor_removed(base: Base, labels: dict[str, str] | None) -> None:
    base.details["Labels"] = labels
    shared = Shared(base.home, "fix")
    with pytest.raises(Failure, match="which this DUSTY_HOME did not make"):
        shared.put_in_place({"other": ["other"]}, {})
    shared.remove_network()
    assert base.done == []


def test_our_network_is_removed_with_who_is_on_it(base: Base) -> None:
    Shared(base.home, "fix").remove_network()
    assert base.done[0] == ("disconnect", "id-cache") and base.done[-1] == ("remove", NETWORK)


def test_an_up_of_a_world_that_was_removed_meanwhile_ends_before_it_changes_anything(base: Base) -> None:
    home = home_of(base.home, "fix")
    write_world(home, World("fix", "127.77.0.1"))
    with session.begun(session.Session(base.home)):
        session.current().become(home)
        run = Run(UpOptions(), Printed())
        assert session.world() is not None
        Path(home, "world.json").unlink()
        with pytest.raises(Failure, match="the world fix was removed meanwhile"):
            run.take_lock()
        run.close()
    assert names_of_worlds(base.home) == []
