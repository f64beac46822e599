"""Test suites before any engine: what can be tested, when its image is made anew, and what its project looks like."""

from __future__ import annotations

import dataclasses

import pytest

from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.specs.model import App, Asset, Lib, Service, Specs, Suite
from dusty_tasks.core.specs.model import Tests as SpecTests
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.suites.image import ImageInputs, labels_of, remake_cause, setup_command
from dusty_tasks.core.suites.project import HOLDER, TEST, SuiteRun, jobs_among, project_of, result_key
from dusty_tasks.core.suites.target import Target, base_of, mounts_of, targets
from dusty_tasks.core.text.namespace import STACK

SETTINGS = Settings(home="/h", host=HostSettings(root="/r"))
INPUTS = ImageInputs("sha256:base", "set -e\n", ("/a:/b",), {"src/web": "c1", "src/base": "b1"})
RUN = SuiteRun("web", "dusty/test_web", ("/r/cp/web:/cp",), ("a", "b c"), "/specs", {"dusty.kind": "test"}, STACK)
DB = Service(
    "db",
    "services/db.yml",
    {
        "image": "db:1",
        "ports": ["1:1"],
        "volumes": ["/persist/db:/data:ro", "cache:/cache", "/etc/zone:/zone"],
        "environment": {"A": "$b"},
        "depends_on": {"mq": {"condition": "service_healthy"}, "elsewhere": {"condition": "service_started"}},
        "restart": "always",
        "container_name": "x",
        "hostname": "h",
        "healthcheck": {"test": "ok"},
    },
    volume_driver="local",
)
MQ = Service(
    "mq", "services/mq.yml", {"image": "mq:1", "network_mode": "host", "extra_hosts": ["a:1.2.3.4"], "links": ["db"]}
)


def app(**keys) -> App:
    return App("web", "apps/web.yml", (), repo=repo_of("/src/web"), mount="/app", **keys)


def target(**keys) -> Target:
    base = Lib(
        "base", "libs/base.yml", repo_of("/src/base"), "/base", assets=(Asset("KEY", "/k"), Asset("MAYBE", "/m", False))
    )
    web = app(libs=("base",), tests=SpecTests(**{"image": "i:1", "suites": (Suite("unit", ("t",)),), **keys}))
    return targets(Specs(apps={"web": web}, libs={"base": base}))["web"]


def test_apps_and_libs_with_suites_can_be_tested() -> None:
    lib = Lib(
        "lib", "libs/lib.yml", repo_of("/src/lib"), "/lib", tests=SpecTests(image="i", suites=(Suite("unit", ("t",)),))
    )
    found = targets(Specs(apps={"web": app(), "b": App("b", "f", (), tests=SpecTests(image="i"))}, libs={"lib": lib}))
    assert [(found.name, found.kind) for found in found.values()] == [("lib", "lib")]


def test_a_target_sees_its_code_its_libs_and_their_assets() -> None:
    found = target()
    assert mounts_of(found, SETTINGS) == (
        "/r/cp/web:/cp",
        "/r/command_files/web:/command_files",
        "/r/persist/dusty_assets/web:/dusty_assets:ro",
        "/r/persist/repos/src/web:/app",
        "/r/persist/repos/src/base:/base",
    )
    assert found.required_keys == {"KEY"} and [asset.path for asset in found.assets] == ["/k", "/m"]


def test_a_libs_assets_lie_apart_from_those_of_an_app_of_its_name() -> None:
    assert target()._replace(kind="lib").assets_folder == "LIB_web"


def test_with_bind_containers_see_the_working_trees() -> None:
    bound = Settings(home="/h", host=HostSettings(root="/r"), sync_mode="bind", repo_overrides={"src/base": "/mine"})
    assert mounts_of(target(), bound)[-4:] == (
        "/src/web:/app",
        "/src/web/.git:/app/.git:ro",
        "/mine:/base",
        "/mine/.git:/base/.git:ro",
    )
    assert mounts_of(target(), dataclasses.replace(bound, without_git=("/mine",)))[-3:] == (
        "/src/web:/app",
        "/src/web/.git:/app/.git:ro",
        "/mine:/base",
    )


@pytest.mark.parametrize(
    ("keys", "base"),
    [
        ({"image": "i:1"}, ("i:1", "")),
        ({"image": None, "build": "docker"}, ("", "/src/web/docker")),
        ({"image": None, "build": "/abs"}, ("", "/abs")),
        ({"image": None, "build": "."}, ("", "/src/web/.")),
    ],
)
def test_the_base_is_an_image_or_a_folder(keys: dict, base: tuple[str, str]) -> None:
    assert base_of(target(**keys), SETTINGS) == base


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({}, ""),
        ({"base": "sha256:other"}, "its base image changed"),
        ({"setup_text": "set -e\ntrue\n"}, "its setup changed: once, lib installs or assets"),
        ({"mounts": ("/a:/c",)}, "its mounts changed"),
        ({"code": {"src/web": "c2", "src/base": "b1"}}, "the code of web changed (c1 -> c2)"),
        ({"code": {"src/web": "c1", "src/base": ""}}, "the code of base changed"),
        ({"code": {"src/web": "c1", "src/base": "b1", "lib/base": "x"}}, "the code of lib/base changed"),
        ({"code": {"src/web": "c1"}}, "its repos changed"),
    ],
)
def test_an_image_is_made_anew_when_what_it_is_made_from_changed(changed: dict, cause: str) -> None:
    assert remake_cause("web", labels_of("web", INPUTS), INPUTS._replace(**changed), is_asked_for=False) == cause


def test_it_is_made_when_there_is_none_when_asked_for_and_when_its_labels_are_unreadable() -> None:
    labels = labels_of("web", INPUTS)
    assert remake_cause("web", None, INPUTS, is_asked_for=True) == "there is none yet"
    assert remake_cause("web", labels, INPUTS, is_asked_for=True) == "asked for with --recreate"
    assert remake_cause("web", {**labels, "dusty.test.code": "{"}, INPUTS, is_asked_for=False).startswith("the code of")


def test_asset_copies_go_before_the_commit_whatever_setup_did() -> None:
    argv = setup_command(("/etc/key", "/a b"))
    assert argv[-2:] == ["/etc/key", "/a b"] and "status=$?" in argv[2] and argv[2].endswith("exit $status")


def test_a_suite_alone_is_one_container() -> None:
    made = project_of(
        Suite("unit", ("t",), compose={"environment": {"B": "$x"}, "ports": ["1:1"], "working_dir": "/w"}), [], RUN
    )
    test = made["services"][TEST]
    assert list(made["services"]) == [TEST] and "ports" not in test
    assert test["command"] == ["sh", "/command_files/test/unit.sh", "a", "b c"] and test["working_dir"] == "/w"
    assert test["environment"] == {"B": "$$x", "DUSTY_RESULTS": "/dusty_results"} and test["volumes"] == [
        "/dusty_results",
        "/r/cp/web:/cp",
    ]


def test_services_and_the_suite_share_one_network_in_which_every_name_is_localhost() -> None:
    made = project_of(Suite("net", ("t",), services=("db", "mq")), [DB, MQ], RUN)["services"]
    assert (
        all(made[name]["network_mode"] == f"service:{HOLDER}" for name in ("db", "mq", TEST))
        and "network_mode" not in made[HOLDER]
    )
    assert made[HOLDER]["extra_hosts"] == ["db:127.0.0.1", "mq:127.0.0.1", "a:1.2.3.4"]
    for name in ("db", "mq"):
        assert not {"ports", "links", "hostname", "extra_hosts", "container_name", "restart"} & made[name].keys()


def test_a_service_waits_for_what_is_in_the_suite_and_for_nothing_else() -> None:
    made = project_of(Suite("net", ("t",), services=("db", "mq")), [DB, MQ], RUN)["services"]
    assert made["db"]["depends_on"] == {
        HOLDER: {"condition": "service_started"},
        "mq": {"condition": "service_healthy"},
    }
    assert project_of(Suite("net", ("t",), services=("db",)), [DB], RUN)["services"]["db"]["depends_on"] == {
        HOLDER: {"condition": "service_started"}
    }


def test_a_service_waits_for_jobs_and_health_as_in_the_stack() -> None:
    seed = Service("seed", "services/seed.yml", {"image": "s", "depends_on": ["db"]}, is_job=True)
    late = Service("late", "services/late.yml", {"image": "l", "depends_on": ["seed", "db", "mq"]})
    other = {"once": {"condition": "service_completed_successfully"}, "db": {"condition": "service_started"}}
    last = Service("last", "services/last.yml", {"image": "l", "depends_on": other})
    once = Service("once", "services/once.yml", {"image": "o"})
    services = [DB, MQ, seed, late, last, once]
    made = project_of(Suite("net", ("t",), services=tuple(one.name for one in services)), services, RUN)["services"]
    found = {name: {on: how["condition"] for on, how in made[name]["depends_on"].items()} for name in ("seed", "late")}
    started, ended, healthy = "service_started", "service_completed_successfully", "service_healthy"
    assert found["seed"] == {HOLDER: started, "db": healthy}
    assert found["late"] == {HOLDER: started, "seed": ended, "db": healthy, "mq": started}
    assert made["last"]["depends_on"]["db"] == {"condition": started}
    assert jobs_among(services) == ["seed", "once"]


def test_a_service_has_its_assets_and_everybody_the_values_of_secrets() -> None:
    assets = (Asset("KEY", "/run/key"), Asset("MORE", "/run/more", False))
    own = Service("own", "services/own.yml", {"image": "o", "environment": {"A": "x${{T}}", "B": None}}, assets=assets)
    run = RUN._replace(host_root="/r", secrets={"T": "$1"})
    suite = Suite("net", ("t",), services=("own",), compose={"environment": {"C": "${{T}}"}})
    made = project_of(suite, [own], run)["services"]
    assert made["own"]["volumes"] == [
        f"/r/persist/dusty_assets/.tests/own/{key}:/run/{key.lower()}:ro" for key in ("KEY", "MORE")
    ]
    assert made["own"]["environment"] == {"A": "x$$1", "B": None} and made[TEST]["environment"]["C"] == "$$1"


def test_the_data_of_the_stack_is_replaced_by_throw_away_volumes() -> None:
    made = project_of(Suite("net", ("t",), services=("db",), compose={"volumes": ["/persist:/all"]}), [DB], RUN)
    assert made["services"]["db"]["volumes"] == ["/data", "cache:/cache", "/etc/zone:/zone"]
    assert made["services"][TEST]["volumes"][0] == "/all" and "/persist" not in str(made).replace("/r/persist", "")
    assert made["volumes"] == {"cache": {"labels": {"dusty.kind": "test"}, "driver": "local"}}


def test_a_built_service_is_built_from_the_specs_repo_under_one_name() -> None:
    built = Service("own", "services/own.yml", {"build": "docker/own"})
    made = project_of(Suite("net", ("t",), services=("own",)), [built], RUN)["services"]["own"]
    assert made["build"] == {"context": "/specs/docker/own"} and made["image"] == "dusty/test_service_own"


def test_files_of_variables_are_those_of_the_specs_repo() -> None:
    service = Service(
        "own", "services/own.yml", {"image": "own", "env_file": ["a.env", {"path": "b.env", "required": False}]}
    )
    made = project_of(
        Suite("net", ("t",), services=("own",), compose={"env_file": ["c.env", "/d.env"]}), [service], RUN
    )["services"]
    assert made["own"]["env_file"] == ["/specs/a.env", {"path": "/specs/b.env", "required": False}]
    assert made[TEST]["env_file"] == ["/specs/c.env", "/d.env"]


def test_a_result_depends_on_project_script_images_and_code() -> None:
    base = ({"services": {}}, "text", {"i": "1"}, {"src/web": "f"})
    keys = {
        result_key(*base),
        *(
            result_key(*(*base[:i], other, *base[i + 1 :]))
            for i, other in enumerate(({"services": {"a": 1}}, "texts", {"i": "2"}, {"src/web": "g"}))
        ),
    }
    assert len(keys) == 5
