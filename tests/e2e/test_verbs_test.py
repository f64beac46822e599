"""`dusty test` on a real engine: isolation, cached images, what is left behind (nothing)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from stacks import SmallStack

ROOT = Path(__file__).resolve().parents[2]
SUITES = """\
assets: [{name: KEY, path: /etc/secret/key}]
test:
  image: busybox:1
  once: ["echo once-ran", "date +%N > /made", "cat /etc/secret/key > /dev/null"]
  suites:
    - name: args
      default_args: a 'b c'
      command: ['for a in "$@"; do echo "[$a]"; done; true']
    - name: made
      command: ["cat /made #"]
    - name: net
      services: [db]
      command:
        - ask() { for i in 1 2 3 4 5 6 7 8 9; do nc -w 2 $1 7000 && return; sleep 0.3; done; return 1; }
        - ask localhost && ask db #
    - name: fails
      services: [db]
      command: ["echo failing; echo '<testsuite/>' > $DUSTY_RESULTS/junit.xml; exit 3 #"]
    - name: slow
      services: [db]
      command: ["echo started; sleep 300 #"]
    - name: leak
      command: ["find / -xdev -name key -path '*secret*' | wc -l; cat /etc/secret/key; true"]
"""
DB = "echo hello-from-db > /m; echo test-data >> /data/seen; while :; do nc -l -p 7000 < /m; done"


@pytest.fixture
def stack(rig, tmp_path):
    """web with suites, its db with data under /persist."""
    stack = SmallStack(tmp_path, rig.home)
    stack.service("db", command=DB, more='volumes: ["/persist/db:/data"]\nports: ["7000:7000"]\n')
    stack.app("web", more=SUITES)
    (tmp_path / "key").write_text("t0p-secret\n")
    rig.dusty("assets", "set", "KEY", str(tmp_path / "key"))
    commit(stack)
    return stack


def commit(stack, name="web"):
    folder = stack.folder / "code" / name
    run = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run([*run, "add", "-A"], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "x"], check=True)


def left(rig):
    """What test runs left on the engine."""
    shown = rig.run(
        ["sh", "-c", "docker ps -aq; docker volume ls -q; docker network ls -q --filter type=custom"]
    ).stdout.split()
    return shown


def test_the_image_is_made_once_and_again_for_each_of_its_causes(rig, stack):
    rig.run(
        ["sh", "-c", "docker images -q --filter label=dusty.test.target=web | xargs -r docker rmi -f"]
    )  # of an earlier run
    first = rig.dusty("test", "web", "made")
    assert "building the test image of web: there is none yet" in first.stdout and "once-ran" in first.stdout
    made = first.stdout.splitlines()[-2]
    again = rig.dusty("test", "web", "made")
    assert again.stdout.splitlines() == [made, "TESTS made PASSED"]
    (stack.folder / "code/web/index.html").write_text("edited, not committed")
    assert "making" not in rig.dusty("test", "web", "made").stdout, (
        "uncommitted edits reach the tests through the mount"
    )
    commit(stack)
    assert "building the test image of web: the code of" in rig.dusty("test", "web", "made").stdout
    stack.app("web", more=SUITES.replace("once-ran", "once-changed"))
    assert "building the test image of web: its setup changed" in rig.dusty("test", "web", "made").stdout
    assert "asked for with --recreate" in rig.dusty("test", "--recreate", "web", "made").stdout
    assert len(rig.run(["docker", "images", "-q", "--filter", "label=dusty.test.target=web"]).stdout.split()) == 1, (
        "former images are gone"
    )


def test_a_setup_that_fails_shows_its_output_and_leaves_the_former_image(rig, stack):
    rig.dusty("test", "web", "made")
    before = rig.run(["docker", "images", "-q", "dusty/test_web"]).stdout
    stack.app("web", more=SUITES.replace("echo once-ran", "echo about-to-fail; exit 4"))
    ended = rig.dusty("test", "web", "made", check=False)
    assert ended.returncode == 1 and "about-to-fail" in ended.stdout and "exited with status 4" in ended.stderr
    assert rig.run(["docker", "images", "-q", "dusty/test_web"]).stdout == before and left(rig) == []


def test_arguments_and_status_pass_through(rig, stack):
    assert rig.dusty("test", "web", "args").stdout.splitlines()[-3:] == ["[a]", "[b c]", "TESTS args PASSED"]
    assert rig.dusty("test", "web", "args", "x y", "", "--flag").stdout.splitlines()[-4:] == [
        "[x y]",
        "[]",
        "[--flag]",
        "TESTS args PASSED",
    ]
    ended = rig.dusty("test", "--json", "--recreate", "web", "fails", check=False)
    facts = json.loads(ended.stdout)
    (suite,) = facts["suites"]
    assert ended.returncode == facts["exit_code"] == suite["exit_code"] == 3 and facts["warnings"] == []
    assert suite["results"] == str(rig.home / "test-results/web/fails") and suite["printed"] == ["failing"]
    assert "\nonce-ran\n" in ended.stderr
    assert ended.stderr.splitlines()[-3:] == [
        "failing",
        f"results of fails: {suite['results']}",
        "TESTS fails FAILED",
    ]
    assert (rig.home / "test-results/web/fails/junit.xml").read_text() == "<testsuite/>\n"


def test_services_are_at_localhost_and_the_stack_and_its_data_are_not_touched(rig, stack):
    stack.bundle("shop", apps="[web]", services="[db]")
    rig.dusty("up")
    before, data = rig.container_ids(), (rig.home / "host/persist/db/seen").read_bytes()
    ended = rig.dusty("test", "web", "net")
    assert ended.stdout.count("hello-from-db") == 2
    assert rig.container_ids() == before and (rig.home / "host/persist/db/seen").read_bytes() == data
    assert "up to date: 0 changes" in rig.dusty("up", "--no-pull").stdout


SEED = """\
image: busybox:${{TAG}}
job: true
command: [sh, -c, "sleep 2; cat /conf /run/key /run/more >/shared/all; echo $WORD >>/shared/all; exit $STATUS"]
environment: {WORD: "seed-${{TOKEN}}", STATUS: "${{STATUS}}"}
volumes: ["shared:/shared", "./conf/seed:/conf:ro"]
assets: [{name: KEY, path: /run/key}, {name: MORE, path: /run/more, required: false}]
"""
SEEDED = """\
test:
  image: busybox:1
  suites:
    - name: seeded
      services: [seed]
      command: ["cat /shared/all; echo $MINE"]
      compose: {environment: {MINE: "mine-${{TOKEN}}"}, volumes: ["shared:/shared"]}
"""


def test_a_suite_has_jobs_variables_secrets_files_and_assets_of_its_services(rig, stack):
    stack.spec("vars.yml", "TOKEN: {secret: true}\nTAG: {}\nSTATUS: {default: '0'}\n")
    stack.spec("services/seed.yml", SEED)
    (stack.folder / "specs/conf").mkdir()
    stack.spec("conf/seed", "conf\n")
    stack.app("other", more=SEEDED)
    commit(stack, "other")
    refused = rig.dusty("test", "other", "seeded", check=False)
    assert refused.returncode == 1
    assert "services/seed.yml:1:8: image: the variable TAG has no value" in refused.stderr
    assert "apps/other.yml" in refused.stderr and "the variable TOKEN has no value" in refused.stderr
    rig.dusty("vars", "set", "TAG", "1")
    rig.dusty("vars", "set", "TOKEN", "hidden")
    ran = rig.dusty("test", "other", "seeded").stdout
    assert "conf\nt0p-secret\nseed-hidden\nmine-hidden\n" in ran
    rig.dusty("vars", "set", "STATUS", "4")
    failed = rig.dusty("test", "other", "seeded", check=False)
    assert failed.returncode == 2 and "the job seed exited with status 4" in failed.stderr
    assert "mine-hidden" not in failed.stdout and left(rig) == []
    found = rig.run(["grep", "-rl", "hidden", str(rig.home)]).stdout.split()
    assert found == [f"{rig.home}/secrets/TOKEN"]


def test_no_secret_stays_in_the_image_and_tests_see_it_all_the_same(rig, stack):
    assert "t0p-secret" in rig.dusty("test", "web", "leak").stdout
    assert (
        rig.run(["docker", "run", "--rm", "dusty/test_web", "sh", "-c", "cat /etc/secret/key || echo gone"]).stdout
        == "gone\n"
    )


def test_all_runs_everything_and_ends_with_the_highest_status(rig, stack):
    stack.app("web", more=SUITES.replace("sleep 300", "sleep 1"))
    ended = rig.dusty("test", "-n", "3", "web", "all", check=False)
    assert ended.returncode == 3 and "args  | [b c]" in ended.stdout
    assert [line.split()[:2] for line in ended.stdout.splitlines()[-6:]] == [
        ["args", "PASSED"],
        ["made", "PASSED"],
        ["net", "PASSED"],
        ["fails", "FAILED"],
        ["slow", "PASSED"],
        ["leak", "PASSED"],
    ]
    assert left(rig) == []


def test_cached_results_hold_until_the_code_changes(rig, stack):
    rig.dusty("test", "web", "args")
    assert "reused: nothing that it depends on changed" in rig.dusty("test", "--cached", "web", "args").stdout
    (stack.folder / "code/web/index.html").write_text("edited")
    assert "reused" not in rig.dusty("test", "--cached", "web", "args").stdout


@pytest.mark.parametrize("how", ["^C", "SIGINT", "SIGTERM"])
def test_an_interrupted_run_leaves_nothing(rig, stack, how):
    number = signal.SIGTERM if how == "SIGTERM" else signal.SIGINT
    assert interrupted(rig, number, how == "^C") == 128 + number
    assert left(rig) == []


def test_a_killed_run_is_tidied_up_by_the_next(rig, stack):
    interrupted(rig, signal.SIGKILL, False)
    assert left(rig) != []
    assert "removed what a killed test run had left" in rig.dusty("test", "web", "args").stdout
    assert left(rig) == []


def interrupted(rig, number, is_whole_group):
    """The exit code of `dusty test web slow`, sent a signal once its suite runs."""
    pid_file = rig.home / "pid"
    argv = rig.machine.argv(["setsid", "sh", "-c", f"echo $$ > {pid_file}; exec {ROOT}/dusty test web slow"])
    env = {
        **os.environ,
        "DUSTY_HOME": str(rig.home),
        "HOME": "/root",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as process:
        for line in process.stdout:
            if line == "started\n":
                break
        pid = pid_file.read_text().strip()
        # setsid does not fork here, so the shell's pid is dusty's own, and the number of its group.
        rig.run(["kill", f"-{int(number)}", "--", f"-{pid}" if is_whole_group else pid])
        process.stdout.read() if number != signal.SIGKILL else None
        return process.wait(60)
