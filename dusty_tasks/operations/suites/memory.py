"""Results of suites by what they depend on, for `test --cached`: a cache in state/, whose loss costs one run of each suite."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any

from dusty_tasks.core.specs.model import Suite
from dusty_tasks.core.suites.project import result_key
from dusty_tasks.effects.doors.files import read_bytes, write_atomically
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.suite_projects import read_image
from dusty_tasks.operations.suites.prepare import Prepared
from dusty_tasks.operations.suites.run import SuiteResult, SuiteRunner


class Memory:
    """What passed, and with what."""

    def __init__(self, runner: SuiteRunner, prepared: Prepared, image_id: str) -> None:
        self._runner, self._prepared, self._image_id = runner, prepared, image_id
        self._path = f"{runner.settings.state}/tests/results-{runner.target.name}.json"

    def passed(self, suite: Suite, arguments: Sequence[str]) -> dict[str, Any] | None:
        """{"seconds", "time"} of the run that passed with exactly these inputs, else None."""
        known = self._read().get(suite.name)
        return known if known and known.get("key") == self._key(suite, arguments) else None

    def keep(self, suite: Suite, arguments: Sequence[str], result: SuiteResult) -> None:
        """Note a result: one that failed takes the place of one that passed."""
        known = self._read()
        known.pop(suite.name, None)
        key = "" if result.code else self._key(suite, arguments)
        if key:
            known[suite.name] = {"key": key, "seconds": result.seconds, "time": time.strftime("%Y-%m-%d %H:%M:%S")}
        write_atomically(self._path, json.dumps(known).encode())

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(read_bytes(self._path) or b"{}")
        except ValueError:
            return {}
        return known if isinstance(known, dict) else {}

    def _key(self, suite: Suite, arguments: Sequence[str]) -> str:
        """'' where something is unknown: an image that is not there yet, code that is not synced but mounted."""
        if set(self._prepared.fingerprints) != {repo.id for repo, _mount in self._runner.target.mounts}:
            return ""
        engine = Engine(self._runner.host)
        project = self._runner.project(suite, arguments, labels={})
        ids = {
            mapping["image"]: (read_image(engine, mapping["image"]) or ("",))[0]
            for mapping in project["services"].values()
        }
        if not all(ids.values()):
            return ""
        outside = {
            name: os.environ.get(name)
            for mapping in project["services"].values()
            for name, value in (mapping.get("environment") or {}).items()
            if value is None
        }
        return result_key(
            {**project, "outside": outside},
            self._prepared.files[f"{suite.name}.sh"],
            {**ids, "": self._image_id},
            self._prepared.fingerprints,
        )
