"""Links below persist/ that containers can have put there: a mount through one is refused, locally and over ssh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.effects.docker_host.files_there import FilesThere
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.launch.mount_links import refuse_links


@pytest.fixture(params=[True, False], ids=["local", "as over ssh"])
def host(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DockerHost:
    """A Docker host whose persist/ is here; as over ssh, what is real is asked of a shell."""
    host = docker_host(Settings(home=str(tmp_path), host=HostSettings(root=str(tmp_path / "host"))))
    if not request.param:
        monkeypatch.setattr(host, "files", FilesThere(host, ""))
        monkeypatch.setattr(host, "is_far", True)
        monkeypatch.setattr(
            host, "run_script", lambda script, *words, **_named: process.run(["sh", "-c", script, "sh", *words])
        )
    (tmp_path / "host/persist/db/data").mkdir(parents=True)
    (tmp_path / "elsewhere/deep").mkdir(parents=True)
    return host


def check(host: DockerHost, *volumes: Any) -> None:
    refuse_links([{"volumes": list(volumes)}, {}], host)


def test_folders_and_what_is_still_to_be_made_are_fine(host: DockerHost) -> None:
    top = host.path("persist")
    check(
        host,
        f"{top}/db:/a",
        f"{top}/db/data:/b",
        f"{top}/db/new/one:/c",
        {"type": "bind", "source": f"{top}/none/x", "target": "/d"},
        "named:/e",
        "/tmp/x/y:/f",
        "/g",
    )


def test_a_link_in_persist_itself_is_its_owners(host: DockerHost, tmp_path: Path) -> None:
    (tmp_path / "host/persist/big").symlink_to(tmp_path / "elsewhere")
    check(host, f"{host.path('persist')}/big/deep:/x")


@pytest.mark.parametrize("volume", ["{}/db/out:/x", "{}/db/out/deep:/x:ro", "{}/db/./data/../out:/x"])
def test_a_link_that_leads_out_is_refused(host: DockerHost, tmp_path: Path, volume: str) -> None:
    (tmp_path / "host/persist/db/out").symlink_to(tmp_path / "elsewhere")
    for written in (
        volume.format(host.path("persist")),
        {"type": "bind", "source": volume.format(host.path("persist")).split(":")[0], "target": "/x"},
    ):
        with pytest.raises(Failure) as raised:
            check(host, written)
        assert raised.value.code == 1 and f"a link there points to {tmp_path}/elsewhere" in str(raised.value)
