"""Running test suites, each in a Compose project of its own that is removed whatever happens."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.of_verbs.attaching import DETACH_KEYS, Size
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.model import Service, Suite
from dusty_tasks.core.suites.project import HOLDER, RESULTS, TEST, SuiteRun, jobs_among, project_of
from dusty_tasks.core.suites.target import Target, mounts_of
from dusty_tasks.core.text.namespace import KIND_LABEL, NAME_LABEL, RUN_LABEL, SUITE_LABEL
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.files import write_atomically
from dusty_tasks.effects.engine import copies as archives
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.reads import read_last_lines
from dusty_tasks.effects.engine.suite_projects import read_project, remove_project, run_label, undisturbed

HEALTH_WAIT = 120.0
"""Seconds for services with a healthcheck to become healthy."""
POLL = 0.2

Attach = Callable[[Sequence[str]], int]
"""Runs `docker start --attach …` where its output belongs; the exit status of the suite."""


class SuiteResult(NamedTuple):
    suite_name: str
    code: int
    seconds: float
    results_path: str = ""
    """The folder with what the suite left in $DUSTY_RESULTS, '' for nothing."""
    is_reused: bool = False


class SuiteRunner:
    """Runs the suites of one target. `close` removes what is left of them, and is to be called in every case."""

    def __init__(
        self, target: Target, services: Mapping[str, Service], specs_root: str, host: DockerHost, settings: Settings
    ) -> None:
        self.target, self.services, self.specs_root = target, services, specs_root
        self.host, self.settings = host, settings
        self._open: set[str] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def project(
        self, suite: Suite, arguments: Sequence[str], labels: dict[str, str], *, terminal: Size | None = None
    ) -> dict[str, Any]:
        """The Compose file of a suite."""
        run = SuiteRun(
            self.target.name,
            self.settings.namespace.test_image(self.target.name),
            mounts_of(self.target, self.settings),
            tuple(arguments),
            self.specs_root,
            labels,
            self.settings.namespace,
            terminal,
            self.settings.host.root,
            self.settings.secrets,
        )
        return project_of(suite, [self.services[name] for name in suite.services], run)

    def run(
        self, suite: Suite, arguments: Sequence[str], attach: Attach, *, terminal: Size | None = None
    ) -> SuiteResult:
        """Run one suite; its containers are gone afterwards. Raises Failure if it could not be started."""
        started = time.monotonic()
        project = self.settings.namespace.test_project(self.target.name, suite.name, secrets.token_hex(3))
        engine = Engine(self.host)
        path = f"{self.settings.state}/tests/{project}.json"
        labels = {KIND_LABEL: "test", NAME_LABEL: self.target.name, SUITE_LABEL: suite.name, RUN_LABEL: run_label()}
        compose_file = self.project(suite, arguments, labels, terminal=terminal)
        write_atomically(path, json.dumps(compose_file).encode(), 0o600)
        with self._lock:
            if self._is_closed:
                raise KeyboardInterrupt
            self._open.add(project)
        try:
            test_id = self._start(suite, project, path, engine)
            code = attach(
                [
                    "docker",
                    "start",
                    "--attach",
                    *(["--interactive", "--detach-keys", DETACH_KEYS] if terminal else []),
                    test_id,
                ]
            )
            if code:
                self._tell_of_ended_services(engine, project)
            return SuiteResult(suite.name, code, time.monotonic() - started, self._keep_results(suite, test_id))
        finally:
            with undisturbed():
                self._remove(project)
                os.unlink(path)

    def close(self) -> None:
        """Remove what is left, for example after ^C; nothing can be started any more."""
        with self._lock:
            self._is_closed = True
        with undisturbed():
            for project in list(self._open):
                self._remove(project)

    def _remove(self, project: str) -> None:
        remove_project(Engine(self.host), project)
        self._open.discard(project)

    def _start(self, suite: Suite, project: str, path: str, engine: Engine) -> str:
        """Start the services, wait until they are healthy, make the container of the suite; its id."""
        if suite.services:
            built = [name for name in suite.services if "build" in self.services[name].compose]
            if built:
                self._compose(project, path, ["build", "--quiet", *built])
            self._compose(project, path, ["up", "-d", "--no-build", HOLDER, *suite.services])
            self._wait_until_healthy(engine, project)
            self._wait_for_jobs(engine, project, jobs_among([self.services[name] for name in suite.services]))
        self._compose(project, path, ["up", "--no-start", "--no-deps", TEST])
        return read_project(engine, project)[TEST].id

    def _compose(self, project: str, path: str, words: Sequence[str]) -> None:
        argv = ["docker", "compose", "-p", project, "--env-file", os.devnull, "-f", path, *words]
        env = {name: value for name, value in self.host.engine_environment().items() if not name.startswith("COMPOSE_")}
        # Not process.run: a Compose that outlived an interrupt would go on making what is being removed.
        with process.piped(argv, env=env, join_errors=True) as compose:
            printed = compose.out.read().decode(errors="replace")
            finished = compose.end()
        if finished.code:
            raise ToolFailed(argv, finished.code, printed)

    def _wait_until_healthy(self, engine: Engine, project: str) -> None:
        end = time.monotonic() + HEALTH_WAIT
        while waiting := [name for name, found in read_project(engine, project).items() if found.health == "starting"]:
            if time.monotonic() > end:
                raise Failure(f"{', '.join(waiting)} did not become healthy within {HEALTH_WAIT:.0f} s", code=2)
            time.sleep(POLL)
        sick = [found for found in read_project(engine, project).values() if found.health == "unhealthy"]
        if sick:
            lines = read_last_lines(engine, sick[0].id).replace("\n", "\n    ")
            raise Failure(f"{sick[0].name} is unhealthy:\n    {lines}", code=2)

    def _wait_for_jobs(self, engine: Engine, project: str, jobs: Sequence[str]) -> None:
        """The suite needs what its jobs do, as long as they take. Raises Failure for one that failed."""
        while jobs:
            found = read_project(engine, project)
            for name in jobs:
                if name not in found or found[name].exit_status:
                    lines = read_last_lines(engine, found[name].id).replace("\n", "\n    ") if name in found else ""
                    status = f"exited with status {found[name].exit_status}" if name in found else "has no container"
                    raise Failure(f"the suite is not started: the job {name} {status}:\n    {lines}", code=2)
            jobs = [name for name in jobs if found[name].exit_status is None]
            time.sleep(POLL if jobs else 0)

    def _tell_of_ended_services(self, engine: Engine, project: str) -> None:
        from dusty_tasks.console import warn

        for name, found in read_project(engine, project).items():
            if name not in (TEST, HOLDER) and found.exit_status:
                lines = read_last_lines(engine, found.id).replace("\n", "\n    ")
                warn(f"service {name} exited with status {found.exit_status}:\n    {lines}")

    def _keep_results(self, suite: Suite, test_id: str) -> str:
        """Bring what the suite left in $DUSTY_RESULTS here, in place of that of its last run."""
        folder = f"{self.settings.paths.results}/{self.target.name}/{suite.name}"
        shutil.rmtree(folder, ignore_errors=True)
        with archives.container_entries(archives.Reach(test_id, self.host.engine_environment()), RESULTS) as entries:
            placed = archives.placed_at(entries, os.path.basename(RESULTS), "", keep_top=True)
            copied = archives.write_to_folder(placed, folder, lambda _size: None)
        if not copied.files:
            shutil.rmtree(folder)
        return folder if copied.files else ""
