"""A DUSTY_HOME with repos of a compiled stack, for `dusty sync` in the rig."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from dusty_tasks.core.code.repo_entry import RepoEntry, from_json
from dusty_tasks.core.plan.wanted import Wanted, to_json


class SyncStack:
    """Repos below `sources`; `config` is what config.yml says beside `bundles`."""

    def __init__(self, rig, folder: Path, config: dict | None = None, user: str = "") -> None:
        self.rig, self.sources, self.user = rig, folder / "src", user
        self.sources.mkdir()
        self.home = rig.home
        self.entries: list[RepoEntry] = []
        (self.home / "state").mkdir(parents=True, exist_ok=True)
        (self.home / "config.yml").write_text(json.dumps(config or {}))

    def repo(self, name: str, files: dict[str, str] | None = None, **keys) -> Path:
        path = self.sources / name
        path.mkdir()
        for below, text in (files or {"a.py": "a\n", "b.py": "b\n"}).items():
            (path / below).parent.mkdir(parents=True, exist_ok=True)
            (path / below).write_text(text)
        self.entries.append(
            from_json(
                {"id": str(path)[1:], "written": str(path), "url": "", "local_path": str(path), "used_by": [], **keys}
            )
        )
        (self.home / "state/wanted.json").write_text(
            json.dumps(to_json(Wanted(containers=(), repos=tuple(self.entries))))
        )
        return path

    def sync(self, *words: str, check: bool = True, **named) -> subprocess.CompletedProcess[str]:
        self.give_away()
        return self.rig.dusty("sync", *words, check=check, user=self.user, **named)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`dusty sync` without waiting for its end."""
        root = Path(__file__).resolve().parents[2]
        argv = self.rig.machine.argv([str(root / "dusty"), "sync", *words], user=self.user)
        env = {
            "DUSTY_HOME": str(self.home),
            "HOME": "/root",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        }
        return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def give_away(self) -> None:
        """To the user who syncs, as if it were his."""
        if self.user:
            for path in (self.home, self.sources):
                subprocess.run(["chmod", "a+rx", *path.parents], check=False, capture_output=True)
            self.rig.run(
                [
                    "chown",
                    "-R",
                    "-h",
                    self.user,
                    str(self.home / "state"),
                    str(self.home / "config.yml"),
                    str(self.sources),
                ]
            )
            self.rig.run(["chown", self.user, str(self.home)])
            self.rig.run(["git", "config", "--system", "--replace-all", "safe.directory", "*"])

    def copy(self, name: str, root: str = "") -> str:
        return f"{root or self.home / 'host'}/persist/repos/{str(self.sources / name)[1:]}".replace("//", "/")


def listing(machine, folder: str) -> dict[str, str]:
    """Path below `folder` -> `owner mode` of all files, as the machine sees them."""
    shown = machine.run(["find", folder, "-mindepth", "1", "-not", "-type", "d", "-printf", "%P\\t%u %m\\n"]).stdout
    return dict(line.split("\t") for line in shown.splitlines())
