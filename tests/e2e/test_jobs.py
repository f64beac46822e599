"""One-shots and what waits for them, in `up` and `restart`; and the compiled file under plain Compose."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from stacks import SmallStack, changes

SLOW = """\
healthcheck: {test: "test -e /tmp/ready", interval: 1s, retries: 30}
"""
WAITING = "depends_on: {migrate: {condition: service_completed_successfully}}\n"


def migrate(stack: SmallStack, status: int) -> None:
    stack.service("migrate", command=f"sleep 1; exit {status}", more="depends_on: [db]\n")


def inspected(rig: Any, name: str, form: str) -> str:
    return rig.run(["docker", "inspect", "-f", form, f"dusty_{name}_1"], check=False).stdout.strip()


def begun(rig: Any, name: str) -> datetime:
    return datetime.fromisoformat(inspected(rig, name, "{{.State.StartedAt}}")[:26].rstrip("Z"))


def test_a_failed_job_stops_what_waits_for_it_and_a_mended_one_lets_it_start(rig: Any, tmp_path: Path) -> None:
    stack = SmallStack(tmp_path, rig.home)
    stack.service("db")
    migrate(stack, 3)
    stack.service("after", more=WAITING)
    stack.service("last", more="depends_on: [after]\n")
    stack.service("slow", command="sleep 4; touch /tmp/ready; sleep 100000", more=SLOW)
    stack.service("eager", more="depends_on: {slow: {condition: service_started}}\n")
    stack.service("patient", more="depends_on: [slow]\n")
    stack.bundle("shop", services="[db, migrate, after, last, slow, eager, patient]")
    failed = rig.dusty("up", check=False)
    assert failed.returncode != 0
    assert "after is not started: it waits for migrate, which exited with status 3" in failed.stderr
    assert "last is not started: after was not started" in failed.stderr
    assert inspected(rig, "after", "{{.Id}}") == inspected(rig, "last", "{{.Id}}") == ""
    waited = rig.dusty("wait", "--for", "done", "--timeout", "60", "migrate", check=False)
    assert waited.returncode == 1 and "migrate exited with status 3" in waited.stderr
    waited = rig.dusty("wait", "last", "--timeout", "1", check=False)
    assert waited.returncode == 1 and "last has no container" in waited.stderr
    assert (begun(rig, "eager") - begun(rig, "slow")).total_seconds() < 3
    assert (begun(rig, "patient") - begun(rig, "slow")).total_seconds() >= 4

    migrate(stack, 0)
    rig.dusty("up")
    assert inspected(rig, "last", "{{.State.Running}}") == "true"
    assert begun(rig, "after") >= datetime.fromisoformat(
        inspected(rig, "migrate", "{{.State.FinishedAt}}")[:26].rstrip("Z")
    )
    assert rig.dusty("up").stdout.startswith("up to date")
    assert rig.dusty("wait", "--for", "done").stdout == "done: migrate\n"
    told = json.loads(rig.dusty("wait", "--json").stdout)
    assert told["late"] == [] and {"last", "migrate", "patient"} <= set(told["ready"])

    stack.service("db", more="environment: {A: '1'}\n")
    done = changes(rig.dusty("up").stdout)
    assert any(line.startswith("started migrate (its work may have been lost with the previous db") for line in done), (
        done
    )

    migrate(stack, 4)
    rig.dusty("up", check=False)
    refused = rig.dusty("restart", "migrate", "after", check=False)
    assert refused.returncode == 2 and "after: not restarted: it waits for migrate" in refused.stderr


def test_an_app_waits_for_a_job_and_for_an_app_that_is_ready(rig: Any, tmp_path: Path) -> None:
    stack = SmallStack(tmp_path, rig.home)
    stack.spec("apps/seed.yml", "image: busybox:1\ncommands: {always: ['sleep 1']}\njob: true\n")
    always = "rm -f /tmp/up; sleep 3; touch /tmp/up; exec httpd -f -p 80 -h /code"
    stack.app("web", always=always, more="ready: {command: test -e /tmp/up, within: 30s}\n")
    late = "image: busybox:1\ncommands: {always: [exec sleep 100000]}\ndepends: {apps: [web, seed]}\n"
    stack.spec("apps/late.yml", late)
    stack.spec("apps/eager.yml", late.replace("[web, seed]", "[{name: web, until: started}]"))
    stack.bundle("shop", apps="[late, eager]")
    rig.dusty("up")
    assert inspected(rig, "web", "{{.State.Health.Status}}") == "healthy"
    assert (begun(rig, "late") - begun(rig, "web")).total_seconds() >= 3
    assert (begun(rig, "eager") - begun(rig, "web")).total_seconds() < 3
    assert rig.dusty("up").stdout.startswith("up to date")


def test_the_compiled_file_works_with_plain_compose_before_any_up(rig: Any, tmp_path: Path) -> None:
    stack = SmallStack(tmp_path, rig.home)
    stack.spec("apps/web.yml", "image: busybox:1\ncommands: {once: [echo once], always: [exec sleep 100000]}\n")
    stack.app("code")
    stack.bundle("shop", apps="[web, code]")
    rig.dusty("compile")
    compose = ["docker", "compose", "-f", f"{rig.home}/build/docker-compose.yml"]
    rig.run([*compose, "up", "-d", "web", "code"])
    assert rig.run(["docker", "exec", "dusty_code_1", "pwd"]).stdout.strip() == "/code"
    first = rig.run(["docker", "logs", "dusty_web_1"]).stdout
    rig.run([*compose, "up", "-d", "--force-recreate", "web"])
    again = rig.run(["docker", "logs", "dusty_web_1"]).stdout
    assert first.count("once") == again.count("once") == 1
    rig.dusty("up")
    assert inspected(rig, "web", "{{.State.Running}}") == "true"

    # What plain Compose recreated after an `up` is a new container, in which `once` has not run.
    for how in (["up", "-d", "--force-recreate", "web"], ["rm", "-sf", "web"], ["create", "--force-recreate", "web"]):
        rig.run([*compose, *how])
        rig.dusty("up")
        held = rig.run(
            ["docker", "exec", "dusty_web_1", "sh", "-c", "cat /var/log/dusty_once_fn.log; ls /.dusty"]
        ).stdout
        assert held.split()[0] == "once" and "once" in held.split()[1:], (how, held)
        assert rig.run(["docker", "logs", "dusty_web_1"]).stdout.count("once") == 1, how
        assert rig.dusty("up", "--no-pull").stdout.startswith("up to date"), how
