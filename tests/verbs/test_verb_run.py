"""stop, shutdown, restart, start, why, status, plan: what they ask of the engine, what they say, what they refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from chosen import Chosen
from engines import Engine, container, engine, wanted

from dusty_tasks.core.plan.found import container_of
from dusty_tasks.effects.docker_host.engine_line import EngineRefused

__all__ = ["engine"]


def started(home: Path, **records: dict[str, Any]) -> Path:
    """persist/.dusty/started.json with these records by spec name."""
    path = home / "host/persist/.dusty/started.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({f"dusty_{name}_1": record for name, record in records.items()}))
    return path


def test_stop_stops_users_before_what_they_use_and_notes_it(dusty: Chosen, engine: Engine) -> None:
    path = started(dusty.home, db={"container_id": "id-db", "finished": True})
    (dusty.home / "state").mkdir(exist_ok=True)
    containers = [
        {"name": "db", "kind": "service", "container_name": "dusty_db_1", "mapping": {}},
        {"name": "web", "kind": "app", "container_name": "dusty_web_1", "mapping": {}, "after": ["db"]},
    ]
    (dusty.home / "state/wanted.json").write_text(json.dumps({"containers": containers}))
    ended = dusty("stop")
    assert (ended.code, ended.out) == (0, "stopped web\nstopped db\n")
    assert engine.asked == ["POST /containers/id-web/stop?t=1", "POST /containers/id-db/stop"], (
        "an app gets one second, a service its own time"
    )
    record = json.loads(path.read_text())["dusty_db_1"]
    assert (record["stopped"], record["finished"]) == (True, False)


def test_stop_rm_takes_what_a_broken_off_recreation_left_along(dusty: Chosen, engine: Engine) -> None:
    leftover = container("old", "created")._replace(id="id-left", container_name="76c0e985963a_dusty_old_1")
    engine.containers = [container("old", "exited", exit_status=0)._replace(leftovers=(leftover,))]
    assert dusty("stop", "--rm", "old").out == "removed old\n"
    assert engine.asked == [
        "DELETE /containers/id-left?v=True&link=False&force=True",
        "DELETE /containers/id-old?v=True&link=False&force=True",
    ]


def test_a_name_that_ends_like_a_containers_is_its_own(dusty: Chosen, engine: Engine) -> None:
    engine.containers = [container("web_1")]
    wanted(dusty.home, "web", "web_1")
    assert dusty("stop", "web_1").out == "stopped web_1\n"
    assert dusty("stop", "dusty_web_1").out == "nothing to stop\n"
    assert dusty("why", "web_1").out == "nothing is recorded for web_1: no up has started it\nweb_1 is running\n"


def test_stop_rm_removes_with_anonymous_volumes_and_forgets(dusty: Chosen, engine: Engine) -> None:
    path = started(dusty.home, old={"container_id": "id-old"})
    taken_over, named = "ab" * 32, "dusty_data"
    mounts = [
        {"Type": "volume", "Name": taken_over},
        {"Type": "volume", "Name": named},
        {"Type": "bind", "Source": "/x"},
    ]
    engine.answers = {"/containers/id-old/json": {"Mounts": mounts}, **engine.answers}
    assert dusty("stop", "--rm", "old").out == "removed old\n"
    assert engine.asked == ["DELETE /containers/id-old?v=True&link=False&force=True", f"DELETE /volumes/{taken_over}"]
    assert json.loads(path.read_text()) == {}


def test_an_unknown_name_stops_nothing(dusty: Chosen, engine: Engine) -> None:
    wanted(dusty.home, "web", "db")
    ended = dusty("stop", "web", "wbe")
    assert (ended.code, engine.asked) == (1, [])
    assert 'did you mean "web"?' in ended.err


def test_nothing_to_stop_is_said(dusty: Chosen, engine: Engine) -> None:
    ended = dusty("stop", "old")
    assert (ended.code, ended.out, engine.asked) == (0, "nothing to stop\n", [])


def test_another_homes_containers_are_not_stopped(dusty: Chosen, engine: Engine) -> None:
    foreign = container("web")
    engine.containers = [
        foreign._replace(
            labels={**foreign.labels, "com.docker.compose.project.config_files": "/home/bob/build/docker-compose.yml"}
        )
    ]
    ended = dusty("stop")
    assert (ended.code, engine.asked) == (1, [])
    assert "belong to the DUSTY_HOME /home/bob" in ended.err


def test_a_container_that_cannot_be_stopped_is_named_and_the_others_are_stopped(
    dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dusty_tasks.effects.engine import acts, http

    def stop(_engine: http.Engine, container_id: str, _seconds: int | None) -> None:
        if container_id == "id-db":
            raise EngineRefused(500, "it does not want to")

    monkeypatch.setattr(acts, "run_stop", stop)
    ended = dusty("stop")
    assert ended.code == 2
    assert ended.out == "stopped web\n" and ended.err == "db: it does not want to\n"


def test_shutdown_leaves_this_machine_on_and_says_so(dusty: Chosen, engine: Engine) -> None:
    ended = dusty("shutdown")
    assert ended.code == 0
    assert ended.out.splitlines()[-1].startswith("this machine")
    assert len(engine.asked) == 2


def test_shutdown_of_an_engine_that_is_off_says_so(dusty: Chosen, engine: Engine) -> None:
    engine.is_down = True
    assert "does not answer" in dusty("shutdown").out


def test_restart_goes_by_order_and_keeps_the_record(dusty: Chosen, engine: Engine) -> None:
    path = started(
        dusty.home, web={"container_id": "id-web", "mapping": {"image": "old"}, "always": "a", "restart_owed": True}
    )
    wanted(dusty.home, "web", "db")
    ended = dusty("restart", "web", "--no-sync")
    assert (ended.code, ended.out.splitlines()[0]) == (0, "restarted web")
    assert engine.asked == ["POST /containers/id-web/restart?t=1"]
    record = json.loads(path.read_text())["dusty_web_1"]
    assert (record["mapping"], record["always"], record["cause"]) == ({"image": "old"}, "a", "dusty restart")
    assert not record["restart_owed"], "what an interrupted up owed is done"


def test_restart_says_as_json_what_it_did(dusty: Chosen, engine: Engine) -> None:
    wanted(dusty.home, "web", "notyet")
    ended = dusty("restart", "--no-sync", "--json")
    assert ended.code == 1 and "restarted web" in ended.err and "notyet has no container" in ended.err
    found = json.loads(ended.out)
    assert (found["ok"], found["exit_code"], found["restarted"]) == (False, 1, ["web"])
    assert found["absent"] == [{"name": "notyet", "needed_by": ""}]


def test_restart_of_a_name_without_container_ends_with_1_after_the_others(dusty: Chosen, engine: Engine) -> None:
    wanted(dusty.home, "web", "notyet")
    ended = dusty("restart", "--no-sync")
    assert ended.code == 1
    assert "restarted web" in ended.out and "notyet has no container" in ended.err


def test_restart_by_a_repo_that_nobody_uses_restarts_nothing(dusty: Chosen, engine: Engine) -> None:
    (dusty.home / "state").mkdir(exist_ok=True)
    repo = {"id": "src/base", "written": "/src/base", "url": "", "local_path": "/src/base", "used_by": [], "lib_of": {}}
    (dusty.home / "state/wanted.json").write_text(json.dumps({"containers": [], "repos": [repo]}))
    for words in (["--repo", "base"], ["--repos", "base"], ["--repo", "base", "base"]):
        ended = dusty("restart", *words)
        assert (ended.code, engine.asked) == (1, [])
        assert "no app of the stack uses src/base" in ended.err


@pytest.mark.parametrize(
    "words",
    [["logs", "api"], ["shell", "api"], ["restart", "api"], ["why", "api"], ["stop", "api"], ["cp", "api:/x", "."]],
    ids=" ".join,
)
def test_a_name_of_the_specs_is_not_called_unknown(dusty: Chosen, engine: Engine, words: list[str]) -> None:
    wanted(dusty.home, "web")
    ended = dusty(*words)
    assert (ended.code, engine.asked) == (1, [])
    assert (
        ended.err
        == "api is not in the stack: no active bundle needs it\n    hint: dusty bundles activate 'Bücher & more'\n"
    )
    dusty("bundles", "activate", "Bücher & more")
    ended = dusty(*words)
    assert (ended.code, ended.err) == (1, "api has no container\n    hint: dusty up creates it\n")


def test_restart_of_an_unknown_name_restarts_nothing(dusty: Chosen, engine: Engine) -> None:
    wanted(dusty.home, "web")
    ended = dusty("restart", "web", "wbe")
    assert (ended.code, engine.asked) == (1, [])


def test_start_shows_the_engines_facts(dusty: Chosen, engine: Engine) -> None:
    engine.answers["/info"] = {
        "OperatingSystem": "Debian 12",
        "NCPU": 2,
        "MemTotal": 8 << 30,
        "Driver": "overlay2",
        "DockerRootDir": "/var/lib/docker",
    }
    ended = dusty("start")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == [
        "engine",
        "client",
        "API",
        "OS",
        "kernel",
        "architecture",
        "storage",
        "CPUs",
        "memory",
        "root",
    ]
    assert "8.0 GiB" in ended.out


def test_start_waits_no_longer_than_host_wait(dusty: Chosen, engine: Engine) -> None:
    dusty.config.write_text(dusty.config.read_text() + "host: {wait: 0.1}\n")
    engine.is_down = True
    ended = dusty("start")
    assert ended.code == 2
    assert "does not answer" in ended.err and "waited 0.1 s" in ended.err


def test_why_tells_the_last_change_with_its_cause_and_place(dusty: Chosen, engine: Engine) -> None:
    started(
        dusty.home,
        web={
            "what": "recreated",
            "cause": "image a -> b",
            "place": "apps/web.yml:1:8",
            "time": "2026-01-31T12:00:00+0000",
        },
    )
    for name in ("web", "dusty_web_1"):
        assert (
            dusty("why", name).out
            == "recreated web at 2026-01-31T12:00:00+0000: image a -> b, apps/web.yml:1:8\nweb is running\n"
        )
    assert json.loads(dusty("why", "web", "--json").out)["cause"] == "image a -> b"


def test_why_of_what_never_ran_and_of_what_nobody_knows(dusty: Chosen, engine: Engine) -> None:
    wanted(dusty.home, "web")
    assert "nothing is recorded for web" in dusty("why", "web").out
    ended = dusty("why", "wbe")
    assert ended.code == 1 and 'did you mean "web"?' in ended.err
    assert dusty("why").code == 1


def test_status_of_an_engine_that_does_not_answer_calls_nothing_absent(dusty: Chosen, engine: Engine) -> None:
    dusty("bundles", "activate", "shop")
    engine.is_down = True
    ended = dusty("status")
    assert ended.code == 2
    assert "does not answer" in ended.out and "what runs there is unknown" in ended.out and "absent" not in ended.out
    facts = json.loads(dusty("status", "--json").out)
    assert facts["docker_host"]["state"] == "unknown"
    assert {row["state"] for row in facts["stack"] if row["type"] != "lib"} == {"unknown"}


OFF = "host: {kind: ssh, ssh: me@127.0.0.1:1, address: 127.0.0.1, start: [false], status: [false]}\n"


def test_a_docker_host_that_is_known_to_be_off_is_off(dusty: Chosen) -> None:
    dusty("bundles", "activate", "shop")
    dusty.config.write_text(dusty.config.read_text() + OFF)
    ended = dusty("status")
    assert (ended.code, "Docker host: me@127.0.0.1 is off" in ended.out, "absent" in ended.out) == (0, True, False)
    assert {row["state"] for row in json.loads(dusty("status", "--json").out)["stack"] if row["type"] != "lib"} == {
        "off"
    }
    ended = dusty("plan")
    assert (
        ended.code == 0
        and "create" not in ended.out
        and "nothing to do" not in ended.out
        and "is off: dusty up starts it" in ended.err
    )
    assert dusty("plan", "--exit-code").code == 10
    dusty.config.write_text(dusty.config.read_text().replace("status: [false]", "status: [no-such-tool]"))
    assert [dusty(verb).code for verb in ("status", "plan")] == [2, 2], "what is not installed tells nothing"


def test_status_shows_containers_libs_and_strangers(dusty: Chosen, engine: Engine) -> None:
    dusty("bundles", "activate", "shop")
    dusty("compile")
    rows = {row["name"]: row for row in json.loads(dusty("status", "--json").out)["stack"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        "redis": "absent",
        "web": "running",
        "base": "",
        "db": "running",
        "old": "exited 3",
    }
    assert rows["old"]["pending"] == "remove: nothing active needs it"


def test_status_tells_since_when_from_what_and_why(dusty: Chosen, engine: Engine) -> None:
    dusty("bundles", "activate", "shop")
    dusty("compile")
    started(
        dusty.home, web={"what": "recreated", "cause": "image a -> b", "place": "", "time": "2026-01-31T12:00:00+0000"}
    )
    shown = dusty("status", "web").out
    assert re.search(r"^  last +recreated: image a -> b$", shown, re.M)
    rows = {row["name"]: row for row in json.loads(dusty("status", "--json").out)["stack"]}
    assert rows["web"]["last"] == "recreated: image a -> b" and rows["web"]["image"] and rows["db"]["last"] == ""


@pytest.mark.parametrize(
    ("status", "since"),
    [
        ("Up 3 minutes", "3 minutes"),
        ("Up 3 seconds (healthy)", "3 seconds"),
        ("Created", ""),
        ("Exited (137) 2 hours ago", "2 hours ago"),
        ("", ""),
    ],
)
def test_how_long_a_state_has_lasted(status: str, since: str) -> None:
    assert container_of({"Id": "1", "Names": ["/dusty_web_1"], "Status": status}).since == since


def test_status_with_broken_specs_shows_what_was_compiled_last(dusty: Chosen, engine: Engine) -> None:
    wanted(dusty.home, "web")
    dusty.write("apps/web.yml", "imagee: x\n")
    ended = dusty("status")
    assert ended.code == 0
    assert "apps/web.yml:1:1" in ended.err and "web" in ended.out


def test_plan_of_an_engine_that_does_not_answer_plans_nothing_on_it(dusty: Chosen, engine: Engine) -> None:
    dusty("bundles", "activate", "shop")
    engine.is_down = True
    for words in ((), ("--exit-code",)):
        ended = dusty("plan", *words)
        assert ended.code == 2
        assert (
            "does not answer" in ended.err
            and "unknown" in ended.err
            and "create" not in ended.out
            and "nothing to do" not in ended.out
        )
    told = json.loads(dusty("plan", "--json").out)
    assert (
        told["docker_host"] == "unknown"
        and told["trouble"]
        and [change["kind"] for change in told["changes"]] in ([], ["write hosts section"])
    )
    assert not (dusty.home / "build").exists() and not (dusty.home / "host").exists()


def test_plan_with_nothing_active_says_so(dusty: Chosen, engine: Engine) -> None:
    ended = dusty("plan")
    assert ended.code == 1 and "No bundles are activated" in ended.err
