"""`up` on a second machine over ssh: one connection, one round trip for a run without changes, real failures of the line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from machine import CLEAN_PATH
from stacks import PORT, SmallStack, changes
from terminals import COLUMNS, ROWS, attached
from ui_served import told_by, ui_served

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stack(rig, ssh_host, tmp_path):
    return SmallStack(
        tmp_path, rig.home, config=f"host: {{kind: ssh, ssh: {ssh_host.login}, address: {ssh_host.address}}}\n"
    )


@pytest.fixture
def running(rig, stack):
    rig.dusty("up")
    return stack


def ids(ssh_host) -> dict[str, str]:
    """Container id and start time by name, on the second machine."""
    names = ssh_host.run(["docker", "ps", "-aq"]).stdout.split()
    shown = (
        ssh_host.run(["docker", "inspect", "--format", "{{.Name}} {{.Id}} {{.State.StartedAt}}", *names]).stdout
        if names
        else ""
    )
    return {line.split()[0].lstrip("/"): line.partition(" ")[2] for line in shown.splitlines()}


def test_the_stack_runs_over_there_and_is_reached_under_its_name(rig, ssh_host, running):
    assert rig.get(f"http://web.test:{PORT}/") == (200, "hello from web\n")
    assert (
        ssh_host.run(["cat", "/persist/repos" + str(running.folder) + "/code/web/index.html"]).stdout
        == "hello from web\n"
    )
    assert rig.container_ids("") == {}
    # The page of `dusty ui` is served here, and tells of what is over there.
    with ui_served(rig) as url:
        told = told_by(rig, url, lambda told: told.get("event") and told.get("state", [{}])[-1].get("stack"))
    states = {part["name"]: part["condition"] for part in told["state"][-1]["stack"] if "condition" in part}
    assert states["web"] == states["cache"] == "running" and "web" in {event.get("name") for event in told["event"]}
    # What is redirected comes as it was written through ssh, too, and ^C reaches the program over there.
    env = {"DUSTY_HOME": str(rig.home), "PATH": CLEAN_PATH, "HOME": "/root", "TERM": "xterm"}
    dusty = [str(ROOT / "dusty"), "shell", "web", "sh", "-c"]
    with attached(
        rig.machine.argv([]),
        [*dusty, "printf 'a\\n\\001\\377\\r\\n'; echo err >&2; exit 7"],
        ("tty", "pipe", "tty"),
        env,
    ) as process:
        assert process.end() == (7, b"err\r\n", b"a\n\x01\xff\r\n", b"")
    with attached(
        rig.machine.argv([]), [*dusty, "stty size; echo started; sleep 1003"], ("tty", "tty", "tty"), env
    ) as process:
        assert f"{ROWS} {COLUMNS}".encode() in process.read(b"started")
        process.type(b"\x03")
        assert process.end().code == 130
    with attached(rig.machine.argv([]), [*dusty, "echo started; sleep 1003"], ("tty", "pipe", "pipe"), env) as process:
        process.read(b"started", "out")
        process.type(b"\x03")
        assert process.end().code == 130
    assert "sleep 1003" not in ssh_host.run(["docker", "exec", "dusty_web_1", "ps", "-o", "args"]).stdout


def test_an_asset_that_is_unset_is_gone_over_there(rig, ssh_host, running):
    (running.folder / "key").write_text("t0p-secret\n")
    running.app("web", services="[cache]", more="assets: [{name: MAYBE, path: /etc/maybe, required: false}]\n")
    rig.dusty("assets", "set", "MAYBE", str(running.folder / "key"))
    rig.dusty("up")
    assert ssh_host.run(["docker", "exec", "dusty_web_1", "cat", "/etc/maybe"]).stdout == "t0p-secret\n"
    rig.dusty("assets", "unset", "MAYBE")
    rig.dusty("up")
    assert ssh_host.run(["docker", "exec", "dusty_web_1", "ls", "/etc/maybe"], check=False).returncode == 1
    assert ssh_host.run(["grep", "-rl", "t0p-secret", "/persist", "/command_files", "/cp"], check=False).stdout == ""


def test_the_machines_own_address_gets_the_list_and_the_page_tells_who_stopped_the_app(rig, ssh_host, running):
    status, listed = rig.get(f"http://{ssh_host.address}:{PORT}/")
    assert status == 200 and f'<a href="http://web.test:{PORT}/">' in listed and "web: running at " in listed
    refused = rig.run(
        [
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-H",
            "Host: evil.test",
            f"http://{ssh_host.address}:{PORT}/",
        ]
    )
    assert refused.stdout == "421"
    rig.dusty("stop", "web")
    status, page = rig.get(f"http://web.test:{PORT}/")
    assert status == 502 and "web was stopped by hand" in page and "dusty stop saw it at " in page


def test_nothing_to_do_is_one_round_trip_and_one_process(rig, ssh_host, running):
    before = ids(ssh_host)
    log = running.folder / "trace"
    code = "from dusty_tasks.cli.main import main; raise SystemExit(main(['up', '--no-pull']))"
    done = rig.run(
        ["strace", "-f", "-e", "trace=execve", "-o", str(log), sys.executable, "-c", code],
        cwd=ROOT,
        env={"DUSTY_HOME": str(rig.home)},
    )
    assert done.stdout.startswith("up to date: 0 changes, 1 Docker read, 1 ssh round trip, 0 sudo")
    started = [line for line in log.read_text().splitlines() if "execve(" in line and " = 0" in line]
    assert len(started) <= 3, f"the interpreter, and ssh through its script: {started}"
    assert ids(ssh_host) == before


def test_changed_code_restarts_its_app_alone(rig, ssh_host, running):
    before = ids(ssh_host)
    running.code("web", "index.html", "new page\n")
    assert "index.html changed" in rig.dusty("up").stdout
    after = ids(ssh_host)
    assert {name for name in before if after[name] != before[name]} == {"dusty_web_1"}
    assert rig.get(f"http://web.test:{PORT}/") == (200, "new page\n")
    # The journal lies over there, and why and the timeline read it, and the engine, through the same line.
    journal = ssh_host.run(["cat", "/persist/.dusty/journal.jsonl"]).stdout
    assert '"what":"run","text":"up: ' in journal and '"what":"sync"' in journal
    ssh_host.run(["docker", "kill", "dusty_cache_1"])
    assert "  why: killed by `docker kill` (SIGKILL)" in rig.dusty("why", "cache").stdout
    shown = rig.dusty("timeline").stdout
    assert "web                * restarted: " in shown and "* exited with status 137: killed by `docker kill`" in shown


def test_a_changed_file_of_the_specs_restarts_its_users_over_there(rig, ssh_host, running):
    (running.folder / "specs/conf/more").mkdir(parents=True)
    running.spec("conf/own.conf", "one\n")
    running.spec("conf/more/a", "a\n")
    running.service(
        "cache", more="volumes: ['./conf/own.conf:/own.conf:ro', './conf/more:/more']\nstop_grace_period: 1s\n"
    )
    running.service("other", more="volumes: ['./conf/more:/more']\nstop_grace_period: 1s\n")
    running.bundle("shop", apps="[web]", services="[other]")
    rig.dusty("up")

    def inside(name: str) -> str:
        return ssh_host.run(
            ["docker", "exec", f"dusty_{name}_1", "sh", "-c", "cat /own.conf /more/* 2>&1"], check=False
        ).stdout

    assert inside("cache") == "one\na\n"
    assert rig.dusty("up", "--no-pull").stdout.startswith("up to date: 0 changes")
    before = ids(ssh_host)
    running.spec("conf/own.conf", "two\n")
    assert "restart cache: " in rig.dusty("plan").stdout
    done = changes(rig.dusty("up").stdout)
    assert [line.split()[1] for line in done if line.startswith("restarted")] == ["cache"], done
    assert any("conf/own.conf" in line for line in done if line.startswith("restarted cache")), done
    assert inside("cache") == "two\na\n"
    after = ids(ssh_host)
    assert {name for name in before if after[name] != before[name]} == {"dusty_cache_1"}
    running.spec("conf/more/b", "b\n")
    (running.folder / "specs/conf/more/a").unlink()
    done = changes(rig.dusty("up").stdout)
    assert sorted(line.split()[1] for line in done if line.startswith("restarted")) == ["cache", "other"], done
    assert inside("cache") == "two\nb\n" and inside("other").endswith("b\n")


def test_a_new_name_is_served_without_another_proxy(rig, ssh_host, running):
    before = ids(ssh_host)
    running.app("second")
    running.bundle("more", apps="[second]")
    running.activate("shop", "more")
    rig.dusty("up")
    after = ids(ssh_host)
    assert {name: after[name] for name in before} == before
    assert rig.get(f"http://second.test:{PORT}/")[0] == 200


def test_a_wiped_docker_host_is_noticed(rig, ssh_host, running):
    ssh_host.reset()
    assert "created web" in rig.dusty("up").stdout
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200


def test_a_dead_line_is_said_within_its_time_and_a_mended_one_goes_on(rig, ssh_host, running):
    before = ids(ssh_host)
    ssh_host.set_link("down")
    try:
        (rig.home / "config.yml").write_text(running.config.replace("kind: ssh", "kind: ssh, wait: 3"))
        done = rig.dusty("up", check=False)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        planned = rig.dusty("plan", check=False)
        assert planned.returncode == 2 and "unknown" in planned.stderr and "create" not in planned.stdout
        status = rig.dusty("status", check=False)
        assert status.returncode == 2 and "absent" not in status.stdout
    finally:
        ssh_host.set_link("up")
    assert changes(rig.dusty("up").stdout) == []
    assert ids(ssh_host) == before


def test_a_line_cut_in_the_middle_of_a_launch_leaves_nothing_that_the_next_up_does_not_mend(rig, ssh_host, stack):
    for i in range(4):
        stack.app(f"app{i}")
    stack.bundle("shop", apps="[web, app0, app1, app2, app3]")
    env = {"DUSTY_HOME": str(rig.home), "HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    process = subprocess.Popen(
        rig.machine.argv([sys.executable, "-m", "dusty_tasks", "up"], cwd=ROOT),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("synced "):
            ssh_host.set_link("down")
            break
    try:
        _out, err = process.communicate(timeout=120)
    finally:
        ssh_host.set_link("up")
    assert process.returncode == 2 and "Traceback" not in err
    rig.dusty("up")
    assert rig.get(f"http://app3.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")


def test_a_port_taken_over_there_is_named(rig, ssh_host, stack):
    ssh_host.run(["sh", "-c", f"python3 -m http.server {PORT} > /dev/null 2>&1 & echo $! > /run/listener.pid"])
    try:
        ssh_host.run(["sh", "-c", f"until curl -s -o /dev/null http://127.0.0.1:{PORT}/; do :; done"])
        done = rig.dusty("up", check=False)
    finally:
        ssh_host.run(["sh", "-c", "kill $(cat /run/listener.pid)"])
    assert done.returncode == 1 and f"port {PORT} (dustyInternalNginx) is held by python3 (pid " in done.stderr
    assert ids(ssh_host) == {}


LIKE_CSH = """#!/bin/sh
# As csh does: within quotes a newline ends the command, and ! looks for history.
case $2 in *'
'*) echo "Unmatched '." >&2; exit 1 ;; *!*) echo "$2: Event not found." >&2; exit 1 ;; esac
exec sh "$@"
"""


def test_odd_login_shells_and_an_odd_home(rig, ssh_host, tmp_path):
    rig.home = tmp_path / 'it\'s "q"\té 50% $x'
    stack = SmallStack(
        tmp_path / "room", rig.home, config=f"host: {{kind: ssh, ssh: {ssh_host.login}, address: {ssh_host.address}}}\n"
    )
    stack.service("cache", more="volumes: ['/srv/a.conf:/app.conf:ro']\nstop_grace_period: 1s\n")
    ssh_host.run(["sh", "-c", "echo one >'/srv/a.conf'"])
    rig.dusty("trust", "specs", "allow")
    ssh_host.run(["sh", "-c", "cp -p /etc/passwd /run/passwd.before; echo 'echo hi there' >/root/.bashrc"])
    try:
        for verb in (["plan"], ["up"], ["sync"], ["shell", "web", "true"], ["stop"]):
            done = rig.dusty(*verb, check=False)
            assert (
                done.returncode == 1
                and "prints something before each command" in done.stderr
                and "hi there" in done.stderr
            ), verb
        ssh_host.run(
            [
                "sh",
                "-c",
                "rm /root/.bashrc; cat >/bin/like-csh; chmod 755 /bin/like-csh; usermod -s /bin/like-csh root",
            ],
            input=LIKE_CSH,
        )
        for verb in (
            ["up"],
            ["sync"],
            ["cp", "web:/code/index.html", str(tmp_path / "fetched")],
            ["logs", "web"],
            ["status"],
            ["doctor"],
            ["disk", "inspect"],
            ["disk", "backup", str(tmp_path)],
            ["restart", "web"],
            ["stop"],
        ):
            rig.dusty(*verb)
        assert (tmp_path / "fetched").read_text() == "hello from web\n"

        # A mounted file that an editor replaces over there is noticed in the one round trip of a run.
        rig.dusty("up")
        assert rig.dusty("up", "--no-pull").stdout.startswith("up to date: 0 changes, 1 Docker read, 1 ssh round trip")
        ssh_host.run(["sh", "-c", "echo two >/srv/new; mv /srv/new '/srv/a.conf'"])
        assert (
            "restarted cache (/srv/a.conf was replaced after it started, and it still sees the old content)"
            in rig.dusty("up").stdout
        )
        assert ssh_host.run(["docker", "exec", "dusty_cache_1", "cat", "/app.conf"]).stdout == "two\n"
    finally:
        ssh_host.run(["sh", "-c", "rm -rf /root/.bashrc '/srv/a.conf'; cat /run/passwd.before >/etc/passwd"])
