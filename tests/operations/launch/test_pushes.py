"""What is pushed to the Docker host, and what a killed push leaves behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.core.plan.change import Plan
from dusty_tasks.core.plan.found import Found, Sources
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.effects.home.assets import write_asset
from dusty_tasks.operations.launch import pushes
from dusty_tasks.operations.look import View

SECRET = "a secret\n"


@pytest.fixture
def host(dusty_home: Path, tmp_path: Path) -> DockerHost:
    (tmp_path / "key").write_text(SECRET)
    write_asset(str(dusty_home), "KEY", str(tmp_path / "key"))
    (dusty_home / "config.yml").write_text(f"host: {{root: {tmp_path}/host}}\n")
    session.forget()
    return docker_host(Settings(home=str(dusty_home), host=HostSettings(root=str(tmp_path / "host"))))


def view() -> View:
    web = WantedContainer("web", "app", "dusty_web_1", {}, asset_keys=("KEY", "NOT_SET"))
    return View(Wanted(containers=(web,)), Sources(assets={"KEY": "digest"}), Found(), Plan())


def test_assets_arrive_as_files_for_their_owner_alone(host: DockerHost) -> None:
    pushes.push_assets(host, view())
    arrived = Path(host.root, "persist/dusty_assets/web/KEY")
    assert not arrived.is_symlink() and arrived.read_text() == SECRET and arrived.stat().st_mode & 0o777 == 0o600
    assert list(Path(host.home, "state").glob("assets-*")) == []


def test_a_killed_push_leaves_links_and_no_secrets_and_the_next_one_takes_them_away(
    host: DockerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "rmtree", lambda *_args, **_named: None)  # as after kill -9
    pushes.push_assets(host, view())
    monkeypatch.undo()
    monkeypatch.setenv("DUSTY_HOME", host.home)
    (left,) = Path(host.home, "state").glob("assets-*")
    assert [path.is_symlink() for path in left.rglob("*") if not path.is_dir()] == [True]
    (left / "web/OF_AN_OLDER_VERSION").write_text(SECRET)
    pushes.push_assets(host, view())
    assert list(Path(host.home, "state").glob("assets-*")) == []
