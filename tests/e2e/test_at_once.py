"""Two runs at once, a line that is cut while `up` waits, clocks that jump: nothing is lost, and whoever gives way says to whom."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from kills import ENVIRONMENT, ROOT
from stacks import PORT, SmallStack
from test_verbs_test import commit

SUITE = "test: {image: 'busybox:1', suites: [{name: unit, command: ['test -e /code/index.html #']}]}\n"
PAIRS = [
    ("up", "up"),
    ("up", "stop"),
    ("up", "sync"),
    ("sync", "sync"),
    ("up", "test web"),
    ("stop", "restart"),
    ("up", "restart web"),
]
SETTINGS = {
    "up.wait": "41",
    "host.wait": "42",
    "sync.jobs": "3",
    "repos.jobs": "5",
    "repos.pull": "never",
    "proxy.max_upload": "7m",
    "external_bind": "true",
    "nginx_image": "nginx:1.28-alpine",
}


def started(rig, *words: str) -> subprocess.Popen[str]:
    argv = rig.machine.argv([sys.executable, "-m", "dusty_tasks", *words], cwd=ROOT)
    return subprocess.Popen(
        argv,
        env={**ENVIRONMENT, "DUSTY_HOME": str(rig.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_pairs_of_verbs_at_once(rig, tmp_path):
    stack = SmallStack(tmp_path, rig.home)
    stack.app("web", services="[cache]", more=SUITE)
    commit(stack)
    rig.dusty("up")
    for number, pair in enumerate(PAIRS):
        stack.code("web", "index.html", f"page {number}\n")
        stack.app("web", services="[cache]", image=f"busybox:{number % 2 + 1}", more=SUITE)
        both = [started(rig, *words.split()) for words in pair]
        for words, process in zip(pair, both, strict=True):
            out, err = process.communicate(timeout=180)
            refused = process.returncode == 1 and "has been running since" in err
            assert process.returncode == 0 or refused, f"{words} of {pair}: {process.returncode} {out}{err}"
        done = rig.dusty("up", check=False)
        assert done.returncode == 0, f"after {pair}: {done.stdout}{done.stderr}"
        assert rig.get(f"http://web.test:{PORT}/") == (200, f"page {number}\n"), pair
        assert rig.dusty("up").stdout.startswith("up to date"), pair
    assert len(rig.container_ids("")) == 3, "and no test left anything"


def test_eight_settings_at_once(rig, tmp_path):
    SmallStack(tmp_path, rig.home)
    for name, process in [(name, started(rig, "config", "set", name, value)) for name, value in SETTINGS.items()]:
        _out, err = process.communicate(timeout=120)
        assert process.returncode == 0, f"{name}: {err}"
    shown = rig.dusty("config", "log").stdout
    for name, value in SETTINGS.items():
        assert value in rig.dusty("config", "get", name).stdout and name in shown


def test_a_line_that_is_cut_while_up_waits_for_an_app(rig, ssh_host, tmp_path):
    stack = SmallStack(
        tmp_path, rig.home, config=f"host: {{kind: ssh, ssh: {ssh_host.login}, address: {ssh_host.address}}}\n"
    )
    stack.app("web", services="[cache]", always="sleep 5; exec httpd -f -p 80 -h /code")
    process = started(rig, "up")
    end = time.monotonic() + 60
    while "dusty_web_1" not in ssh_host.run(["docker", "ps", "--format", "{{.Names}}"]).stdout:
        assert process.poll() is None and time.monotonic() < end
    ssh_host.set_link("down")
    try:
        _out, err = process.communicate(timeout=120)
    finally:
        ssh_host.set_link("up")
    assert process.returncode == 2 and "Traceback" not in err and ssh_host.address in err
    rig.dusty("up")
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")


JUMP = """
import sys, time
real, begin = time.time, time.monotonic()
time.time = lambda: real() + ({jump} if time.monotonic() - begin > 0.3 else 0)
from dusty_tasks.cli.main import main
raise SystemExit(main(["up"]))
"""


@pytest.mark.parametrize("jump", [86400 * 400, -86400 * 400], ids=["ahead", "back"])
def test_a_clock_that_jumps_in_the_middle_of_a_run(rig, tmp_path, jump):
    stack = SmallStack(tmp_path, rig.home)
    rig.run([sys.executable, "-c", JUMP.format(jump=jump)], cwd=ROOT, env={"DUSTY_HOME": str(rig.home)})
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")
    # Files from the future, or from long ago, are files as others.
    stack.code("web", "index.html", "another page\n")
    rig.run(
        [
            "touch",
            "-d",
            f"@{int(time.time()) + jump}",
            str(tmp_path / "code/web/index.html"),
            str(tmp_path / "specs/apps/web.yml"),
            str(rig.home / "state/wanted.json"),
        ]
    )
    rig.dusty("up")
    assert rig.get(f"http://web.test:{PORT}/") == (200, "another page\n")
    assert rig.dusty("up").stdout.startswith("up to date")
