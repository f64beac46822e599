"""Worlds with a real engine: a worktree gets the parts that differ, and all others stay those of the base."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from machine import CLEAN_PATH
from shell_blocks import commands_in
from stacks import SmallStack

ROOT = Path(__file__).resolve().parents[2]


class Board(SmallStack):
    """web uses a database and a cache, gateway calls web, other calls neither; `fix` is another worktree of web's repo."""

    def __init__(self, folder: Path, rig: Any) -> None:
        super().__init__(folder, rig.home)
        self.rig, self.fix = rig, folder / "fix"
        self.service("db", more="volumes: ['/persist/shop/db:/data', 'store:/store']\nports: ['5432:5432']\n")
        self.app("web", services="[cache, db]")
        self.app("gateway", apps="[web]", services="[cache]")
        self.app("other", services="[cache]")
        self.bundle("shop", apps="[web, gateway, other]")
        git = "git -c user.name=a -c user.email=a@b.test"
        rig.run(
            [
                "sh",
                "-ec",
                f"cd {folder}/code/web; git init -q; git add .; {git} commit -qm one; git worktree add -q -b fix/ui {self.fix}",
            ]
        )

    def there(self, *words: str, **named: Any) -> Any:
        """`dusty words…`, typed in the worktree."""
        return self.rig.dusty(*words, cwd=str(self.fix), **named)

    def found(self) -> dict[str, Any]:
        """What is on the machine beside the base's containers."""
        lines = "docker network ls --format '{{.Name}}'; docker volume ls -q; grep -v '^#' /etc/hosts"
        return {"lines": self.rig.run(["sh", "-c", lines]).stdout, "names": sorted(self.rig.container_ids(""))}


def network_of(rig: Any, container: str) -> str:
    """What a container sees of its network: its default route, and what its own name leads to."""
    return str(rig.run(["docker", "exec", container, "sh", "-c", "ip route | grep default; hostname -i"]).stdout)


def test_a_worktree_has_its_own_parts_beside_those_of_the_base(rig: Any, tmp_path: Path) -> None:
    board = Board(tmp_path, rig)
    rig.dusty("up", "--yes")
    rig.run(["docker", "exec", "dusty_db_1", "sh", "-c", "echo precious > /data/a; echo store > /store/b"])
    before, ids, cache = board.found(), rig.container_ids(), network_of(rig, "dusty_cache_1")

    # A worktree that holds the same is no difference; its first edit is.
    assert "made the world fix-ui" in board.there("world", "new").stdout
    assert not any(part["own"] for part in json.loads(board.there("plan", "--json").stdout)["parts"])
    (board.fix / "index.html").write_text("fixed\n")
    planned = board.there("plan").stdout
    assert f"own web: repo web comes from {board.fix} (base: {tmp_path}/code/web)" in planned
    assert "own db: it keeps data, and web is own, apps/web.yml:" in planned
    assert "own gateway: it depends on web, apps/gateway.yml:" in planned
    assert "shared cache: as in the base" in planned and "shared other: as in the base" in planned

    up = board.there("up", "--yes")
    assert "copied the data of db from the base in" in up.stdout and "world fix-ui (it takes" in up.stderr
    assert rig.container_ids().items() >= ids.items(), "the base's containers run as they did"
    assert network_of(rig, "dusty_cache_1") == cache, "a shared container keeps its route and its address"
    assert rig.get("http://web.test:8080/") == (200, "hello from web\n")
    assert rig.get("http://fix-ui.web.test:8080/") == (200, "fixed\n")
    inside = ["shell", "gateway", "wget", "-qO-", "http://web/", "http://web.test:8080/", "http://other.test:8080/"]
    assert board.there(*inside).stdout == "fixed\nfixed\nhello from other\n"
    kept = rig.run(["docker", "exec", "dusty-fix-ui_db_1", "cat", "/data/a", "/store/b"])
    assert kept.stdout == "precious\nstore\n"
    assert "0 changes" in board.there("up").stdout and "0 changes" in rig.dusty("up").stdout

    # Snapshots are those of the world: what they replace is its data, and the base lists none.
    assert "world fix-ui (it takes" in board.there("data", "save", "s").stderr
    write = "echo changed > /data/a; echo changed > /store/b"
    rig.run(["docker", "exec", "dusty-fix-ui_db_1", "sh", "-c", write])
    assert "restored db from s" in board.there("data", "restore", "s", "--yes").stdout
    for container in ("dusty-fix-ui_db_1", "dusty_db_1"):
        assert rig.run(["docker", "exec", container, "cat", "/data/a", "/store/b"]).stdout == "precious\nstore\n"
    assert [each["name"] for each in json.loads(board.there("data", "--json").stdout)] == ["s"]
    assert json.loads(rig.dusty("data", "--json").stdout) == []

    # What is shared is read where it is, and changed only in the base.
    assert "cache is shared: this is the container of the base" in board.there("logs", "cache").stderr
    refused = board.there("stop", "cache", check=False)
    assert refused.returncode == 1 and "cache is not fix-ui's own" in refused.stderr
    facts = json.loads(board.there("status", "--json").stdout)
    assert facts["world"]["name"] == "fix-ui" and facts["world"]["address"].startswith("127.77.0.")
    assert {row["name"] for row in facts["stack"]} == {"cache", "db", "gateway", "other", "web", "dustyInternalNginx"}
    assert json.loads(board.there("lookup", "--json").stdout)["world"] == "fix-ui"
    assert json.loads(rig.dusty("lookup", "--json").stdout)["world"] == "base"
    (row,) = json.loads(rig.dusty("world", "--json").stdout)["worlds"]
    assert (row["state"], row["own"], row["shared"]) == ("running", ["db", "gateway", "web"], ["cache", "other"])

    # The base leaves what a world uses; what it makes anew is put back on the world's network.
    assert "cache stays: fix-ui uses it" in rig.dusty("stop").stdout
    rig.dusty("stop", "--worlds", "--rm", "cache")
    assert "reconnected to fix-ui" in rig.dusty("up").stdout
    assert board.there("shell", "web", "ping", "-c1", "-W5", "cache").returncode == 0

    assert rig.dusty("world", "remove", "fix-ui", check=False).returncode == 1, "it asks first"
    rig.dusty("world", "remove", "fix-ui", "--yes")
    assert board.found() == before
    assert rig.run(["ls", f"{rig.home}/worlds", f"{rig.home}/host/persist/worlds"]).stdout.split("\n")[1:2] == [""]
    assert board.fix.is_dir(), "a worktree that Dusty did not make is not its to remove"


def test_a_branch_gets_a_worktree_and_a_lost_one_is_pruned(rig: Any, tmp_path: Path) -> None:
    board = Board(tmp_path, rig)
    rig.dusty("up", "--yes")
    before = board.found()
    rig.dusty("world", "new", "two", "--branch", "web=feature/two", "--data", "empty")
    tree = rig.home / "worlds/two/repos"
    (page,) = tree.rglob("index.html")
    page.write_text("two\n")
    board.there("world", "new", "one")
    (board.fix / "index.html").write_text("one\n")
    for name in ("one", "two"):
        rig.dusty("up", "--world", name, "--yes")
        assert rig.get(f"http://{name}.web.test:8080/") == (200, f"{name}\n")
    assert rig.run(["docker", "exec", "dusty-two_db_1", "ls", "/data"]).stdout == ""
    refused = rig.dusty("world", "remove", "two", "--yes", check=False)
    assert refused.returncode == 1 and "files that are not committed" in refused.stderr
    page.write_text("hello from web\n")
    unasked = rig.dusty("world", "remove", "two", "--json", check=False)
    assert (unasked.returncode, json.loads(unasked.stdout)["left"]) == (1, ["two"])
    removed = json.loads(rig.dusty("world", "remove", "two", "--json", "--yes").stdout)
    assert removed == {"ok": True, "removed": ["two"], "left": [], "problems": [], "warnings": []}

    rig.run(["rm", "-r", str(board.fix)])
    listed = rig.dusty("world")
    assert "worktree gone" in listed.stdout and "dusty world prune" in listed.stderr
    rig.dusty("world", "prune", "--yes")
    assert board.found() == before

    rig.dusty("world", "new", "one", "--branch", "web=feature/three")
    listed = rig.dusty("uninstall", check=False)
    assert re.search(r"world +one +its containers, data and copies", listed.stdout)
    rig.dusty("uninstall", "--yes")
    assert not list((rig.home / "worlds").iterdir()) and not rig.container_ids("")
    nobody = rig.dusty("up", "--world", "one", check=False)
    assert nobody.returncode == 1 and 'there is no world named "one"' in nobody.stderr


@pytest.mark.long
def test_two_worlds_that_need_the_same_part_of_the_base_start_at_once(rig: Any, tmp_path: Path) -> None:
    board = Board(tmp_path, rig)
    rig.dusty("up", "--yes")
    before = board.found()
    names = ("one", "two")
    for name in names:
        rig.dusty("world", "new", name, "--branch", f"web={name}", "--data", "empty")
        (page,) = (rig.home / f"worlds/{name}/repos").rglob("index.html")
        page.write_text(f"{name}\n")
    rig.dusty("stop", "--rm", "cache")
    with ThreadPoolExecutor() as pool:
        ups = list(pool.map(lambda name: rig.dusty("up", "--world", name, "--yes", check=False), names))
    assert [up.returncode for up in ups] == [0, 0], "".join(up.stdout + up.stderr for up in ups)
    for name in names:
        assert rig.get(f"http://{name}.web.test:8080/") == (200, f"{name}\n")
        (page,) = (rig.home / f"worlds/{name}/repos").rglob("index.html")
        page.write_text("hello from web\n")
    rig.dusty("world", "remove", *names, "--yes")
    assert board.found() == before


@pytest.mark.long
def test_the_tour_of_the_docs(rig: Any, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "here").mkdir(parents=True)
    env = {"HOME": str(home), "DUSTY_HOME": str(home / ".dusty"), "PATH": f"{ROOT}:{CLEAN_PATH}"}

    def typed(line: str) -> str:
        line = line.replace("dusty up", "dusty up --yes")
        done = rig.run(["sh", "-ec", line], cwd=home / "here", env=env, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return str(done.stdout)

    typed("dusty up")
    page = ROOT / "docs/worlds.md"
    lines = [line for block in commands_in(page, end="## What is a world's own") for line in block]
    assert len(lines) > 7
    for line in lines:
        printed = typed(line)
        if line.endswith("dusty plan"):
            assert f"own board: repo board comes from {home}/board-fix" in printed
            assert "shared quotes: as in the base" in printed
        if line.endswith("board-fix && dusty up"):
            assert "<h1>Notice board</h1>" in rig.get("http://board.example.test/")[1]
            assert "<h1>Notice board of the fix</h1>" in rig.get("http://fix.board.example.test/")[1]
    assert "there is no world beside the base" in typed("dusty world")
