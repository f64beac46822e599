"""`dusty doctor`: every finding with its command, one cause once, exit 1 if any failed, and harmless repairs."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from chosen import Chosen
from engines import Engine, container, engine, wanted

from dusty_tasks.core.of_verbs.findings import FAILED, OK, Finding
from dusty_tasks.core.plan.container_state import LOOPS
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.process import Finished
from dusty_tasks.effects.hosts import helper as helper_install
from dusty_tasks.effects.hosts import section as hosts_file
from dusty_tasks.effects.machine import packages
from dusty_tasks.operations.machine import doctor as health
from dusty_tasks.operations.machine import hosts_health
from dusty_tasks.operations.machine.repos_health import repos, why_unreachable

__all__ = ["engine"]

CHECK_INSTALLATION = helper_install.check_installation


@pytest.fixture
def examined(dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Programs that say a version, no hosts file of this machine's."""
    monkeypatch.setattr(
        "dusty_tasks.effects.engine.versions.read_versions",
        lambda docker_host: [("git", "2.39", ""), ("rsync", "", "not installed")],
    )
    monkeypatch.setattr(hosts_file, "read_hosts_file", lambda *_path: b"")
    monkeypatch.setattr("dusty_tasks.effects.hosts.helper.check_installation", list)
    monkeypatch.setattr(health, "CHECKS", tuple(check for check in health.CHECKS if check is not repos))
    return engine


def findings(dusty: Chosen) -> dict[str, list[str]]:
    found = json.loads(dusty("doctor", "--json").out)
    return {
        topic: [entry["state"] for entry in found if entry["topic"] == topic]
        for topic in {entry["topic"] for entry in found}
    }


def test_each_finding_has_its_state_and_its_command(dusty: Chosen, examined: Engine) -> None:
    ended = dusty("doctor")
    assert ended.code == 1 and "ok: git: 2.39" in ended.out
    assert "failed: rsync: not installed\n    hint: dusty up --yes installs what is missing" in ended.out
    assert "ok: engine: 28.0 (API 1.48) on this machine" in ended.out and "the engine's on this machine is" in ended.out


def test_no_engine_is_said_once(dusty: Chosen, examined: Engine) -> None:
    examined.is_down = True
    assert dusty("doctor").out.count("does not answer") == 1 and findings(dusty)["engine"] == [FAILED]


def test_a_docker_host_that_is_off_is_no_failure(dusty: Chosen, examined: Engine) -> None:
    examined.is_down = True
    dusty.config.write_text(
        dusty.config.read_text()
        + "host: {kind: ssh, ssh: me@127.0.0.1:1, address: 127.0.0.1, start: [false], status: [false]}\n"
    )
    ended = dusty("doctor")
    assert "warning: engine: me@127.0.0.1 is off\n    hint: dusty start" in ended.out and ended.out.count("is off") == 1


@pytest.mark.parametrize(
    ("state", "fields", "record", "said"),
    [
        ("running", {"health": "unhealthy"}, {}, "failed: container: web is unhealthy"),
        (
            "restarting",
            {},
            {},
            "failed: container: web keeps exiting and being restarted\n    hint: dusty logs web shows why it exits",
        ),
        ("running", {"since": "3 seconds"}, {"ready": False, "trouble": LOOPS}, "failed: container: web keeps exiting"),
        ("exited", {"exit_status": 5}, {"ready": False}, "failed: container: web exited with status 5"),
    ],
)
def test_a_container_in_trouble_is_a_failure(
    dusty: Chosen, examined: Engine, state: str, fields: dict[str, Any], record: dict[str, Any], said: str
) -> None:
    wanted(dusty.home, "web")
    started = dusty.home / "host/persist/.dusty/started.json"
    started.parent.mkdir(parents=True)
    started.write_text(json.dumps({"dusty_web_1": {"container_id": "id-web", "mapping": {}, **record}}))
    examined.containers = [container("web", state, **fields)]
    ended = dusty("doctor")
    assert ended.code == 1 and said in ended.out and "as compiled" not in ended.out


def test_a_broken_config_is_said_once_and_does_not_hide_the_programs(dusty: Chosen, examined: Engine) -> None:
    dusty.config.write_text("nosuch: 1\n")
    ended = dusty("doctor")
    assert ended.code == 1 and ended.out.count("nosuch") == 1 and "ok: git" in ended.out
    assert f"hint: fix {dusty.config}, or: dusty config undo" in ended.out


def test_no_specs_repo_is_a_finding_with_the_command_that_chooses_one(dusty: Chosen, examined: Engine) -> None:
    dusty.config.write_text("")
    assert "failed: specs: no specs repo is configured\n    hint: dusty setup --specs-repo " in dusty("doctor").out


def test_broken_specs_are_a_finding(dusty: Chosen, examined: Engine) -> None:
    dusty.write("apps/web.yml", "{")
    assert findings(dusty)["specs"] == [FAILED]


def test_another_bridge_is_a_failure_with_the_setting_that_mends_it(dusty: Chosen, examined: Engine) -> None:
    examined.answers["/networks/bridge"] = {"IPAM": {"Config": [{"Gateway": "10.9.0.1"}]}}
    assert "dusty config set bridge_ip 10.9.0.1" in dusty("doctor").out


@pytest.mark.parametrize(("without_password", "is_fine"), [(True, True), (False, False)])
def test_no_helper_is_no_failure_where_sudo_asks_for_no_password(
    without_password: bool, is_fine: bool, monkeypatch: pytest.MonkeyPatch, dusty: Chosen, examined: Engine
) -> None:
    monkeypatch.setattr(helper_install, "check_installation", CHECK_INSTALLATION)
    monkeypatch.setattr(helper_install.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(helper_install, "HELPER_PATH", str(dusty.home / "absent"))
    monkeypatch.setattr(packages, "may_sudo", lambda *, may_ask: without_password)
    assert (FAILED not in [finding.state for finding in hosts_health.helper_findings()]) == is_fine
    checked = dusty("hosts", "check")
    shown = [line for line in dusty("doctor").out.splitlines() if ": hosts " in line]
    assert [line for line in checked.out.splitlines() if ": hosts " in line] == shown, (
        "`hosts check` and `doctor` say the same"
    )


def test_stand_ins_are_shown(dusty: Chosen, examined: Engine) -> None:
    examined.answers["/images/json"] = [{"RepoTags": ["nginx:1"], "Labels": {"dusty.standin": "1"}}]
    assert "warning: images: nginx:1 is a stand-in" in dusty("doctor").out


def test_a_damaged_state_is_mended(dusty: Chosen, examined: Engine) -> None:
    (dusty.home / "state").mkdir(exist_ok=True)
    (dusty.home / "state/doit.db").write_bytes(b"garbage" * 1000)
    assert findings(dusty)["state"] == ["warning"]
    assert "doit.db is damaged" not in dusty("doctor", "--fix").out.split("ok: git")[-1]
    assert (dusty.home / "state/doit.db.broken").exists()


def test_a_sound_state_is_left_alone(dusty: Chosen, examined: Engine) -> None:
    (dusty.home / "state").mkdir(exist_ok=True)
    with sqlite3.connect(dusty.home / "state/doit.db") as database:
        database.execute("create table doit (task_id text, task_data text)")
    assert findings(dusty)["state"] == [OK]


def test_what_killed_test_runs_left_is_removed(dusty: Chosen, examined: Engine) -> None:
    import socket

    examined.answers["/networks?"] = [
        {"Name": "left", "Id": "n1", "Labels": {"dusty.test.run": f"{socket.gethostname()}:999999999:1"}}
    ]
    assert "killed test runs left 1 container or networks: left" in dusty("doctor").out
    assert not examined.asked
    dusty("doctor", "--fix")
    assert examined.asked == ["DELETE /networks/n1"]


def test_a_repair_that_fails_is_said_and_stops_no_other(
    dusty: Chosen, examined: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dusty_tasks.effects.doors.failures import Failure

    def fail() -> None:
        raise Failure("cannot")

    done = []
    monkeypatch.setattr(
        health, "examine", lambda: [Finding("a", FAILED, "w", "m", "hosts"), Finding("b", FAILED, "w", "m", "proxy")]
    )
    monkeypatch.setattr(health, "REPAIRS", {"hosts": fail, "proxy": lambda: done.append("proxy")})
    ended = dusty("doctor", "--fix")
    assert ended.code == 1 and "hosts: cannot" in ended.err and done == ["proxy"]


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        (Finished(0, "x", ""), ""),
        (Finished(128, "", "fatal: repository not found\nmore"), "fatal: repository not found"),
        (Finished(124, "", ""), "no answer within 10 s"),
    ],
)
def test_why_a_repo_cannot_be_reached(finished: Finished, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", lambda *_words, **_named: finished)
    assert why_unreachable("https://x/y")[0] == said


def test_words_are_refused(dusty: Chosen, examined: Engine) -> None:
    assert dusty("doctor", "x").code == 1


def test_a_home_that_others_may_read_or_change_is_named_and_closed(dusty: Chosen, examined: Engine) -> None:
    home = dusty.home
    (home / "assets").mkdir(exist_ok=True)
    (home / "host/persist/db").mkdir(parents=True)
    (home / "assets/KEY").write_text("secret")
    for path, mode in (
        (home / "assets/KEY", 0o644),
        (home / "host/persist/db", 0o777),
        (home / "assets", 0o755),
        (home, 0o755),
    ):
        path.chmod(mode)
    assert findings(dusty)["privacy"] == ["warning"]
    ended = dusty("doctor")
    assert (
        f"warning: privacy: other users of this machine may read {home}/" in ended.out
        and f"hint: chmod 700 {home} (doctor --fix does it)" in ended.out
    )
    (home / "assets").chmod(0o777)
    home.chmod(0o777)
    assert f"failed: privacy: other users of this machine may change {home}, {home}/assets" in dusty("doctor").out
    ended = dusty("doctor", "--fix")
    assert f"closed {home} to other users" in ended.out and "privacy:" not in ended.out
    modes = {
        path: path.stat().st_mode & 0o777
        for path in (home, home / "assets", home / "assets/KEY", home / "config.yml", home / "host/persist/db")
    }
    assert list(modes.values()) == [0o700, 0o700, 0o600, 0o600, 0o777], (
        modes
    )  # what containers keep is theirs; nobody reaches it from outside


def test_a_home_that_is_closed_needs_nothing(dusty: Chosen, examined: Engine) -> None:
    (dusty.home / "config.yml").chmod(0o644)
    dusty.home.chmod(0o700)
    assert "privacy" not in findings(dusty)
