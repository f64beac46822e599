"""Recorded values of situations: rows of `status --json`, as an engine with such containers makes them."""

from __future__ import annotations

from typing import Any


def part(name: str, condition: str = "running", state: str = "", **more: Any) -> dict[str, Any]:
    """A row of the stack."""
    return {
        "name": name,
        "type": "app",
        "state": state or condition,
        "condition": condition,
        "why": "",
        "since": "3 hours",
        "image": "python:3.12-slim",
        "routes": [],
        "ports": [],
        "code": "",
        "last": "created: it had no container",
        "pending": "",
        "repos": [],
        **more,
    }


def repo(name: str, **more: Any) -> dict[str, Any]:
    """A row of the repos."""
    return {
        "id": f"github.com/acme/{name}",
        "source": "managed",
        "path": f"/home/ada/.dusty/repos/github.com_acme_{name}",
        "branch": "main",
        "commit": "92c058489c",
        "name": name,
        "sync": "up to date",
        **more,
    }


def facts(stack: list[dict[str, Any]], repos: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """All of it."""
    return {
        "problems": "",
        "bundles": ["shop", "tools"],
        "docker_host": {
            "name": "this machine",
            "answers": True,
            "state": "on",
            "engine": "28.2.2",
            "cpus": 8,
            "memory_gib": 31.2,
        },
        "stack": stack,
        "repos": repos or [],
        "hosts_conflicts": [],
        "hosts_refused": "",
        **more,
    }


SHOP = facts(
    [
        part(
            "board",
            state="running (healthy)",
            routes=["http://board.example.test/"],
            code="92c058489c",
            repos=["github.com/acme/board"],
        ),
        part("quotes", "starting", since="2 seconds", routes=["http://quotes.example.test:8080/"], code="0ab1c2d3e4"),
        part(
            "worker",
            "failed",
            "failed (exited 1)",
            since="2 minutes ago",
            why="exited with status 1",
            pending="start: it exited with status 1",
            code="92c058489c",
        ),
        part(
            "mailer",
            "not answering",
            why="does not answer at http://mail.example.test/: nothing listens on port 8025",
            routes=["http://mail.example.test/"],
            since="About a minute",
        ),
        part(
            "search",
            pending="recreate: image elasticsearch:8.13 -> elasticsearch:8.14, apps/search.yml:3:8",
            since="13 days",
            code="77aa88bb99, sync pending",
        ),
        part(
            "a-name-that-goes-on-and-on-for-longer-than-anybody-wants",
            since="About an hour",
            routes=["http://long.example.test/"],
            code="no commit",
        ),
        part("migrate", "finished", "finished (exited 0)", since="3 hours ago"),
        part("redis", type="service", image="redis:7"),
        part("dustyInternalNginx", type="proxy", image="nginx:1.27"),
        {"name": "common", "type": "lib", "state": "", "condition": "", "why": "", "routes": [], "pending": ""},
    ],
    [
        repo("board"),
        repo(
            "search",
            source="override",
            path="/home/ada/src/clients/acme/platform/services/search-and-indexing",
            branch="feature/faster-index",
            sync="3 files changed",
        ),
    ],
)


def play_up(
    changes: list[Any],
    *,
    files: int = 0,
    failing: dict[str, str] | None = None,
    urls: dict[str, tuple[str, ...]] | None = None,
    failures: tuple[Any, ...] = (),
    conditions: dict[str, str] | None = None,
    verbose: bool = False,
    seconds: float = 12.4,
) -> None:
    """Print a run of `up` that did these changes, but for those of `failing` (name -> what is wrong with it)."""
    import time

    from dusty_tasks import foot as feet
    from dusty_tasks.core.plan.change import Plan
    from dusty_tasks.core.plan.container_state import State
    from dusty_tasks.core.plan.found import Found, Sources
    from dusty_tasks.core.plan.wanted import Wanted
    from dusty_tasks.operations.launch import receipt
    from dusty_tasks.operations.launch.printed import Printed, _phase_of
    from dusty_tasks.operations.launch.reporter import Outcome, Sums
    from dusty_tasks.operations.look import View

    now = 0.0  # A clock of its own: times on recorded screens are always the same.
    feet.time = type("Clock", (), {"monotonic": staticmethod(lambda: now), "sleep": staticmethod(time.sleep)})
    receipt.hosts_section_by_hand = lambda: ""
    receipt.names_that_lead_elsewhere = lambda _containers: []
    failing = failing or {}
    printed = Printed(verbose=verbose)
    if files:
        printed.wrote("wrote", [f"commands/app{number}/always.sh" for number in range(files)])
    done = []
    for phase in dict.fromkeys(_phase_of(change.kind) for change in changes):
        together = [change for change in changes if _phase_of(change.kind) == phase]
        for change in together:
            printed.begun(change)
        for change in together:
            now += 0.7
            if change.name not in failing or "ended" in failing[change.name] or "exited" in failing[change.name]:
                printed.done(change)
                done.append(change)
    for failure in failures:
        printed.failed(failure)
    view = View(
        Wanted(containers=()),
        Sources(),
        Found(),
        Plan(),
        states={name: State(condition) for name, condition in (conditions or {}).items()},
    )
    outcome = Outcome(
        code=2 if failing else 0,
        failures=failures,
        view=view,
        plan=Plan(tuple(changes)),
        done=tuple(done),
        troubles=failing,
        urls=urls or {},
        sums=Sums(len(done), 1 if not done else 9),
        seconds=seconds if done else 0.14,
        is_whole=True,
    )
    printed.finished(outcome)
