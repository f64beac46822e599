"""Dusty's small files on the Docker host: written whole, never through a link, never into a folder; what never ends is not read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.effects.docker_host.files import read_host_json, write_host_json
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.docker_host.local import LocalHost
from dusty_tasks.effects.docker_host.over_ssh import SshHost
from dusty_tasks.effects.docker_host.started_records import STARTED, read_started, write_started
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.observe.docker_host import OWNER, PAGE_STATES, read_unfinished

CONFIG, CANDIDATE = "persist/dustyNginx/dustyNginx.conf", "persist/dustyNginx/candidate.conf"


class OverThere(SshHost):
    """An ssh Docker host whose commands run here."""

    def run(self, argv: Any, *, check: bool = False, as_root: bool = False, **options: Any) -> process.Finished:
        return process.run(argv, check=check, timeout=20, **options)


@pytest.fixture(params=[LocalHost, OverThere], ids=["here", "over ssh"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> DockerHost:
    kind: type[DockerHost] = request.param
    return kind(Settings(home=str(tmp_path / "home"), host=HostSettings(root=str(tmp_path / "host"))))


def test_a_file_arrives_with_its_mode_and_is_replaced(host: DockerHost) -> None:
    for text, mode in ((b"one", 0o644), (b"two", 0o600)):
        host.files.write(CONFIG, text, mode)
        path = Path(host.path(CONFIG))
        assert path.read_bytes() == text and path.stat().st_mode & 0o777 == mode
    assert os.listdir(path.parent) == ["dustyNginx.conf"]
    write_host_json(host, STARTED, {"a": 1})
    assert read_host_json(host, STARTED) == {"a": 1}
    host.files.remove(STARTED)
    host.files.remove(STARTED)
    assert read_host_json(host, STARTED) == {}


@pytest.mark.parametrize("damage", ["", "[]", "{torn", '{"web": 5, "db": {"container_id": "2"}}', "gone"])
def test_records_of_containers_outlive_the_damage_of_their_file(host: DockerHost, damage: str) -> None:
    records = {"web": {"container_id": "1", "mapping": {}}, "db": {"container_id": "1"}}
    write_started(host, records)
    path = Path(host.path(STARTED))
    if damage == "gone":
        path.unlink()
    else:
        path.write_text(damage)
    found = read_started(host)
    assert found["web"] == records["web"] and found["db"]["container_id"] == ("2" if "db" in damage else "1")
    write_started(host, {})
    assert read_started(host) == {}


@pytest.mark.parametrize("below", ["persist", "persist/dustyNginx"])
def test_nothing_is_written_moved_or_removed_through_a_link(host: DockerHost, below: str, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    (treasure / "dustyNginx").mkdir(parents=True)
    for folder in (treasure, treasure / "dustyNginx"):
        (folder / "dustyNginx.conf").write_text("theirs")
    Path(host.path(below)).parent.mkdir(parents=True)
    Path(host.path(below)).symlink_to(treasure)
    before = sorted(treasure.rglob("*"))
    for act in (lambda: host.files.write(CONFIG, b"ours"), lambda: host.files.remove(CONFIG)):
        with pytest.raises(Failure, match="is a link, and nothing is written or deleted through a link") as raised:
            act()
        assert raised.value.hint and raised.value.code == 1
    assert sorted(treasure.rglob("*")) == before and (treasure / "dustyNginx/dustyNginx.conf").read_text() == "theirs"


def put_link_to_file(path: Path) -> None:
    (path.parent / "other").write_text("theirs")
    path.symlink_to(path.parent / "other")


def put_link_to_folder(path: Path) -> None:
    (path.parent / "others").mkdir()
    path.symlink_to(path.parent / "others")


@pytest.mark.parametrize(
    "put",
    [
        put_link_to_file,
        put_link_to_folder,
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to(path),
    ],
    ids=["a link to a file", "a link to a folder", "a pipe", "a link to a device", "a link to itself"],
)
@pytest.mark.parametrize("is_moved", [False, True], ids=["written", "moved"])
def test_what_is_no_file_is_replaced_itself(host: DockerHost, put: Callable[[Path], None], is_moved: bool) -> None:
    path = Path(host.path(CONFIG))
    path.parent.mkdir(parents=True)
    put(path)
    assert read_host_json(host, CONFIG) == {}, "and it is not waited for"
    if is_moved:
        host.files.write(CANDIDATE, b"ours")
        host.files.move(CANDIDATE, CONFIG)
    else:
        host.files.write(CONFIG, b"ours")
    assert not path.is_symlink() and path.read_bytes() == b"ours"
    assert not (path.parent / "other").exists() or (path.parent / "other").read_text() == "theirs"
    assert not (path.parent / "others").exists() or os.listdir(path.parent / "others") == []


def test_a_folder_in_the_way_is_named_and_kept(host: DockerHost) -> None:
    path = Path(host.path(CONFIG))
    path.mkdir(parents=True)
    (path / "theirs").write_text("theirs")
    host.files.write(CANDIDATE, b"ours")
    for act in (
        lambda: host.files.write(CONFIG, b"ours"),
        lambda: host.files.remove(CONFIG),
        lambda: host.files.move(CANDIDATE, CONFIG),
    ):
        with pytest.raises(Failure, match=r"dustyNginx\.conf is a folder") as raised:
            act()
        assert raised.value.hint and raised.value.code == 1
    assert os.listdir(path) == ["theirs"]


def test_a_file_where_a_folder_belongs_is_named(host: DockerHost) -> None:
    Path(host.root).mkdir()
    Path(host.path("persist")).write_text("theirs")
    with pytest.raises(Failure):
        host.files.write(OWNER, b"{}")
    assert Path(host.path("persist")).read_text() == "theirs"


def test_a_planted_name_of_a_file_that_is_still_being_written_leads_nowhere(host: DockerHost, tmp_path: Path) -> None:
    folder = Path(host.path("persist/dustyNginx"))
    folder.mkdir(parents=True)
    (tmp_path / "treasure").write_text("theirs")
    (folder / "dustyNginx.conf.new").symlink_to(tmp_path / "treasure")
    host.files.write(CONFIG, b"ours")
    assert (tmp_path / "treasure").read_text() == "theirs"


def test_what_a_broken_off_restore_left_is_seen(host: DockerHost) -> None:
    assert read_unfinished(host) == ()
    Path(host.path("persist/.restore-old")).mkdir(parents=True)
    Path(host.path("persist/.restore-ready")).mkdir()
    assert read_unfinished(host) == (".restore-ready", ".restore-old")


LINES = {
    "web.html": '<p id="what">it\'s \\n 100 % $HOME `x`</p>',
    "web.json": '{"a": "\\u003cb\\n"}',
    "my.app-1_x.word": "  stopped at <time></time>",
}


def test_a_folder_holds_these_lines_alone_and_the_proxys_user_may_read_them(host: DockerHost) -> None:
    mask = os.umask(0o077)
    try:
        host.files.write_lines(PAGE_STATES, {"old.html": "x"})
        host.files.write_lines(PAGE_STATES, LINES)
    finally:
        os.umask(mask)
    folder = Path(host.path(PAGE_STATES))
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        name: f"{text}\n" for name, text in LINES.items()
    }
    assert [path.name for path in folder.parent.iterdir()] == [".dusty"]
    assert [path.stat().st_mode & 0o777 for path in (folder.parent, folder)] == [0o755, 0o755]
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in folder.iterdir())
    host.files.write_lines(PAGE_STATES, {})
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("below", ["persist/dustyNginx", "persist/dustyNginx/.dusty"])
def test_lines_are_not_written_through_a_link(host: DockerHost, below: str, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    (treasure / ".dusty").mkdir(parents=True)
    (treasure / "theirs").write_text("theirs")
    Path(host.path(below)).parent.mkdir(parents=True)
    Path(host.path(below)).symlink_to(treasure)
    try:
        host.files.write_lines(PAGE_STATES, LINES)
    except Failure as failure:
        assert "is a link" in str(failure)
    assert (
        sorted(path.name for path in treasure.rglob("*")) == [".dusty", "theirs"]
        and (treasure / "theirs").read_text() == "theirs"
    )
