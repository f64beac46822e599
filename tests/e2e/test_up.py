"""`up` against a real engine: what is left alone, restarted, recreated, repaired, refused; one obligation a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from stacks import PORT, SmallStack, changes, done_in_order, stack_that_is_up

UP_TO_DATE = "up to date: 0 changes, 1 Docker read, 0 sudo"


@pytest.fixture
def stack(rig, tmp_path):
    """A small stack, not up yet."""
    return SmallStack(tmp_path, rig.home)


@pytest.fixture
def running(rig, standing):
    """The same, up."""
    return standing(lambda folder: stack_that_is_up(rig, folder))


def untouched(before: dict[str, str], after: dict[str, str], *but: str) -> None:
    """Every container but these has its id and start time of before."""
    expected = {name: what for name, what in before.items() if name not in but}
    assert {name: after.get(name) for name in expected} == expected


def test_a_first_up_serves_the_app_under_its_name_and_a_second_does_nothing(rig, running):
    assert rig.get(f"http://web.test:{PORT}/") == (200, "hello from web\n")
    before = rig.container_ids()
    found = json.loads(rig.dusty("lookup", "--json").stdout)
    assert rig.get(found["urls"][0]) == (200, "hello from web\n")
    assert {container["container"] for container in found["containers"]} == set(before)
    assert rig.dusty("wait", "web").stdout == "ready: web\n"
    done = rig.dusty("up", "--no-pull")
    assert done.stdout.startswith(UP_TO_DATE) and done.stdout.splitlines()[1:] == [f"web  http://web.test:{PORT}/"]
    assert rig.container_ids() == before


def test_changed_code_restarts_its_app_alone_with_the_file_named(rig, running):
    before = rig.container_ids()
    running.code("web", "index.html", "new page\n")
    done = rig.dusty("up")
    assert [line.partition(" (")[0] for line in changes(done.stdout)][1:] == ["restarted web"]
    assert "index.html changed" in done.stdout
    assert rig.get(f"http://web.test:{PORT}/") == (200, "new page\n")
    after = rig.container_ids()
    untouched(before, after, "dusty_web_1")
    assert after["dusty_web_1"].split()[0] == before["dusty_web_1"].split()[0]


def test_a_changed_image_recreates_its_container_alone_and_names_the_spec_line(rig, running):
    before = rig.container_ids()
    running.app("web", image="busybox:2", services="[cache]")
    done = rig.dusty("up")
    assert changes(done.stdout) == ["recreated web (image busybox:1 -> busybox:2, apps/web.yml:3:8)"]
    untouched(before, rig.container_ids(), "dusty_web_1")
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200


def test_a_comment_in_a_spec_changes_no_container(rig, running):
    before = rig.container_ids()
    path = running.folder / "specs/apps/web.yml"
    path.write_text(f"# a comment\n{path.read_text()}")
    assert "up to date: 0 changes" in rig.dusty("up").stdout
    assert rig.container_ids() == before


@pytest.mark.parametrize(
    "accident",
    [
        ["kill", "dusty_web_1"],
        ["stop", "-t", "1", "dusty_cache_1"],
        ["rm", "-f", "dusty_cache_1"],
        ["stop", "dusty_dustyInternalNginx_1"],
        ["pause", "dusty_web_1"],
    ],
    ids=" ".join,
)
def test_what_happened_to_a_container_is_repaired_and_nothing_else_touched(rig, running, accident):
    before = rig.container_ids()
    rig.run(["docker", *accident])
    done = rig.dusty("up")
    assert len(changes(done.stdout)) == 1
    after = rig.container_ids()
    untouched(before, after, accident[-1])
    assert set(after) == set(before)
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ("persist/dustyNginx/dustyNginx.conf", ["pushed nginx config", "reloaded nginx"]),
        ("persist/repos", ["synced", "restarted web"]),
        ("persist/dustyNginx", ["pushed nginx config", "restarted dustyInternalNginx ("]),
        ("command_files", ["pushed command files", "restarted web (its command files were lost"]),
    ],
)
def test_what_was_lost_on_the_docker_host_is_put_back(rig, running, lost, expected):
    rig.run(["rm", "-rf", f"{rig.home}/host/{lost}"])
    done = rig.dusty("up")
    assert [line[: len(word)] for line, word in zip(changes(done.stdout), expected, strict=True)] == expected
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")


def test_a_renamed_container_is_made_again_under_its_name(rig, running):
    before = rig.container_ids()
    rig.run(["docker", "rename", "dusty_cache_1", "mine"])
    assert changes(rig.dusty("up").stdout) == ["recreated cache (its container had been renamed to mine)"]
    untouched(before, rig.container_ids(""), "dusty_cache_1")
    assert set(rig.container_ids("")) == set(before)


def test_a_network_that_was_pruned_while_all_was_stopped_is_made_again(rig, running):
    rig.dusty("stop")
    rig.run(["docker", "network", "prune", "-f"])
    said = rig.dusty("up").stdout
    assert said.count("(the network that it was created in was gone)") == 1 and "recreated web" in said, (
        "each cause once"
    )
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")


def test_a_container_that_was_taken_off_the_network_is_made_again_alone(rig, running):
    before = rig.container_ids()
    rig.run(["docker", "network", "disconnect", "dusty_default", "dusty_web_1"])
    assert changes(rig.dusty("up").stdout) == ["recreated web (it had been taken off the project's network)"]
    untouched(before, rig.container_ids(), "dusty_web_1")
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200


def test_a_name_that_somebody_else_holds_is_refused_before_any_change_unless_adopted(rig, stack):
    rig.run(["docker", "run", "-d", "--name", "dusty_cache_1", "busybox:1", "sleep", "600"])
    done = rig.dusty("up", check=False)
    assert done.returncode == 1
    assert (
        "the name dusty_cache_1 is held by a container that is not Dusty's" in done.stderr and "--adopt" in done.stderr
    )
    assert set(rig.container_ids("")) == {"dusty_cache_1"}
    rig.dusty("up", "--adopt")
    assert set(rig.container_ids()) == {"dusty_cache_1", "dusty_web_1", "dusty_dustyInternalNginx_1"}


def test_an_edited_hosts_file_is_repaired_alone(rig, running):
    before = rig.container_ids()
    rig.run(["sed", "-i", "s/web.test/wep.test/", "/etc/hosts"])
    assert changes(rig.dusty("up").stdout) == ["wrote hosts section (it differed from the compiled one)"]
    assert rig.container_ids() == before


def test_a_new_name_on_a_known_port_keeps_the_proxys_container(rig, running):
    before = rig.container_ids()
    running.app("shop2")
    running.bundle("more", apps="[shop2]")
    running.activate("shop", "more")
    rig.dusty("up")
    after = rig.container_ids()
    untouched(before, after)
    assert rig.get(f"http://shop2.test:{PORT}/")[0] == 200
    assert (
        rig.run(["docker", "exec", "dusty_web_1", "wget", "-qO-", f"http://shop2.test:{PORT}/"]).stdout
        == "hello from shop2\n"
    )


def test_a_new_host_port_recreates_the_proxy_alone(rig, running):
    before = rig.container_ids()
    path = running.folder / "specs/apps/web.yml"
    path.write_text(path.read_text().replace(str(PORT), "8081"))
    rig.dusty("up")
    untouched(before, rig.container_ids(), "dusty_dustyInternalNginx_1", "dusty_web_1")
    assert rig.get("http://web.test:8081/")[0] == 200


def test_a_deactivated_bundle_takes_its_containers_away_and_says_so(rig, running):
    running.bundle("other", services="[other]")
    running.service("other")
    running.activate("shop", "other")
    rig.dusty("up")
    before = rig.container_ids()
    running.activate("shop")
    assert "removed other (nothing active needed it)" in rig.dusty("up").stdout
    after = rig.container_ids("")
    assert "dusty_other_1" not in after
    untouched(before, after, "dusty_other_1")


def test_a_removed_container_takes_its_anonymous_volumes_along_and_leaves_the_others(rig, stack):
    """Also those that it took over from the container it replaced."""
    stack.service("db", more="volumes: [/anonymous, 'kept:/kept', /persist/db:/data]\n")
    stack.bundle("shop", apps="[web]", services="[db]")
    rig.dusty("up")
    rig.run(["docker", "exec", "dusty_db_1", "touch", "/anonymous/file", "/data/file"])
    stack.service("db", image="busybox:2", more="volumes: [/anonymous, 'kept:/kept', /persist/db:/data]\n")
    rig.dusty("up")
    rig.run(["docker", "exec", "dusty_db_1", "ls", "/anonymous/file"])
    stack.bundle("shop", apps="[web]")
    rig.dusty("up")
    assert rig.run(["docker", "volume", "ls", "-q"]).stdout == "dusty_kept\n"
    assert (rig.home / "host/persist/db/file").exists()


def test_no_recreate_says_what_is_pending_and_stops_strangers(rig, running):
    before = rig.container_ids()
    running.app("web", image="busybox:2")
    running.bundle("shop", apps="[web]")
    done = rig.dusty("up", "--no-recreate")
    assert "pending recreate web: image busybox:1 -> busybox:2" in done.stdout
    assert "pending remove cache: nothing active needs it" in done.stdout
    assert rig.container_ids()["dusty_web_1"] == before["dusty_web_1"]
    assert "dusty_cache_1" not in rig.container_ids() and "dusty_cache_1" in rig.container_ids("")
    assert "recreated web" in rig.dusty("up").stdout


def test_an_app_that_fails_is_shown_with_its_last_lines_and_the_others_are_up(rig, stack):
    stack.app("bad", always="echo this is the reason; exit 7")
    stack.bundle("bad", apps="[bad]")
    stack.activate("shop", "bad")
    done = rig.dusty("up", check=False)
    assert done.returncode == 2
    assert "bad exited with status 7; its last lines:\n    this is the reason" in done.stderr
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    # Started again by the next one; what it printed before that is history.
    assert rig.dusty("up", check=False).stderr.count("this is the reason") == 1
    # What several have alike, at their making or after it, is said once with all names.
    more = [f"bad{n}" for n in range(1, 5)]
    for name in more:
        stack.app(name, always=f"echo this is the reason for {name}; exit 7")
        stack.service(f"broken-{name}", more="entrypoint: [/nosuch/program]\n")
    stack.bundle("bad", apps=f"[{', '.join(more)}]", services=f"[{', '.join(f'broken-{name}' for name in more)}]")
    said = rig.dusty("up", check=False).stderr
    assert (
        "each of 4 (bad1, bad2, bad3, bad4) exited with status 7; its last lines:\n    this is the reason for …\n"
        in said
    )
    assert (
        "each of 4 (broken-bad1 (services/broken-bad1.yml:1:1), broken-bad2 (" in said
        and said.count("no such file or directory") == 1
    )


def test_a_plan_names_what_is_restarted_and_made_in_the_order_of_up(rig, running):
    running.service("another")
    running.bundle("shop", apps="[web]", services="[another]")
    running.code("web", "index.html", "new page\n")
    planned = rig.dusty("plan").stdout.splitlines()
    assert done_in_order(rig.dusty("up").stdout, planned)


def test_a_container_that_cannot_be_made_does_not_keep_the_others_down(rig, stack):
    stack.service("broken", more="entrypoint: [/nosuch/program]\n")
    stack.bundle("broken", services="[broken]")
    stack.activate("broken", "shop")
    done = rig.dusty("up", check=False)
    assert done.returncode == 2
    assert "broken (services/broken.yml:1:1): " in done.stderr and "/nosuch/program" in done.stderr
    assert rig.get(f"http://web.test:{PORT}/")[0] == 200
    found = rig.dusty("doctor", check=False)
    assert (
        found.returncode == 1
        and "failed: container: broken could not be started: " in found.stdout
        and "/nosuch/program" in found.stdout
    )
    assert rig.dusty("up", check=False).returncode == 2


def test_an_image_that_cannot_be_had_stops_up_before_anything_that_runs_is_touched(rig, running):
    before = rig.container_ids()
    running.app("web", image="nosuch:9", services="[cache]")
    done = rig.dusty("up", check=False)
    assert done.returncode == 2 and "nosuch:9" in done.stderr
    assert rig.container_ids() == before


def test_a_job_that_finished_is_left_alone_and_a_service_that_was_stopped_is_not(rig, stack):
    stack.service("job", command="sleep 1; echo done")
    stack.bundle("shop", apps="[web]", services="[job]")
    rig.dusty("up")
    rig.run(["docker", "wait", "dusty_job_1"])
    before = rig.container_ids("")
    assert rig.dusty("up").stdout.startswith("up to date")
    assert rig.dusty("up").stdout.startswith(UP_TO_DATE[:-8])
    assert rig.container_ids("") == before
    rig.dusty("stop", "cache")
    assert changes(rig.dusty("up").stdout) == ["started cache (it had been stopped by hand)"]


def test_a_service_with_a_healthcheck_is_waited_for_before_its_user_starts(rig, stack):
    stack.service(
        "cache",
        command="sleep 2; touch /healthy; sleep 100000",
        more='healthcheck: {test: ["CMD", "test", "-e", "/healthy"], interval: 1s, retries: 20}\n',
    )
    rig.dusty("up")
    started = json.loads(rig.run(["docker", "inspect", "dusty_cache_1", "dusty_web_1"]).stdout)
    healthy = next(entry["Start"] for entry in started[0]["State"]["Health"]["Log"] if entry["ExitCode"] == 0)
    assert healthy[:19] <= started[1]["State"]["StartedAt"][:19]


def test_a_service_with_a_healthcheck_is_waited_for_when_both_are_started_again(rig, stack):
    stack.service(
        "cache",
        command="rm -f /healthy; sleep 2; touch /healthy; sleep 100000",
        more='healthcheck: {test: ["CMD", "test", "-e", "/healthy"], interval: 1s, retries: 20}\nstop_grace_period: 1s\n',
    )
    rig.dusty("up")
    rig.dusty("stop")
    rig.dusty("up")
    started = json.loads(rig.run(["docker", "inspect", "dusty_cache_1", "dusty_web_1"]).stdout)
    healthy = next(entry["Start"] for entry in started[0]["State"]["Health"]["Log"] if entry["ExitCode"] == 0)
    assert healthy[:19] <= started[1]["State"]["StartedAt"][:19]


def test_a_taken_port_is_named_with_its_holder_before_anything_is_changed(rig, stack):
    rig.run(
        ["sh", "-c", f"python3 -m http.server {PORT} --bind 127.0.0.1 > /dev/null 2>&1 & echo $! > /run/listener.pid"]
    )
    try:
        rig.run(["sh", "-c", f"until curl -s -o /dev/null http://127.0.0.1:{PORT}/; do :; done"])
        done = rig.dusty("up", check=False)
    finally:
        rig.run(["sh", "-c", "kill $(cat /run/listener.pid)"])
    assert done.returncode == 1
    assert f"port {PORT} of 127.0.0.1 (dustyInternalNginx) is held by python3 (pid " in done.stderr
    assert rig.container_ids("") == {}


def test_another_bridge_address_is_named_with_what_mends_it(rig, stack):
    (rig.home / "config.yml").write_text(f"{stack.config}bridge_ip: 172.17.0.9\n")
    done = rig.dusty("up", check=False)
    assert done.returncode == 1 and "dusty config set bridge_ip 172.17.0.1" in done.stderr
    assert rig.container_ids("") == {}


def test_another_homes_containers_are_refused_unless_adopted(rig, running, tmp_path):
    other_home = tmp_path / "other-home"
    other_home.mkdir()
    (other_home / "config.yml").write_text(running.config)
    before = rig.container_ids()
    rig.dusty("compile", env={"DUSTY_HOME": str(other_home)})
    for words in (["up"], ["stop"], ["restart"], ["shutdown"]):
        done = rig.dusty(*words, env={"DUSTY_HOME": str(other_home)}, check=False)
        assert done.returncode == 1 and "belong to the DUSTY_HOME /" in done.stderr
    assert rig.container_ids() == before
    plan = rig.dusty("plan", env={"DUSTY_HOME": str(other_home)})
    assert "up would refuse this: " in plan.stderr and "--adopt" in plan.stderr and "recreate web: " in plan.stdout
    assert "recreated web" in rig.dusty("up", "--adopt", env={"DUSTY_HOME": str(other_home)}).stdout


def test_a_required_asset_that_is_not_set_is_named_before_any_docker_work(rig, stack):
    stack.app("web", more="assets: [{name: SECRET, path: /secret}]\n")
    done = rig.dusty("up", check=False)
    assert done.returncode == 1 and "SECRET, required by web" in done.stderr
    assert rig.container_ids("") == {}


def test_a_config_that_nginx_refuses_leaves_the_former_one(rig, stack):
    """A proxy image whose nginx finds fault with any candidate, and goes on running."""
    rig.run(
        [
            "sh",
            "-ec",
            r"""
        docker run --name refusing busybox:1 sh -c 'printf "%s\n" "#!/bin/sh" "case \"\$*\" in *-t*) echo refused at candidate.conf:12; exit 1;; esac" \
            "trap : HUP; while :; do sleep 1; done" > /bin/nginx; chmod +x /bin/nginx'
        docker commit refusing refusing:1; docker rm refusing""",
        ]
    )
    (rig.home / "config.yml").write_text(f"{stack.config}nginx_image: refusing:1\nup: {{wait: 1}}\n")
    assert rig.dusty("up", check=False).returncode == 1, "nothing answers through it"
    config_path = rig.home / "host/persist/dustyNginx/dustyNginx.conf"
    former = config_path.read_bytes()
    stack.app("web2")
    stack.bundle("more", apps="[web2]")
    (rig.home / "config.yml").write_text((rig.home / "config.yml").read_text().replace("[shop]", "[shop, more]"))
    done = rig.dusty("up", check=False)
    assert done.returncode == 3 and "refused at candidate.conf:12" in done.stderr
    assert config_path.read_bytes() == former


def test_an_image_is_built_again_when_its_context_changes_after_dockerignore(rig, stack):
    context = stack.code("built", "Dockerfile", "FROM busybox:1\nCOPY data /data\n").parent
    stack.code("built", "data", "one")
    stack.code("built", ".dockerignore", "ignored\n")
    stack.spec("services/built.yml", f"build: {context}\ncommand: sleep 100000\nstop_grace_period: 1s\n")
    stack.bundle("shop", services="[built]")
    rig.dusty("trust", "specs", "allow")  # The context lies outside the specs.
    rig.dusty("up")
    before = rig.container_ids()
    stack.code("built", "ignored", "x")
    assert rig.dusty("up").stdout.startswith("up to date")
    stack.code("built", "data", "two")
    assert [line.partition(" (")[0] for line in changes(rig.dusty("up").stdout)] == [
        "built image built",
        "recreated built",
    ]
    assert rig.run(["docker", "exec", "dusty_built_1", "cat", "/data"]).stdout == "two"
    assert rig.container_ids() != before


def test_a_variable_of_the_caller_takes_part(rig, stack):
    stack.service("cache", more="environment: [TOKEN]\n")
    rig.dusty("up", env={"TOKEN": "one"})
    assert rig.dusty("up", env={"TOKEN": "one"}).stdout.startswith("up to date")
    assert changes(rig.dusty("up", env={"TOKEN": "two"}).stdout) == ["recreated cache (new value of TOKEN)"]
    assert rig.run(["docker", "exec", "dusty_cache_1", "sh", "-c", "echo $TOKEN"]).stdout == "two\n"


def test_plan_prints_what_up_then_does_and_changes_nothing(rig, stack):
    planned = rig.dusty("plan", "--exit-code", check=False)
    assert planned.returncode == 10
    assert rig.container_ids("") == {} and not (rig.home / "build").exists()
    assert done_in_order(rig.dusty("up").stdout, planned.stdout.splitlines())
    assert rig.dusty("plan", "--exit-code").stdout == "nothing to do\n"


def test_a_run_with_nothing_to_do_starts_no_process_and_loads_no_heavy_library(rig, running):
    code = (
        "import sys\nfrom dusty_tasks.cli.main import main\ncode = main(['up', '--no-pull'])\n"
        "print('LOADED', *sorted(sys.modules), file=sys.stderr)\nraise SystemExit(code)"
    )
    log = running.folder / "trace"
    done = rig.run(
        ["strace", "-f", "-e", "trace=execve", "-o", str(log), sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[2],
        env={"DUSTY_HOME": str(rig.home)},
    )
    assert done.stdout.startswith(UP_TO_DATE)
    loaded = set(done.stderr.partition("LOADED")[2].split())
    assert not loaded & {
        "yaml",
        "jinja2",
        "jsonschema",
        "docker",
        "rich",
        "sh",
        "watchfiles",
        "inotify_simple",
        "http.client",
    }
    assert log.read_text().count("execve(") == 1, "the interpreter itself and nothing else"


def test_of_two_at_once_one_does_it_and_the_other_names_it(rig, stack):
    argv = rig.machine.argv([str(Path(__file__).resolve().parents[2] / "dusty"), "up"])
    env = {**os.environ, "DUSTY_HOME": str(rig.home), "HOME": "/root"}
    both = [
        subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    ends = [(process.communicate(timeout=120), process.returncode) for process in both]
    codes = sorted(code for _printed, code in ends)
    assert codes in ([0, 1], [0, 0])
    for (_out, err), code in ends:
        assert not code or "dusty up (pid " in err
    assert rig.dusty("up").stdout.startswith("up to date")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "^C"])
def test_an_interrupted_up_ends_with_its_own_code_and_the_next_one_goes_on(rig, stack, number, code):
    for i in range(3):
        stack.app(f"app{i}", always="sleep 1; exec httpd -f -p 80 -h /code")
    stack.bundle("shop", apps="[web, app0, app1, app2]")
    env = {"DUSTY_HOME": str(rig.home), "HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    argv = [sys.executable, "-m", "dusty_tasks", "up"]
    # In its own process group, as a shell starts it, so that ^C reaches its children as well; heard even if we run in the background.
    process = subprocess.Popen(
        rig.machine.argv(
            ["setsid", "--wait", "env", "--default-signal=INT", *argv], cwd=Path(__file__).resolve().parents[2]
        ),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("pushed nginx config"):
            break
    found = rig.run(["pgrep", "-f", "dusty_tasks up"]).stdout.split()
    # The last one may be a child between fork and exec: its group is that of the run all the same.
    group = rig.run(["ps", "-o", "pgid=", "-p", found[-1]]).stdout.strip()
    rig.run(["kill", f"-{number.value}", "--", f"-{group}"])
    printed = process.communicate(timeout=60)
    assert process.returncode == code, printed
    assert "Traceback" not in printed[1]
    rig.dusty("up")
    assert rig.get(f"http://app2.test:{PORT}/")[0] == 200
    assert rig.dusty("up").stdout.startswith("up to date")


def test_apps_have_an_init_and_run_as_a_number_and_an_upgrade_says_why_they_are_made_anew(rig, stack):
    """`plain` has an image without a passwd file; `web` ignores SIGTERM as its own first process would, `own` keeps the init out."""
    rig.run(
        [
            "sh",
            "-c",
            "docker create --name bare busybox:1 true >/dev/null && mkdir /run/x && docker export bare | tar -C /run/x -x && rm /run/x/etc/passwd /run/x/etc/group"
            " && tar -C /run/x -c . | docker import --change 'ENV PATH=/bin' - no-passwd:1 && docker rm bare && rm -r /run/x",
        ]
    )
    stack.app("own", more="compose: {init: false}")
    stack.app("plain", image="no-passwd:1")
    stack.bundle("shop", apps="[web, own, plain]")
    rig.dusty("up", "--yes")
    shown = rig.run(
        [
            "docker",
            "inspect",
            "--format",
            "{{.HostConfig.Init}} {{.Config.User}}",
            "dusty_web_1",
            "dusty_own_1",
            "dusty_plain_1",
            "dusty_cache_1",
        ]
    )
    assert shown.stdout.splitlines() == ["true 0", "false 0", "true 0", "<nil> "]
    assert rig.get(f"http://plain.test:{PORT}/") == (200, "hello from plain\n")
    # A container that does not handle SIGTERM ends by it, and is not killed after its second.
    rig.dusty("stop", "web", "own")
    codes = rig.run(
        ["docker", "inspect", "--format", "{{.State.ExitCode}}", "dusty_web_1", "dusty_own_1"]
    ).stdout.split()
    assert codes == ["143", "137"]
    rig.dusty("up", "--no-pull")
    records_path = rig.home / "host/persist/.dusty/started.json"
    records = json.loads(records_path.read_text())
    for record in records.values():
        record["mapping"] = {
            key: "root" if key == "user" else value
            for key, value in record["mapping"].items()
            if key != "init" or not value
        }
    records_path.write_text(json.dumps(records))
    before = rig.container_ids()
    planned = rig.dusty("plan").stdout.splitlines()
    assert [line.partition(":")[0] for line in planned] == ["recreate plain", "recreate web"] and all(
        "apps now have an init process" in line for line in planned
    )
    rig.dusty("up", "--no-pull")
    untouched(before, rig.container_ids(), "dusty_plain_1", "dusty_web_1")
    assert rig.dusty("plan").stdout == "nothing to do\n"


def test_a_name_of_the_users_own_blocks_no_other_and_an_edit_in_a_bound_tree_restarts_its_app(rig, stack):
    (stack.home / "config.yml").write_text(stack.config + "sync: {mode: bind}\n")
    stack.app(
        "web",
        services="[cache]",
        more="""\
assets: [{name: IN_TREE, path: /code/key, required: false}, {name: STORED, path: /code/data/key, required: false}]
compose: {volumes: ['data:/code/data']}
test: {image: 'busybox:1', suites: [{name: unit, command: ['true'], compose: {volumes: ['/persist/x:/code/tmp']}}]}
""",
    )
    for key in ("IN_TREE", "STORED"):
        rig.dusty("assets", "set", key, str(stack.folder / "specs/apps/web.yml"))
    (stack.folder / "code/web/data").mkdir()
    stack.app("api")
    stack.app("tree")
    stack.bundle("shop", apps="[web, api, tree]")
    web = stack.folder / "code/web"
    # `tree` is a worktree, whose .git is a file; `api` is no git repo, and gets no .git.
    rig.run(
        [
            "sh",
            "-c",
            "cd $0 && git init -q && git -c user.name=x -c user.email=x@y.z commit -q --allow-empty -m one"
            " && rm -r ../tree && git worktree add -q ../tree && echo hello > ../tree/index.html",
            str(web),
        ]
    )
    rig.run(["sh", "-c", "echo '10.0.0.5 api.test' >> /etc/hosts; echo '::1 web.test' >> /etc/hosts"])
    for _ in range(2):
        done = rig.dusty("up", check=False)
        assert done.returncode == 1 and '"10.0.0.5 api.test"' in done.stderr and '"127.0.0.1 api.test"' in done.stderr
    assert (
        "127.0.0.1 web.test" in rig.run(["cat", "/etc/hosts"]).stdout
        and "127.0.0.1 api.test" not in rig.run(["cat", "/etc/hosts"]).stdout
    )
    rig.run(["sed", "-i", "/10.0.0.5/d", "/etc/hosts"])
    assert changes(rig.dusty("up").stdout) == ["wrote hosts section (it differed from the compiled one)"]
    in_git = "! echo x > /code/.git/config; ! mkdir /code/.git/hooks/x; ! mv /code/.git /code/no; ! rm -rf /code/.git; test -s /code/.git/HEAD"
    in_link = "! echo x > /code/.git; ! mv /code/.git /code/no; ! rm -f /code/.git; grep -q ^gitdir /code/.git"
    for name, attack in (("web", in_git), ("tree", in_link)):
        rig.run(["docker", "exec", f"dusty_{name}_1", "sh", "-ec", attack])
    assert (web / ".git/config").read_text().startswith("[core]") and not (stack.folder / "code/api/.git").exists()
    assert (
        rig.run(["docker", "exec", "dusty_web_1", "sh", "-c", "ls /code/data /code/key 2>&1"], check=False).stdout
        == "ls: /code/key: No such file or directory\n/code/data:\nkey\n"
    )
    assert sorted(path.name for path in web.iterdir()) == [".git", "data", "index.html"] and not [
        *(web / "data").iterdir()
    ]
    for words, missing in ((("restart", "web"), web / "data"), (("test", "web", "unit"), web / "tmp")):
        before = rig.container_ids()
        (web / "data").rename(web / "gone")
        done = rig.dusty(*words, check=False)
        (web / "gone").rename(web / "data")
        assert done.returncode == 1 and f"mkdir -p {missing}" in done.stderr and rig.container_ids() == before
    stack.code("web", "index.html", "edited\n")
    assert changes(rig.dusty("up").stdout) == ["restarted web (repo web was edited after it started)"]
    assert rig.dusty("up").stdout.startswith("up to date")
