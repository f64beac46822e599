"""A DUSTY_HOME with repos to sync, for tests of sync: `room.repo("web")`, `room.sync()`, `room.copy("web")`."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import json_outputs
import pytest

from dusty_tasks.core.code.repo_entry import RepoEntry, from_json
from dusty_tasks.core.plan.wanted import Wanted, to_json
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.effects.code.receipts import read_receipts
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.operations.code.stale import stale_repos
from dusty_tasks.operations.code.sync import How, sync_repos
from dusty_tasks.operations.code.sync_outcome import SyncOutcome

ROOT = Path(__file__).resolve().parents[2]


class Room:
    """Repos are folders below `sources`, named in the stack as local paths; the Docker host is $DUSTY_HOME/host."""

    def __init__(self, folder: Path) -> None:
        self.home, self.sources = folder / "home", folder / "src"
        self.sources.mkdir(parents=True)
        self.entries: list[RepoEntry] = []
        self.said: list[str] = []
        self.settings = Settings(home=str(self.home), host=HostSettings(root=str(self.home / "host")))

    @property
    def host(self) -> DockerHost:
        return docker_host(self.settings)

    def repo(self, name: str, files: dict[str, str] | None = None, **keys) -> Path:
        """A repo with files, in the stack."""
        path = self.sources / name
        path.mkdir()
        for below, text in (files if files is not None else {"a.py": "a\n", "b.py": "b\n"}).items():
            write(path / below, text)
        self.entries.append(
            from_json(
                {"id": str(path)[1:], "written": str(path), "url": "", "local_path": str(path), "used_by": [], **keys}
            )
        )
        return path

    def copy(self, name: str) -> Path:
        return self.home / "host/persist/repos" / str(self.sources / name)[1:]

    def receipt(self, name: str) -> dict:
        return json.loads(
            (self.home / "host/persist/repos/.receipts" / f"{str(self.sources / name)[1:]}.json").read_text()
        )

    def sync(self, **options) -> list[SyncOutcome]:
        self.said = []
        return sync_repos(self.entries, self.host, self.settings, How(self.said.append, **options))

    def stale(self) -> dict[str, str]:
        """Short name -> reason."""
        receipts = read_receipts(self.host, [entry.id for entry in self.entries])
        return {
            entry.id.rsplit("/", 1)[-1]: stale.reason
            for entry, stale in stale_repos(self.entries, receipts, self.settings, self.host)
        }

    def compiled(self) -> None:
        """As `compile` leaves the repos of the stack for the verbs."""
        write(self.home / "state/wanted.json", json.dumps(to_json(Wanted(containers=(), repos=tuple(self.entries)))))

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "dusty_tasks", *words]

    def env(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DUSTY_", "DOCKER_"))}
        return {**kept, "DUSTY_HOME": str(self.home), "PYTHONPATH": str(ROOT), **more}

    def dusty(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        self.compiled()
        ended = subprocess.run(
            self.argv(*words),
            env=self.env(),
            cwd=cwd or self.sources,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        json_outputs.checked(words, ended.stdout)
        return ended

    def doit(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Plain `doit` in the checkout."""
        self.compiled()
        argv = [sys.executable, "-m", "doit", "-f", str(ROOT / "dodo.py"), *words]
        return subprocess.run(
            argv, env=self.env(), cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )


PLAYED_SSH = """#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in
    --) shift; break ;;
    -o | -l | -p | -F) shift 2 ;;
    -*) shift ;;
    *) break ;;
    esac
done
shift
PATH={path}
exec sh -c "$*"
"""
"""An ssh that stays on this machine: what the other end does is done by the real programs all the same."""


def play_ssh(room: Room, folder: Path, monkeypatch: pytest.MonkeyPatch, tools: str = "") -> None:
    """Let the room's Docker host be one behind ssh; with `tools` (`busybox`) its small programs are those of another maker."""
    path = os.environ["PATH"]
    if tools:
        (folder / "tools").mkdir(parents=True)
        for name in (
            "sh",
            "find",
            "xargs",
            "stat",
            "readlink",
            "du",
            "ls",
            "cat",
            "mv",
            "rm",
            "cmp",
            "mkdir",
            "rmdir",
            "head",
            "awk",
            "id",
        ):
            (folder / "tools" / name).symlink_to(shutil.which(tools) or tools)
        path = f"{folder}/tools{os.pathsep}{path}"
    write(folder / "bin/ssh", PLAYED_SSH.format(path=path))
    (folder / "bin/ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}/bin{os.pathsep}{os.environ['PATH']}")
    room.settings = dataclasses.replace(
        room.settings, host=HostSettings(kind="ssh", ssh="there", address="192.0.2.1", root=str(room.home / "host"))
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def tree(folder: Path) -> dict[str, str]:
    """Path -> content of all files below a folder, links as `-> target`."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in [*names, *(name for name in folders if (Path(parent) / name).is_symlink())]:
            path = Path(parent) / name
            found[str(path.relative_to(folder))] = (
                f"-> {os.readlink(path)}"
                if path.is_symlink()
                else path.read_text(errors="surrogateescape")
                if path.is_file()
                else "special"
            )
    return found
