"""An ssh Docker host that is off, is started, goes away and comes back; and repos that are cloned over ssh."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def far(rig, ssh_host):
    """Settings for the second machine, whose power switch is the cable to it."""
    switch = {
        "start": ["ip", "link", "set", "cable0", "up"],
        "stop": ["ip", "link", "set", "cable0", "down"],
        "status": ["sh", "-c", "ip link show cable0 | grep -q LOWER_UP"],
    }
    rig.home.mkdir(parents=True)
    config = {"host": {"kind": "ssh", "ssh": ssh_host.login, "wait": 40, **switch}}
    rig.home.joinpath("config.yml").write_text(json.dumps(config))
    yield rig
    rig.run(["ip", "link", "set", "cable0", "up"])


def test_a_machine_that_is_known_to_be_off_is_off_and_one_that_nobody_sees_is_unknown(far, ssh_host, tmp_path):
    (tmp_path / "specs/bundles").mkdir(parents=True)
    (tmp_path / "specs/services").mkdir()
    (tmp_path / "specs/bundles/shop.yml").write_text("services: [db]\n")
    (tmp_path / "specs/services/db.yml").write_text("image: busybox:1\n")
    config = json.loads((far.home / "config.yml").read_text()) | {
        "specs_repo": str(tmp_path / "specs"),
        "bundles": ["shop"],
    }
    config["host"]["address"] = ssh_host.address
    (far.home / "config.yml").write_text(json.dumps(config))
    far.run(["ip", "link", "set", "cable0", "down"])
    status, plan, stop = (far.dusty(verb, check=False) for verb in ("status", "plan", "stop"))
    assert [done.returncode for done in (status, plan, stop)] == [0, 0, 0]
    assert (
        "is off" in status.stdout
        and "absent" not in status.stdout
        and "create" not in plan.stdout
        and "is off" in plan.stderr + stop.stdout
    )
    shell = far.dusty("shell", "db", "true", check=False)
    assert shell.returncode == 1 and f"{ssh_host.login} is off" in shell.stderr
    del config["host"]["status"]
    (far.home / "config.yml").write_text(json.dumps(config))
    status, plan, stop = (far.dusty(verb, check=False) for verb in ("status", "plan", "stop"))
    assert [done.returncode for done in (status, plan, stop)] == [2, 2, 2]
    assert (
        "unknown" in status.stdout
        and "absent" not in status.stdout
        and "create" not in plan.stdout
        and "unknown" in plan.stderr
    )


def test_start_waits_for_the_engine_and_stores_the_address(far, ssh_host):
    far.run(["ip", "link", "set", "cable0", "down"])
    done = far.dusty("start")
    assert "ip link set cable0 up" in done.stdout
    assert re.search(r"^engine +\S", done.stdout, re.MULTILINE)
    assert yaml.safe_load((far.home / "config.yml").read_text())["host"]["address"] == ssh_host.address


def test_start_of_a_machine_that_runs_starts_nothing(far):
    assert "ip link set" not in far.dusty("start").stdout


def test_shutdown_stops_the_containers_then_the_machine(far, ssh_host):
    ssh_host.run(
        [
            "docker",
            "run",
            "-d",
            "--name",
            "dusty_web_1",
            "--label",
            "com.docker.compose.project=dusty",
            "--label",
            "dusty.name=web",
            "busybox:1",
            "sleep",
            "600",
        ]
    )
    far.dusty("shutdown")
    assert ssh_host.run(["docker", "ps", "-q"]).stdout == ""
    assert far.run(["sh", "-c", "ip link show cable0 | grep -q LOWER_UP"], check=False).returncode != 0


def test_a_machine_that_does_not_come_up_is_a_timeout_with_its_last_cause(far, ssh_host):
    config = json.loads((far.home / "config.yml").read_text())
    config["host"] |= {"start": ["true"], "status": ["false"], "wait": 2, "ssh": f"root@{ssh_host.address}:9"}
    (far.home / "config.yml").write_text(json.dumps(config))
    done = far.dusty("start", check=False)
    assert done.returncode == 2
    assert "Docker is not responding: waiting 0.5 s" in done.stdout
    assert "Connection refused" in done.stderr and "waited 2 s" in done.stderr


def test_a_login_that_is_refused_is_not_waited_for(far, ssh_host):
    """But that of a machine which Dusty starts: it may not know its users yet; a wrong host key is final there, too."""
    far.run(["mv", "/root/.ssh/known_hosts", "/root/.ssh/known_hosts.aside"])
    unknown = far.dusty("start", check=False)
    far.run(["mv", "/root/.ssh/known_hosts.aside", "/root/.ssh/known_hosts"])
    assert unknown.returncode == 2 and "host key is not known" in unknown.stderr and "waiting" not in unknown.stdout
    config = json.loads((far.home / "config.yml").read_text())
    config["host"] |= {"ssh": f"stranger@{ssh_host.address}", "wait": 1}
    (far.home / "config.yml").write_text(json.dumps(config))
    assert "waited 1 s" in far.dusty("start", check=False).stderr
    config["host"] = {key: value for key, value in config["host"].items() if key != "start"}
    (far.home / "config.yml").write_text(json.dumps(config))
    done = far.dusty("start", check=False)
    assert done.returncode == 2 and "Permission denied" in done.stderr and "ssh-copy-id" in done.stderr
    assert "waiting" not in done.stdout


def test_a_name_that_does_not_resolve_is_not_waited_for(rig, ssh_host):
    rig.home.mkdir(parents=True)
    rig.home.joinpath("config.yml").write_text(
        json.dumps({"host": {"kind": "ssh", "ssh": "root@nosuch.invalid", "wait": 120}})
    )
    done = rig.dusty("start", check=False, timeout=60)
    assert done.returncode == 2 and "Could not resolve hostname" in done.stderr and "correct host.ssh" in done.stderr
    assert "waiting" not in done.stdout


def test_an_engine_that_is_closed_or_missing_over_there_is_not_waited_for(rig, ssh_host):
    rig.home.mkdir(parents=True)
    ssh_host.run(["sh", "-c", "id dev 2>/dev/null || useradd -m dev; usermod -p '*' -G '' dev"])
    rig.home.joinpath("config.yml").write_text(
        json.dumps({"host": {"kind": "ssh", "ssh": f"dev@{ssh_host.address}", "wait": 120}})
    )
    done = rig.dusty("start", check=False, timeout=60)
    assert done.returncode == 2 and "permission denied" in done.stderr and "group docker" in done.stderr
    assert "waiting" not in done.stdout


@pytest.fixture
def served(rig, ssh_host, tmp_path: Path):
    """A bare repo on the second machine, and a specs repo that names it in the given way."""
    ssh_host.run(["sh", "-c", "rm -rf /srv/web.git && git init -q --bare -b main /srv/web.git"])
    rig.run(
        [
            "sh",
            "-c",
            f"rm -rf /tmp/served && git clone -q {ssh_host.login}:/srv/web.git /tmp/served && cd /tmp/served && git checkout -q -B main "
            "&& echo one >code && git add . && git -c user.name=T -c user.email=t@localhost commit -qm one && git push -q origin main",
        ]
    )

    def specs(url: str) -> None:
        for file, text in (
            ("bundles/shop.yml", "apps: [web]\n"),
            ("apps/web.yml", f"repo: {url}\nmount: /web\nimage: busybox:1\ncommands: {{always: [sleep 600]}}\n"),
        ):
            path = tmp_path / "specs" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        rig.home.mkdir(parents=True, exist_ok=True)
        rig.home.joinpath("config.yml").write_text(
            json.dumps({"specs_repo": str(tmp_path / "specs"), "bundles": ["shop"]})
        )

    yield specs
    rig.run(["rm", "-rf", "/tmp/served"])


@pytest.mark.parametrize("url", ["{login}:/srv/web.git", "ssh://{login}/srv/web.git", "ssh://{login}:22/srv/web"])
def test_repos_are_cloned_over_ssh_in_each_spelling(served, rig, ssh_host, url):
    if not url.endswith(".git"):
        ssh_host.run(["ln", "-sfn", "/srv/web.git", "/srv/web"])
    served(url.format(login=ssh_host.login))
    assert "cloned web, branch main" in rig.dusty("repos", "update").stdout
    assert (rig.home / f"repos/{ssh_host.address}/srv/web/code").read_text() == "one\n"
    assert rig.dusty("repos", "update").stdout == "1 repo is up to date\n"


def test_a_clone_that_needs_a_question_fails_with_what_to_do(served, rig, ssh_host):
    served(f"{ssh_host.login}:/srv/web.git")
    rig.run(["mv", "/root/.ssh/known_hosts", "/root/.ssh/known_hosts.aside"])
    rig.run(["mv", "/root/.ssh/id_ed25519", "/root/.ssh/key.aside"])
    try:
        unknown = rig.dusty("repos", "update", check=False)
        rig.run(["mv", "/root/.ssh/known_hosts.aside", "/root/.ssh/known_hosts"])
        no_key = rig.dusty("repos", "update", check=False)
        with_agent = rig.run(
            [
                "ssh-agent",
                "sh",
                "-c",
                f"ssh-add -q /root/.ssh/key.aside && {Path(__file__).resolve().parents[2]}/dusty repos update",
            ],
            env={"DUSTY_HOME": str(rig.home)},
        )
    finally:
        rig.run(
            [
                "sh",
                "-c",
                "cd /root/.ssh; [ ! -e known_hosts.aside ] || mv known_hosts.aside known_hosts; mv key.aside id_ed25519",
            ]
        )
    assert unknown.returncode == 2 and "compare its host key" in unknown.stderr
    assert no_key.returncode == 2 and "Permission denied" in no_key.stderr and "ssh-add" in no_key.stderr
    assert "cloned" in with_agent.stdout


def test_a_request_that_takes_the_engine_a_while_is_answered_over_ssh(far, ssh_host):
    # For an engine whose asker closes his end of the connection he has gone away: it gives up what he asked for.
    ssh_host.run(["docker", "run", "-d", "--name", "slow", "busybox:1", "sh", "-c", "sleep 1; exit 7"])
    ask = "from dusty_tasks import session; from dusty_tasks.effects.engine.http import Engine; print(Engine(session.docker_host()).post('/containers/slow/wait'))"
    done = far.run([str(ROOT / ".venv/bin/python"), "-c", ask], cwd=ROOT, env={"DUSTY_HOME": str(far.home)})
    assert "'StatusCode': 7" in done.stdout
