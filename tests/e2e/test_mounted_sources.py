"""What a container mounts and what it is built from, replaced under it: each is noticed, and the next `up` mends it."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tests.e2e.stacks import SmallStack, changes

LATER = "was replaced after it started, and it still sees the old content"


@pytest.fixture
def stack(rig, tmp_path: Path) -> SmallStack:
    return SmallStack(tmp_path / "room", rig.home)


def seen(rig, path: str) -> str:
    return rig.run(["docker", "exec", "dusty_cache_1", "cat", path]).stdout


def save_by_rename(path: Path, text: str, *, is_disguised: bool = False) -> None:
    """As editors save: a new file takes the name; `is_disguised`, with the former one's time (its size is the caller's to keep)."""
    state, fresh = path.stat(), path.with_name(f"{path.name}.new")
    fresh.write_text(text)
    if is_disguised:
        os.utime(fresh, ns=(state.st_atime_ns, state.st_mtime_ns))
    os.replace(fresh, path)


def test_what_was_replaced_under_a_container_is_noticed_and_mounted_anew(rig, stack):
    conf, data, made = (
        stack.code("outside", "app.conf", "one\n"),
        stack.code("outside", "data/a.txt", "one\n").parent,
        stack.folder / "code/outside/made",
    )
    page = stack.code("web", "page.txt", "one\n")
    copied = f"/persist/repos/{str(page.parent).strip('/')}/page.txt"
    stack.service(
        "cache",
        more=f"volumes: ['{conf}:/app.conf:ro', '{data}:/data', '{made}:/made', '{copied}:/page.txt']\nstop_grace_period: 1s\n",
    )
    rig.dusty("trust", "specs", "allow")

    def up() -> list[str]:
        return [line for line in changes(rig.dusty("up", "--no-pull").stdout) if "cache" in line]

    up()
    assert seen(rig, "/page.txt") == "one\n"
    assert rig.dusty("up", "--no-pull").stdout.startswith("up to date: 0 changes, 1 Docker read,"), (
        "what the engine made for a mount, and a sync, were there first"
    )

    conf.write_text("two\n")
    data.joinpath("a.txt").write_text("two\n")
    assert (seen(rig, "/app.conf"), seen(rig, "/data/a.txt")) == ("two\n", "two\n")
    assert rig.dusty("up", "--no-pull").stdout.startswith("up to date"), "an edit in place is seen by itself"

    save_by_rename(conf, "three\n")
    assert seen(rig, "/app.conf") == "two\n", "the container keeps the file that it was started with"
    assert f"restart cache: {conf} {LATER}" in rig.dusty("plan").stdout
    assert up() == [f"restarted cache ({conf} {LATER})"]
    assert seen(rig, "/app.conf") == "three\n"

    page.write_text("two, which a sync puts in place by a rename\n")
    page.with_name("other").write_text("")
    assert up() == [f"restarted cache ({rig.home}/host{copied} {LATER})"]
    assert seen(rig, "/page.txt").startswith("two, ")
    page.with_name("other").write_text("of no concern\n")
    assert up() == [] and rig.dusty("up", "--no-pull").stdout.startswith("up to date")

    away = data.with_name("away")
    data.rename(away)
    shutil.copytree(away, data)
    shutil.rmtree(away)
    data.joinpath("a.txt").write_text("four\n")
    assert f"restart cache: {data} {LATER}" in rig.dusty("plan").stdout
    rig.dusty("restart", "cache")
    assert seen(rig, "/data/a.txt") == "four\n"
    assert "restart cache" not in rig.dusty("plan").stdout, "a restart by hand counts"

    save_by_rename(conf, "five\n")
    time.sleep(3)  # The times of a start, of its note and of files are compared by the second.
    rig.run(["docker", "restart", "dusty_cache_1"])
    assert seen(rig, "/app.conf") == "five\n" and up() == [], "so does one past Dusty"

    # A former version of Dusty noted no inodes.
    records = rig.home / "host/persist/.dusty/started.json"
    records.write_text(
        json.dumps(
            {
                name: {key: value for key, value in record.items() if key != "inodes"}
                for name, record in json.loads(records.read_text()).items()
            }
        )
    )
    assert rig.dusty("up", "--no-pull").stdout.startswith("up to date")

    # What is gone for good is no reason to mount an empty folder.
    conf.unlink()
    assert "app.conf was replaced" not in rig.dusty("plan").stdout


@pytest.mark.long
def test_an_image_is_built_again_for_a_file_of_equal_size_and_time_and_for_an_additional_context_never_for_what_is_ignored(
    rig, stack
):
    context = stack.code("built", "Dockerfile", "FROM busybox:1\nCOPY . /ctx\n").parent
    stack.code("built", "data", "one")
    stack.code("built", "Data.log", "one")
    stack.code("built", "logs/a.log", "one")
    stack.code("built", "Dockerfile.dockerignore", "# comment\n**/*.log\n!Data.log\n/logs/\n")
    stack.code("built", ".dockerignore", "data\n")
    stack.spec("services/built.yml", f"build: {context}\ncommand: sleep 100000\nstop_grace_period: 1s\n")
    stack.bundle("shop", services="[built]")
    rig.dusty("trust", "specs", "allow")
    rig.dusty("up")

    def built(word: str) -> list[str]:
        assert word in ("again", "not")
        return ["built image built", "recreated built"] if word == "again" else []

    for path, text, word in (
        ("logs/a.log", "two", "not"),
        ("logs/b.log", "two", "not"),
        ("Data.log", "two", "again"),
        ("data", "two", "again"),
    ):
        file = context / path
        save_by_rename(file, text, is_disguised=True) if file.exists() else file.write_text(text)
        assert [line.partition(" (")[0] for line in changes(rig.dusty("up").stdout)] == built(word), path
    listed = rig.run(["docker", "exec", "dusty_built_1", "find", "/ctx", "-type", "f"]).stdout.split()
    assert sorted(listed) == [
        "/ctx/.dockerignore",
        "/ctx/Data.log",
        "/ctx/Dockerfile",
        "/ctx/Dockerfile.dockerignore",
        "/ctx/data",
    ]
    (context / "Dockerfile.dockerignore").unlink()
    os.mkfifo(context / "Dockerfile.dockerignore")
    for verb in ("plan", "up"):
        done = rig.dusty(verb, check=False)
        assert "Dockerfile.dockerignore cannot be read: it is not a regular file" in done.stdout + done.stderr
        assert done.returncode == (1 if verb == "up" else 0)
