"""What is not fine is not called fine: in `up`, `plan`, `status`, `doctor` and `shell`, now and at the next run, until it is mended."""

from __future__ import annotations

import json

import pytest
from stacks import PORT, SERVE, SmallStack

HEALTHCHECK = 'healthcheck: {{test: ["CMD-SHELL", "{0}"], interval: 1s, timeout: 2s, retries: 2}}\n'


@pytest.fixture
def stack(rig, tmp_path):
    return SmallStack(tmp_path, rig.home, config="up: {wait: 6}\n")


def told(rig, name: str) -> dict[str, str]:
    """What status, plan and doctor say of one container."""
    row = next(row for row in json.loads(rig.dusty("status", "--json").stdout)["stack"] if row["name"] == name)
    planned = [line for line in rig.dusty("plan").stdout.splitlines() if line.split(": ")[0].split()[-1] == name]
    found = [
        entry
        for entry in json.loads(rig.dusty("doctor", "--json", check=False).stdout)
        if entry["topic"] == "container"
    ]
    return {
        "status": row["state"],
        "plan": "".join(planned),
        "doctor": "; ".join(entry["what"] for entry in found if entry["what"].startswith(name)),
    }


def test_what_ends_with_0_and_should_go_on_has_failed(rig, stack):
    """A route or a health check says that it should; a job that has neither has finished."""
    stack.app("web", always="echo going home; exit 0", services="[]")
    stack.service("db", command="echo done; exit 0", more=HEALTHCHECK.format("true"))
    stack.service("job", command="exit 0")
    # What it prints, its health check too, and a file of the repo are to steer a terminal.
    rude = r"printf '\\033]0;owned\\007\\033[2J\\233mrude'"
    stack.service(
        "rude", command=f"{rude}; sleep 1000".replace(r"\\", "\\"), more=HEALTHCHECK.format(f"{rude}; exit 3")
    )
    stack.code("web", "\x1b]0;owned\x07", "x")
    stack.bundle("shop", apps="[web]", services="[db, job, rude]")
    for _ in range(2):
        done = rig.dusty("up", check=False)
        assert done.returncode == 2
        assert "web exited with status 0, and a route points to it; its last lines:\n    going home" in done.stderr
        assert "db exited with status 0, and it has a health check; its last lines:\n    done" in done.stderr
        assert "job" not in done.stderr and "rude is unhealthy" in done.stderr
        shown = done.stdout + done.stderr
        for words in (
            ["status", "-v"],
            ["plan"],
            ["doctor"],
            ["why", "rude"],
            ["sync", "--verify"],
            ["status", "--json"],
            ["doctor", "--json"],
        ):
            asked = rig.dusty(*words, check=False)
            shown += asked.stdout + asked.stderr
        shown += rig.run(["cat", "/etc/hosts", f"{rig.home}/build/nginx/dustyNginx.conf"]).stdout
        assert "rude" in shown and {*shown}.isdisjoint({"\x1b", "\x07", "\x9b"})
    for name, why in (("web", "a route points to it"), ("db", "it has a health check")):
        assert told(rig, name) == {
            "status": "failed (exited 0)",
            "plan": f"start {name}: it exited with status 0, and {why}",
            "doctor": f"{name} exited with status 0, and {why}",
        }
    assert told(rig, "job") == {"status": "finished (exited 0)", "plan": "", "doctor": ""}
    assert "dusty up starts it again" in rig.dusty("shell", "web", "true", check=False).stderr
    assert "dusty up leaves it alone" in rig.dusty("shell", "job", "true", check=False).stderr
    stack.app("web", services="[]")
    stack.service("db", more=HEALTHCHECK.format("true"))
    stack.bundle("shop", apps="[web]", services="[db, job]")
    rig.dusty("up")
    assert rig.dusty("up").stdout.startswith("up to date")


def test_an_app_on_the_wrong_port_and_an_unhealthy_one_are_said_with_what_is_known(rig, stack):
    # Without `cat` it is the Docker host that tells what listens in it.
    stack.app("web", always="rm /bin/cat; exec httpd -f -p 9999 -h /code", services="[]")
    stack.app("inside", always="exec httpd -f -p 127.0.0.1:80 -h /code")
    stack.service("db", more=HEALTHCHECK.format("echo no tables yet; exit 3"))
    stack.spec(
        "apps/line.yml",
        f"image: busybox:1\ncommands: {{always: ['exec httpd -f -p 7000 -h /tmp']}}\n"
        f"host_forwarding: [{{host_name: line.test, host_port: {PORT + 1}, container_port: 5432, type: stream}}]\n",
    )
    # Never healthy, and for ten minutes not unhealthy either: who needs it starts all the same, once it was waited for long enough.
    stack.service("slow", more=HEALTHCHECK.format("false").replace("retries", "start_period: 600s, retries"))
    stack.spec(
        "apps/patient.yml", "image: busybox:1\ncommands: {always: ['exec sleep 100000']}\ndepends: {services: [slow]}\n"
    )
    stack.bundle("shop", apps="[web, inside, line, patient]", services="[db]")
    done = rig.dusty("up", check=False)
    assert (
        "waiting for the health check of slow\n" in done.stdout
        and "slow is not healthy yet: its health check exited with status 1" in done.stderr
    )
    assert told(rig, "patient") == {"status": "running", "plan": "", "doctor": ""}
    silent = f"does not answer at http://web.test:{PORT}/: nothing listens on 80; the container listens on 9999"
    assert done.returncode == 1
    assert f"web {silent}" in done.stderr
    assert f"inside does not answer at http://inside.test:{PORT}/: 80 is bound to 127.0.0.1 only" in done.stderr
    assert "line does not answer: nothing listens on 5432; the container listens on 7000" in done.stderr
    assert (
        "db is unhealthy: its health check exited with status 3; the health check printed:\n    no tables yet"
        in done.stderr
    )
    waiting = [line for line in done.stdout.splitlines() if line.startswith("waiting until ready: ")]
    assert waiting and "web (nothing listens on 80; the container listens on 9999)" in waiting[-1]
    assert len(waiting) < 6, "a line is said when it changes, not each time"
    assert "answers at" not in done.stdout
    assert told(rig, "web") == {
        "status": "not answering",
        "plan": f"wait for web: it {silent}",
        "doctor": f"web {silent}",
    }
    assert told(rig, "line")["status"] == "not answering"
    assert told(rig, "db") == {
        "status": "unhealthy",
        "plan": "wait for db: it is unhealthy: its health check exited with status 3",
        "doctor": "db is unhealthy: its health check exited with status 3",
    }
    before = rig.container_ids()
    again = rig.dusty("up", check=False)
    assert (
        again.returncode == 1
        and f"web {silent}" in again.stderr
        and "db is unhealthy" in again.stderr
        and "up to date" not in again.stdout
    )
    assert rig.container_ids() == before, "to wait is to change nothing"
    # Mended without Dusty: it notices.
    rig.run(["docker", "exec", "-d", "dusty_web_1", "httpd", "-f", "-p", "80", "-h", "/code"])
    rig.run(["sh", "-c", f"until curl -fs -o /dev/null http://web.test:{PORT}/; do sleep 0.1; done"], timeout=20)
    assert told(rig, "web") == {"status": "running", "plan": "", "doctor": ""}
    # Mended by a change.
    stack.app("inside")
    stack.service("db", more=HEALTHCHECK.format("true"))
    stack.bundle("shop", apps="[web, inside]", services="[db]")
    rig.dusty("up")
    assert rig.dusty("up").stdout.startswith("up to date")
    assert told(rig, "db") == {"status": "running (healthy)", "plan": "", "doctor": ""}


def test_what_dies_soon_after_its_start_is_seen_and_what_keeps_dying_stays_failed(rig, stack):
    stack.spec("apps/dies.yml", "image: busybox:1\ncommands: {always: [echo bad config, sleep 1, exit 4]}\n")
    stack.spec(
        "apps/loops.yml", "image: busybox:1\ncommands: {always: [echo again, exit 5]}\ncompose: {restart: on-failure}\n"
    )
    stack.bundle("shop", apps="[web, dies, loops]")
    done = rig.dusty("up", check=False)
    assert done.returncode == 2
    assert "dies exited with status 4; its last lines:\n    bad config" in done.stderr
    assert "loops keeps exiting and being restarted; its last lines:\n    again" in done.stderr
    before = rig.container_ids("")["dusty_loops_1"].split()[0]
    again = rig.dusty("up", check=False)
    assert (
        again.returncode == 2 and "loops keeps exiting" in again.stderr and "dies exited with status 4" in again.stderr
    )
    assert rig.container_ids("")["dusty_loops_1"].split()[0] == before
    assert told(rig, "loops") == {
        "status": "failed (restarting)",
        "plan": "wait for loops: it keeps exiting and being restarted",
        "doctor": "loops keeps exiting and being restarted",
    }
    assert told(rig, "dies")["status"] == "failed (exited 4)"
    stack.app("dies", always=SERVE)
    stack.bundle("shop", apps="[web, dies]")
    rig.dusty("up")
    assert rig.dusty("up").stdout.startswith("up to date")


def test_a_failed_build_shows_the_step_and_what_it_printed(rig, stack):
    """By both builders: Compose brings BuildKit along, `docker build` here has the former one.

    In one stream, since the engine reads both of a step at once: what was printed last on one may come before all of the other.
    """
    context = stack.code(
        "built", "Dockerfile", "FROM busybox:1\nRUN echo fine\nRUN exec 2>&1; seq 100; echo the reason; nosuch\n"
    ).parent
    stack.spec(
        "apps/built.yml",
        f"repo: {context}\nmount: /code\nbuild: {context}\ncommands: {{always: [sleep 1000]}}\ntest: {{build: {context}, suites: [{{name: unit, command: ['true']}}]}}\n",
    )
    stack.bundle("shop", apps="[built]")
    failed = "RUN exec 2>&1; seq 100; echo the reason; nosuch exited with status 127; its last lines:"
    for words in (["up"], ["test", "built", "unit"]):
        done = rig.dusty(*words, check=False)
        assert done.returncode == 2
        shown = done.stderr.partition(f"step 3 of 3: {failed}\n")[2].splitlines()[:30]
        assert (
            "    the reason" in shown
            and "    1" not in shown
            and len(shown) == 30
            and "nosuch: not found" in done.stderr
        )
        assert "step 2 of 3: RUN echo fine" in done.stdout
        log = rig.home / "state/last-build.log"
        assert f"all that the builder printed is in {log}" in done.stderr and "fine" in log.read_text()
        assert log.stat().st_mode & 0o777 == 0o600
    assert rig.container_ids("") == {}


def test_a_stand_in_runs_the_server_that_it_stands_for(rig, stack):
    name = "redis:7.4-bookworm"
    rig.run(["docker", "tag", name, "kept:1"])
    rig.run(["docker", "rmi", name])
    try:
        stack.spec("services/redis.yml", f"image: {name}\n")
        stack.spec("services/other.yml", f"image: {name}\ncommand: [--port, '7000']\n")
        stack.bundle("shop", services="[redis, other]")
        assert f"{name}: a stand-in" in rig.dusty("up").stdout
        ask = ["docker", "run", "--rm", "--network", "dusty_default", name, "redis-cli", "-h"]
        assert rig.run([*ask, "redis", "ping"]).stdout == "PONG\n"
        assert rig.run([*ask, "other", "-p", "7000", "ping"]).stdout == "PONG\n"
    finally:
        rig.machine.clear_engine()
        rig.run(["docker", "tag", "kept:1", name])
        rig.run(["docker", "rmi", "kept:1"])
