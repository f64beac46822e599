"""A stack that stands from test to test, so that each need not wait for one of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stacks import state

NOT_SOURCES = ("host", "build", "state", "locks", "config.git")
"""Folders of DUSTY_HOME that are made of the rest."""


class Standing:
    """One stack on the machine `rig`, and what it was when it was new."""

    def __init__(self, key: str, rig: Any, folder: Path, make: Callable[[Path], Any]) -> None:
        self.key, self.folder, self.home = key, folder, folder / "stack/dusty"
        rig.home = self.home
        (folder / "stack").mkdir()
        self.stack = make(folder / "stack")
        self._copy("stack", "first")
        self.first, self.first_written = self._look(rig), self._written(rig)

    def is_right_again(self, rig: Any) -> bool:
        """Give it its first specs, code and settings, and have one `up` mend the rest; False if it is not as it was even then."""
        rig.home = self.home
        rig.run(["rm", "-rf", "/persist", "/cp", "/command_files", "/root/.dusty"])
        written = self._written(rig)
        marred = [name for name in written if written[name] != self.first_written.get(name)]
        if marred:
            for name in marred:
                rig.machine.engine.remove_container(name, v=True, force=True)
        self._copy("first", "stack")
        return rig.dusty("up", check=False).returncode == 0 and self._look(rig) == self.first

    def _copy(self, source: str, target: str) -> None:
        left_out = [f"--exclude=/dusty/{name}" for name in NOT_SOURCES]
        subprocess.run(
            ["rsync", "-a", "--delete", *left_out, f"{self.folder}/{source}/", f"{self.folder}/{target}/"], check=True
        )

    def _written(self, rig: Any) -> dict[str, list[tuple[str, int]]]:
        """By container what was written in it beside its mounts, sorted."""
        return {
            found["Name"].lstrip("/"): sorted(
                (item["Path"], item["Kind"]) for item in rig.machine.engine.diff(found["Id"]) or ()
            )
            for found in rig.machine.containers("")
        }

    def _look(self, rig: Any) -> dict[str, Any]:
        """Everything but ids and times."""
        try:
            records = json.loads((self.home / "host/persist/.dusty/started.json").read_text())
        except ValueError:
            records = {}  # A test damaged it, and an `up` with nothing to do goes by the second file.
        engine = rig.machine.engine
        names = [found["Name"] for found in (*engine.networks(), *(engine.volumes()["Volumes"] or ()))]
        return {
            **state(rig),
            "names": sorted(names),
            "ready": {name: record.get("ready", True) for name, record in records.items()},
        }
