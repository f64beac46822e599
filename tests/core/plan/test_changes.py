"""wanted x found -> plan, by tables: each row names a behaviour and the lines that `dusty plan` prints for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dusty_tasks.core.plan.change import Options, to_json
from dusty_tasks.core.plan.found import Found, FoundContainer, Sources, containers_of
from dusty_tasks.core.plan.plan import plan
from dusty_tasks.core.plan.push_changes import assets_by_app
from dusty_tasks.core.plan.recreations import NEW_INIT
from dusty_tasks.core.plan.restarts import shared_with
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.specs.reload import rules_of
from dusty_tasks.core.text.namespace import CONTEXT_LABEL

APP = {"image": "busybox:1", "environment": {"A": "1"}, "labels": {"dusty.recreate": "once-1"}}
PROXY = {"image": "nginx:1", "ports": ["127.0.0.1:80:80"], "networks": {"default": {"aliases": ["web.test"]}}}
NO_COPY = "there is no copy on the Docker host"


def app(name: str = "web", **changed: Any) -> WantedContainer:
    fields: dict[str, Any] = {"kind": "app", "mapping": APP, "always_digest": "always-1", "repo_ids": ("src/web",)}
    return WantedContainer(name=name, container_name=f"dusty_{name}_1", **{**fields, **changed})


def service(name: str = "redis", **changed: Any) -> WantedContainer:
    return WantedContainer(
        name=name, container_name=f"dusty_{name}_1", **{"kind": "service", "mapping": {"image": "redis"}, **changed}
    )


def proxy(**changed: Any) -> WantedContainer:
    return WantedContainer(
        name="dustyInternalNginx",
        container_name="dusty_dustyInternalNginx_1",
        **{"kind": "proxy", "mapping": PROXY, **changed},
    )


def running(container: WantedContainer, **changed: Any) -> FoundContainer:
    fields: dict[str, Any] = {
        "container_name": container.container_name,
        "id": f"id-{container.name}",
        "state": "running",
        "image": container.mapping.get("image", f"dusty-{container.name}"),
    }
    return FoundContainer(name=container.name, **{**fields, **changed})


def record(container: WantedContainer, **changed: Any) -> dict[str, Any]:
    return {
        "container_id": f"id-{container.name}",
        "mapping": container.mapping,
        "always": container.always_digest,
        "repos": dict.fromkeys(container.repo_ids, "code-1"),
        "assets": dict.fromkeys(container.asset_keys, "asset-1"),
        **({"nginx": "nginx-1"} if container.kind == "proxy" else {}),
        **changed,
    }


def world(*containers: WantedContainer, **changed: Any) -> tuple[Wanted, Sources, Found]:
    """A stack that is up, with nothing to do; `changed` replaces fields of Found."""
    repo_ids = {repo_id for container in containers for repo_id in container.repo_ids}
    keys = {key for container in containers for key in container.asset_keys}
    has_proxy = any(container.kind == "proxy" for container in containers)
    found = Found(
        containers={container.name: running(container) for container in containers},
        started={container.container_name: record(container) for container in containers},
        receipts={repo_id: {"fingerprint": "code-1"} for repo_id in repo_ids},
        assets={
            container.name: " ".join(f"{key}=asset-1" for key in sorted(container.asset_keys))
            for container in containers
            if container.asset_keys
        },
        nginx_digest="nginx-1" if has_proxy else "",
        images={"busybox:1": {}, "nginx:1": {}, "redis:latest": {}},
    )
    sources = Sources(assets=dict.fromkeys(keys, "asset-1"), nginx_digest="nginx-1" if has_proxy else "")
    return Wanted(containers=containers), sources, found._replace(**changed)


def with_container(found: Found, container: WantedContainer, **changed: Any) -> Found:
    return found._replace(containers={**found.containers, container.name: running(container, **changed)})


def with_record(found: Found, container: WantedContainer, **changed: Any) -> Found:
    return found._replace(started={**found.started, container.container_name: record(container, **changed)})


def lines(wanted: Wanted, sources: Sources, found: Found, **options: bool) -> list[str]:
    return [str(change) for change in plan(wanted, sources, found, Options(**options)).changes]


def test_a_stack_that_is_up_has_an_empty_plan() -> None:
    assert lines(*world(service(), app(), proxy())) == []


def test_a_first_up_in_full() -> None:
    wanted, _, _ = world(service(), app(asset_keys=("KEY",)), proxy())
    sources = Sources(command_files={"web": "c"}, assets={"KEY": "a"}, nginx_digest="n")
    found = Found(stale_repos={"src/web": NO_COPY}, hosts_section_is_in_place=False, images={"redis:latest": {}})
    assert lines(wanted, sources, found) == [
        "pull image busybox:1: it is not on the Docker host",
        "pull image nginx:1: it is not on the Docker host",
        "push command files: those of web are not on the Docker host yet",
        "push assets: those of web are not on the Docker host yet",
        "sync src/web: there is no copy on the Docker host",
        "push nginx config: it is not on the Docker host",
        "create redis: it has no container yet",
        "create web: it has no container yet",
        "create dustyInternalNginx: it has no container yet",
        "write hosts section: it differs from the compiled one",
    ]


def test_a_hosts_section_that_was_refused_is_pending_and_no_change() -> None:
    wanted, sources, found = world(
        app(), hosts_section_is_in_place=False, hosts_refused="sudo asks for a password (2026-01-31)"
    )
    planned = plan(wanted, sources, found)
    assert (planned.changes, list(map(str, planned.pending))) == (
        (),
        ["write hosts section: sudo asks for a password (2026-01-31)"],
    )


def changed_mapping(**keys: Any) -> WantedContainer:
    return app(mapping={key: value for key, value in {**APP, **keys}.items() if value is not None})


@pytest.mark.parametrize(
    ("now", "cause"),
    [
        (changed_mapping(image="busybox:2"), "image busybox:1 -> busybox:2"),
        (changed_mapping(environment={"A": "2"}), "environment A changed"),
        (changed_mapping(environment={"A": "1", "B": "secret"}), "environment B is new"),
        (changed_mapping(environment={}), "environment A is gone"),
        (changed_mapping(ports=["172.17.0.1:65000:80"]), "port 172.17.0.1:65000:80 is new"),
        (changed_mapping(volumes=["/persist/x:/x"]), "volume /persist/x:/x is new"),
        (changed_mapping(labels={"dusty.recreate": "once-2"}), "`once` or the install lines of a lib changed"),
        (changed_mapping(privileged=True), "privileged is new: true"),
        (
            changed_mapping(image="busybox:2", mem_limit="1g", cap_add=["X"], tty=True),
            "image busybox:1 -> busybox:2; mem_limit is new: 1g; cap_add X is new and 1 more",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_recreated_for_what_is_part_of_the_container(now: WantedContainer, cause: str) -> None:
    _, sources, found = world(app())
    wanted = Wanted(containers=(now,))
    assert [line for line in lines(wanted, sources, found) if "image busybox:2: it" not in line] == [
        f"recreate web: {cause}"
    ]


def test_what_a_new_version_brought_says_why_containers_are_made_anew_once() -> None:
    """An app of before has no init and was started as `root`; root by name and by number are one user."""
    now = changed_mapping(user="0", init=True)
    _, sources, found = world(now)
    older = found._replace(started={"dusty_web_1": record(changed_mapping(user="root"))})
    assert lines(Wanted(containers=(now,)), sources, older) == [f"recreate web: {NEW_INIT}"]
    assert lines(Wanted(containers=(now,)), sources, found) == []
    kept_out = found._replace(started={"dusty_web_1": record(changed_mapping(user="root", init=False))})
    assert lines(Wanted(containers=(changed_mapping(user="0", init=False),)), sources, kept_out) == []
    assert lines(Wanted(containers=(now,)), sources, kept_out) == ["recreate web: init false -> true"]


@pytest.mark.parametrize(
    ("working_dir", "is_made_anew"),
    [("/code", False), ("/base", True), ("/elsewhere", True)],
    ids=["mount", "lib", "other"],
)
def test_an_app_of_a_version_without_working_dir_is_left_alone(working_dir: str, is_made_anew: bool) -> None:
    """Its start.sh goes to the mount by itself; another folder was asked for by a spec."""
    volumes = [
        "data:/data",
        "/h/cp/web:/cp",
        "/h/c/web:/command_files",
        "/h/a/web:/dusty_assets:ro",
        "/h/web:/code",
        "/h/base:/base",
    ]
    before, now = changed_mapping(volumes=volumes), changed_mapping(volumes=volumes, working_dir=working_dir)
    wanted, sources, found = world(now)
    found = found._replace(started={"dusty_web_1": record(before)})
    assert any("working_dir" in line for line in lines(wanted, sources, found)) == is_made_anew


@pytest.mark.parametrize(
    ("container", "changed", "line"),
    [
        ({"container_name": "foo"}, {}, "recreate web: its container was renamed to foo"),
        ({"networks": {"bridge": "n0"}}, {}, "recreate web: it was taken off the project's network"),
        ({"networks": {"dusty_default": "n1"}}, {"network_id": "n2"}, ""),
        (
            {"networks": {"dusty_default": "n1"}, "state": "exited", "exit_status": 137},
            {"network_id": "n2"},
            "recreate web: the network that it was created in is gone",
        ),
        (
            {"networks": {"dusty_default": "n1"}, "state": "exited", "exit_status": 137},
            {"network_id": "n1"},
            "start web: it exited with status 137",
        ),
        (
            {"networks": {"dusty_default": ""}, "state": "created"},
            {"network_id": "n1"},
            "start web: it was created and never started",
        ),
        (
            {"networks": {"dusty_default": "n1"}, "state": "exited", "exit_status": 0},
            {"network_id": "", "finished": frozenset({"web"})},
            "",
        ),
    ],
    ids=[
        "renamed",
        "off the network",
        "runs, so it has its network",
        "network gone",
        "network there",
        "never started",
        "finished",
    ],
)
def test_recreated_for_what_a_person_did_to_its_name_or_network(
    container: dict[str, Any], changed: dict[str, Any], line: str
) -> None:
    wanted, sources, found = world(app(), **changed)
    found = found._replace(containers={"web": running(app(), **container)})
    assert lines(wanted, sources, found) == ([line] if line else [])


def test_a_container_in_the_network_of_another_needs_none_of_its_own() -> None:
    wanted, sources, found = world(app(), service(mapping={"image": "redis", "network_mode": "service:web"}))
    assert lines(wanted, sources, with_container(found, wanted.containers[1], networks={})) == []


@pytest.mark.parametrize(
    ("before", "now", "cause"),
    [
        ({"": "1", "base": "1"}, {"": "2", "base": "1"}, "`once` changed"),
        ({"": "1", "base": "1"}, {"": "1", "base": "2"}, "`install` of lib base changed"),
        ({"": "1", "base": "1"}, {"": "2"}, "`once` changed; `install` of lib base changed"),
        ({}, {"": "1"}, "`once` or the install lines of a lib changed"),
    ],
    ids=["once", "install", "both", "an old record"],
)
def test_what_runs_once_is_told_apart(before: dict[str, str], now: dict[str, str], cause: str) -> None:
    wanted, sources, found = world(changed_mapping(labels={"dusty.recreate": "new"})._replace(once_digests=now))
    found = with_record(found, wanted.containers[0], mapping=APP, once=before)
    assert lines(wanted, sources, found) == [f"recreate web: {cause}"]


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        ({}, {"B": "d1"}, "environment B is new"),
        ({"B": "d1"}, {"B": "d2"}, "environment B changed"),
        ({"B": "d1"}, {}, "environment B is gone"),
        ({}, {"A": "d1"}, "environment A changed"),
        ({"B": "d1"}, {"B": "d1"}, ""),
    ],
)
def test_values_that_were_set_differ_by_their_digests(before: dict[str, str], now: dict[str, str], line: str) -> None:
    """They are in no mapping; the file that holds them is there or not, and is no cause."""

    def mapping(given: dict[str, str]) -> WantedContainer:
        kept = {name: text for name, text in APP["environment"].items() if name not in given}
        return changed_mapping(**{"environment": kept, **({"env_file": ["/home/state/env/web.env"]} if given else {})})

    wanted, sources, found = world(mapping(now))
    found = with_record(found, mapping(before), environment=before)
    planned = lines(wanted, sources._replace(environment={"web": now} if now else {}), found)
    assert planned == ([f"recreate web: {line}"] if line else [])


def test_values_of_the_environment_are_never_printed() -> None:
    _, sources, found = world(app())
    wanted = Wanted(containers=(changed_mapping(environment={"A": "hunter2", "B": "hunter2"}),))
    assert "hunter2" not in " ".join(lines(wanted, sources, found))


def test_another_order_of_start_changes_no_container() -> None:
    _, sources, found = world(app())
    assert lines(Wanted(containers=(changed_mapping(depends_on={"redis": {}}),)), sources, found) == []


@pytest.mark.parametrize(
    ("now", "changed", "line"),
    [
        (app(always_digest="always-2"), {}, "restart web: `always` changed"),
        (app(), {"stale_repos": {"src/web": "web.py changed"}}, "restart web: repo web: web.py changed"),
        (
            app(),
            {"receipts": {"src/web": {"fingerprint": "code-2"}}},
            "restart web: repo web was synced after it started",
        ),
        (
            app(),
            {"receipts": {"src/web": {"fingerprint": "code-2", "is_bound": True}}},
            "restart web: repo web was edited after it started",
        ),
        (
            app(repo_ids=("src/web", "src/lib")),
            {"receipts": {"src/web": {"fingerprint": "code-1"}, "src/lib": {"fingerprint": "x"}}},
            "restart web: repo lib was synced after it started",
        ),
        (app(asset_keys=("KEY",)), {}, "restart web: asset KEY changed"),
        (app(asset_keys=("KEY", "GONE")), {}, "restart web: asset KEY changed; asset GONE is unset"),
    ],
    ids=["always", "stale repo", "synced by another verb", "edited in place", "lib", "asset", "asset unset"],
)
def test_restarted_for_code_always_and_assets(now: WantedContainer, changed: dict[str, Any], line: str) -> None:
    _, sources, found = world(app(asset_keys=("GONE",) if "GONE" in now.asset_keys else ()), **changed)
    sources = sources._replace(assets={"KEY": "asset-2"})
    assert [each for each in lines(Wanted(containers=(now,)), sources, found) if each.startswith("re")] == [line]


def test_the_place_of_what_a_setting_changed_is_that_of_the_setting() -> None:
    now = app(mapping={"image": "busybox:1", "volumes": ["/src/web:/code"]})
    before = app(mapping={"image": "busybox:1", "volumes": ["/h/persist/repos/src/web:/code"]})
    asked: list[Any] = []

    def place_of(_name: str, path: Any) -> str:
        asked.append(path)
        return "somewhere"

    _, sources, found = world(before)
    plan(Wanted(containers=(now,)), sources, found, place_of=place_of)
    _, sources, found = world(app())
    found = found._replace(started={"dusty_web_1": record(app(), environment={"DEBUG": "abc"})})
    plan(Wanted(containers=(app(),)), sources, found, place_of=place_of)
    assert asked == [("settings", "sync.mode"), ("settings", "env.web.DEBUG")]


@pytest.mark.parametrize(
    ("pushed", "expected"),
    [
        ({"LIB_base": "for tests: KEY=a OTHER=b"}, []),
        ({"LIB_base": "for tests: KEY=a GONE=b"}, ["push assets: those of LIB_base differ on the Docker host"]),
        ({"old": "KEY=a"}, ["push assets: those of old differ on the Docker host"]),
        ({"web": "for tests: KEY=asset-1"}, ["push assets: those of web differ on the Docker host"]),
    ],
)
def test_assets_that_tests_pushed_stay_while_they_are_set(pushed: dict[str, str], expected: list[str]) -> None:
    wanted, sources, found = world(app(asset_keys=("KEY",)))
    found = found._replace(assets={**found.assets, **pushed})
    assert lines(wanted, sources._replace(set_keys=frozenset({"KEY", "OTHER"})), found) == expected


@pytest.mark.parametrize(
    ("container", "changed", "expected"),
    [
        ({"state": "exited", "exit_status": 137}, {}, ["start web: it exited with status 137"]),
        ({"state": "exited", "exit_status": 0}, {}, ["start web: it exited with status 0"]),
        ({"state": "exited", "exit_status": 0}, {"finished": frozenset({"web"})}, []),
        (
            {"state": "exited", "exit_status": 3},
            {"finished": frozenset({"web"})},
            ["start web: it exited with status 3"],
        ),
        ({"state": "created"}, {}, ["start web: it was created and never started"]),
        ({"state": "paused"}, {}, ["unpause web: it is paused"]),
        ({"state": "dead"}, {}, ["recreate web: its container is dead"]),
        ({"state": "restarting"}, {}, ["wait for web: it keeps exiting and being restarted"]),
        ({"health": "unhealthy"}, {}, ["wait for web: it is unhealthy"]),
        ({"health": "healthy"}, {}, []),
        ({"id": "another"}, {}, ["recreate web: it is not the container that the last up created"]),
        ({}, {"started": {}}, ["recreate web: there is no record of what it was started with"]),
        ({"image": "sha256:0123"}, {}, ["recreate web: the name busybox:1 now means another image"]),
    ],
    ids=lambda value: str(value),
)
def test_reality_is_the_judge(container: dict[str, Any], changed: dict[str, Any], expected: list[str]) -> None:
    wanted, sources, found = world(app(), **changed)
    assert lines(wanted, sources, with_container(found, app(), **container)) == expected


ROUTED = app(http_urls=("http://web.test/",), route_ports=(80,))
WRONG_PORT = "does not answer at http://web.test/: nothing listens on 80; the container listens on 8080"


@pytest.mark.parametrize(
    ("container", "record", "changed", "expected"),
    [
        (
            {"state": "exited", "exit_status": 0},
            {},
            {"finished": frozenset({"web"})},
            ["start web: it exited with status 0, and a route points to it"],
        ),
        ({}, {"ready": False, "trouble": WRONG_PORT}, {"answers": {"web": False}}, [f"wait for web: it {WRONG_PORT}"]),
        ({}, {"ready": False, "trouble": WRONG_PORT}, {"answers": {"web": True}}, []),
        ({}, {"ready": False}, {"answers": {"web": False}}, ["wait for web: it does not answer"]),
        (
            {"state": "exited", "exit_status": 5},
            {"ready": False, "trouble": "exited with status 5"},
            {},
            ["start web: it exited with status 5"],
        ),
        (
            {},
            {"ready": False, "trouble": WRONG_PORT},
            {"answers": {"web": False}, "stale_repos": {"src/web": "web.py changed"}},
            ["sync src/web: web.py changed", "restart web: repo web: web.py changed"],
        ),
    ],
    ids=["ended with 0", "silent", "answers by now", "never seen ready", "ended", "changed"],
)
def test_what_failed_stays_failed_until_it_is_mended_or_changed(
    container: dict[str, Any], record: dict[str, Any], changed: dict[str, Any], expected: list[str]
) -> None:
    wanted, sources, found = world(ROUTED, **changed)
    found = with_record(with_container(found, ROUTED, **container), ROUTED, **record)
    assert lines(wanted, sources, found) == expected


def test_an_ended_proxy_is_started_whatever_its_status() -> None:
    wanted, sources, found = world(proxy(), finished=frozenset({"dustyInternalNginx"}))
    found = with_container(found, proxy(), state="exited", exit_status=0)
    assert lines(wanted, sources, found) == ["start dustyInternalNginx: it exited with status 0"]


def test_a_stopped_container_says_so() -> None:
    wanted, sources, found = world(app())
    found = with_record(with_container(found, app(), state="exited", exit_status=143), app(), stopped=True)
    assert lines(wanted, sources, found) == ["start web: it was stopped by hand"]


def test_a_restart_that_did_not_finish_is_done_again() -> None:
    wanted, sources, found = world(app())
    assert lines(wanted, sources, with_record(found, app(), restart_owed=True)) == [
        "restart web: the run that should have restarted it did not finish"
    ]


def test_what_the_stack_no_longer_has_is_removed_first() -> None:
    _, sources, found = world(app("old"), app("web", repo_ids=()))
    assert lines(Wanted(containers=(app("new", repo_ids=()), app("web", repo_ids=()))), sources, found) == [
        "remove old: nothing active needs it",
        "create new: it has no container yet",
    ]


def test_no_recreate_leaves_containers_and_says_what_is_pending() -> None:
    _, sources, found = world(app("old", repo_ids=()), app(), proxy(), stale_repos={"src/web": "web.py changed"})
    planned = plan(
        Wanted(containers=(changed_mapping(image="busybox:2"), proxy())), sources, found, Options(no_recreate=True)
    )
    assert [str(change) for change in planned.changes] == [
        "sync src/web: web.py changed",
        "stop old: nothing active needs it",
        "restart web: repo web: web.py changed",
    ]
    assert [str(change) for change in planned.pending] == [
        "remove old: nothing active needs it",
        "recreate web: image busybox:1 -> busybox:2",
    ]


@pytest.mark.parametrize("key", ["network_mode", "pid", "ipc"])
def test_what_shares_with_a_recreated_container_is_recreated_after_it(key: str) -> None:
    side = app("side", repo_ids=(), mapping={"image": "busybox:1", key: "service:web"})
    _, sources, found = world(app(), side)
    assert lines(Wanted(containers=(changed_mapping(tty=True), side)), sources, found) == [
        "recreate web: tty is new: true",
        "recreate side: it shares with web, which was recreated",
    ]


def test_what_shares_the_network_of_a_restarted_container_is_restarted_after_it() -> None:
    side = app(
        "side", repo_ids=(), shares_network_of="web", mapping={"image": "busybox:1", "network_mode": "service:web"}
    )
    wanted, sources, found = world(app(), side, stale_repos={"src/web": "web.py changed"})
    assert lines(wanted, sources, found)[1:] == [
        "restart web: repo web: web.py changed",
        "restart side: it shares with web, which was restarted",
    ]


def test_volumes_from_counts_as_sharing() -> None:
    assert shared_with(app(mapping={"volumes_from": ["data:ro", "container:else"]})) == ["data"]


PROXY_CASES: list[tuple[str, WantedContainer, dict[str, Any], dict[str, Any], list[str]]] = [
    (
        "a new name on a known port",
        proxy(mapping={**PROXY, "networks": {"default": {"aliases": ["web.test", "shop.test"]}}}),
        {},
        {"nginx_digest": "nginx-2"},
        [
            "reconnect dustyInternalNginx: shop.test is new; ends open connections",
            "push nginx config: shop.test is new",
            "reload nginx: its config changed",
        ],
    ),
    (
        "a new port",
        proxy(mapping={**PROXY, "ports": ["127.0.0.1:80:80", "127.0.0.1:81:81"]}),
        {},
        {"nginx_digest": "nginx-2"},
        [
            "push nginx config: it differs from the compiled one",
            "recreate dustyInternalNginx: port 127.0.0.1:81:81 is new",
        ],
    ),
    (
        "a lost config",
        proxy(),
        {"nginx_digest": ""},
        {},
        ["push nginx config: it is not on the Docker host", "reload nginx: its config changed"],
    ),
    (
        "a reload that did not happen",
        proxy(),
        {"started": {"dusty_dustyInternalNginx_1": record(proxy(), nginx="nginx-0")}},
        {},
        ["reload nginx: it has not loaded its config yet"],
    ),
]


@pytest.mark.parametrize(
    ("now", "changed", "here", "expected"), [row[1:] for row in PROXY_CASES], ids=[row[0] for row in PROXY_CASES]
)
def test_the_proxy_is_recreated_only_for_ports(
    now: WantedContainer, changed: dict[str, Any], here: dict[str, Any], expected: list[str]
) -> None:
    _, sources, found = world(proxy(), **changed)
    assert lines(Wanted(containers=(now,)), sources._replace(**here), found) == expected


def test_a_stopped_proxy_gets_its_new_names_too() -> None:
    now = proxy(mapping={**PROXY, "networks": {"default": {"aliases": ["web.test", "shop.test"]}}})
    _, sources, found = world(proxy())
    found = with_container(found, proxy(), state="exited", exit_status=0)
    assert [
        str(change).partition(":")[0]
        for change in plan(Wanted(containers=(now,)), sources._replace(nginx_digest="nginx-2"), found).changes
    ] == ["push nginx config", "start dustyInternalNginx", "reconnect dustyInternalNginx"]


def built(**changed: Any) -> WantedContainer:
    return app(
        **{"mapping": {"build": {"context": "/src/web"}}, "build_context": "/src/web", "repo_ids": (), **changed}
    )


def test_assets_that_are_mounted_are_pushed_though_they_are_not_set() -> None:
    """The engine would make a folder of a file that is not there."""
    keys: dict[str, Any] = {"asset_keys": ("A", "B")}
    wanted = Wanted(containers=(app("web", **keys), service("db", **keys, mounts_assets=True), service("cache")))
    assert assets_by_app(wanted, Sources()) == {"db": "A= B="}
    assert assets_by_app(wanted, Sources(assets={"B": "2"})) == {"web": "B=2", "db": "A= B=2"}


def test_equal_builds_are_built_once_and_noticed_by_all() -> None:
    shared = {"mapping": {"build": {"context": "/src/web"}, "image": "dusty-a"}}
    wanted, sources, found = world(built(name="a"), built(name="b", **shared))
    labels = {CONTEXT_LABEL: "context-1"}
    found = found._replace(images={"dusty-a:latest": labels})
    for container in wanted.containers:
        found = with_container(found, container, labels=labels)
    sources = sources._replace(contexts={"a": "context-2", "b": "context-2"})
    assert lines(wanted, sources, found) == [
        "build image a: /src/web changed",
        "recreate a: /src/web changed",
        "recreate b: /src/web changed",
    ]


def test_pulls_come_before_builds() -> None:
    found = Found(images={})
    planned = lines(Wanted(containers=(built(name="a"), service())), Sources(contexts={"a": "c"}), found)
    assert [line.partition(":")[0] for line in planned[:2]] == ["pull image redis", "build image a"]


@pytest.mark.parametrize(
    ("labels", "images", "options", "expected"),
    [
        ({CONTEXT_LABEL: "context-2"}, {"dusty-web:latest": {CONTEXT_LABEL: "context-2"}}, {}, []),
        (
            {CONTEXT_LABEL: "context-1"},
            {"dusty-web:latest": {CONTEXT_LABEL: "context-1"}},
            {},
            ["build image web: /src/web changed", "recreate web: /src/web changed"],
        ),
        (
            {CONTEXT_LABEL: "context-1"},
            {"dusty-web:latest": {CONTEXT_LABEL: "context-2"}},
            {},
            ["recreate web: /src/web changed"],
        ),
        ({CONTEXT_LABEL: "context-2"}, None, {}, []),
        (
            {CONTEXT_LABEL: "context-1"},
            {},
            {},
            ["build image web: it was not built yet", "recreate web: /src/web changed"],
        ),
        (
            {CONTEXT_LABEL: "context-2"},
            {"dusty-web:latest": {CONTEXT_LABEL: "context-2"}},
            {"build": True},
            ["build image web: --build asks for it"],
        ),
    ],
    ids=["unchanged", "changed", "already built", "nobody asked", "image gone", "asked for"],
)
def test_images_are_built_when_their_context_changed(
    labels: dict[str, str], images: dict[str, dict[str, str]] | None, options: dict[str, bool], expected: list[str]
) -> None:
    wanted, sources, found = world(built(), images=images)
    found = with_container(found, built(), labels=labels)
    assert lines(wanted, sources._replace(contexts={"web": "context-2"}), found, **options) == expected


def test_a_build_that_gave_another_image_calls_for_a_new_container() -> None:
    wanted, sources, found = world(built())
    found = with_container(found, built(), image="0123456789ab", labels={CONTEXT_LABEL: "context-1"})
    assert lines(wanted, sources._replace(contexts={"web": "context-1"}), found._replace(images=None)) == [
        "recreate web: the name dusty-web now means another image"
    ]


def test_pull_asks_for_each_image_once() -> None:
    wanted, sources, found = world(app(repo_ids=()), app("web2", repo_ids=()), built(name="own"))
    found = with_container(found, built(name="own"), labels={CONTEXT_LABEL: "c"})
    assert lines(wanted, sources._replace(contexts={"own": "c"}), found, pull=True) == [
        "pull image busybox:1: --pull checks whether its tag moved"
    ]


def test_what_compose_fills_in_from_outside_takes_part() -> None:
    now = changed_mapping(environment={"A": "1", "TOKEN": None})
    wanted, sources, found = world(now)
    found = with_record(found, now, environment={"TOKEN": "digest-1", "env_file /x": "same"})
    sources = sources._replace(environment={"web": {"TOKEN": "digest-2", "env_file /x": "same"}})
    assert lines(wanted, sources, found) == ["recreate web: new value of TOKEN"]


def test_who_had_a_lost_folder_mounted_is_restarted() -> None:
    wanted, sources, found = world(app(asset_keys=("KEY",)), app("other"), assets={}, command_files={})
    assert lines(wanted, sources._replace(command_files={"web": "c"}), found)[-1] == (
        "restart web: its command files and assets were lost on the Docker host"
    )


def test_command_files_that_are_gone_here_are_pushed_away() -> None:
    wanted, sources, found = world(command_files={"old": "x", "web": "same"})
    assert lines(wanted, sources._replace(command_files={"web": "same"}), found) == [
        "push command files: those of old differ on the Docker host"
    ]


def test_a_place_is_part_of_the_line() -> None:
    _, sources, found = world(app())
    planned = plan(
        Wanted(containers=(changed_mapping(image="busybox:2"),)),
        sources,
        found,
        place_of=lambda name, path: f"apps/{name}.yml:3:8" if path == ("image",) else "",
    )
    assert str(planned.changes[-1]) == "recreate web: image busybox:1 -> busybox:2, apps/web.yml:3:8"
    assert planned.changes[-1].done == "recreated web (image busybox:1 -> busybox:2, apps/web.yml:3:8)"


def test_the_plan_as_json_can_be_written() -> None:
    wanted, sources, found = world(app(), started={})
    assert json.loads(json.dumps(to_json(plan(wanted, sources, found))))["changes"][0]["kind"] == "recreate"


def test_the_engines_listing_becomes_containers() -> None:
    labels = {"dusty.name": "web", "dusty.kind": "app"}
    listing = [
        {
            "Id": "1",
            "Names": ["/dusty_web_1"],
            "State": "exited",
            "Status": "Exited (137) 2 days ago",
            "Image": "busybox:1",
            "ImageID": "sha256:1",
            "Labels": labels,
            "Ports": None,
        },
        {
            "Id": "2",
            "Names": ["/dusty_db_1"],
            "State": "running",
            "Status": "Up 2 minutes (health: starting)",
            "Image": "db",
            "Labels": {"com.docker.compose.service": "db"},
            "Ports": [{"IP": "0.0.0.0", "PublicPort": 1, "PrivatePort": 1, "Type": "tcp"}],
        },
        {
            "Id": "3",
            "Names": ["/dusty_run"],
            "State": "running",
            "Status": "Up",
            "Labels": {"com.docker.compose.oneoff": "True"},
        },
    ]
    found = containers_of(listing)
    assert set(found) == {"web", "db"}
    assert (found["web"].exit_status, found["web"].kind, found["web"].is_running) == (137, "app", False)
    assert (found["db"].health, found["db"].published) == ("starting", (("0.0.0.0", 1),))


OLD_NAME, TEMPORARY = "dusty_web_1", "76c0e985963a_dusty_web_1"


@pytest.mark.parametrize(
    ("listed", "kept", "leftovers"),
    [
        ([("2", TEMPORARY, "created"), ("1", OLD_NAME, "running")], "1", ["2"]),
        ([("2", TEMPORARY, "created"), ("1", OLD_NAME, "exited")], "1", ["2"]),
        ([("2", TEMPORARY, "created"), ("1", OLD_NAME, "removing")], "2", ["1"]),
        ([("2", TEMPORARY, "created"), ("1", OLD_NAME, "dead")], "2", ["1"]),
        ([("2", OLD_NAME, "created"), ("1", TEMPORARY, "running")], "2", ["1"]),
        ([("2", TEMPORARY, "created")], "2", []),
        (
            [("3", "0123456789ab_dusty_web_1", "created"), ("2", TEMPORARY, "created"), ("1", OLD_NAME, "paused")],
            "1",
            ["3", "2"],
        ),
        ([("2", OLD_NAME, "running"), ("1", "renamed_by_hand", "running")], "2", ["1"]),
        ([("2", OLD_NAME, "removing"), ("1", "renamed_by_hand", "dead")], "2", ["1"]),
    ],
    ids=[
        "made",
        "the old one stopped",
        "the old one going",
        "the old one stuck",
        "the old one renamed",
        "only the new one",
        "twice",
        "by hand",
        "all going",
    ],
)
def test_what_a_broken_off_recreation_left_is_told_from_the_container(
    listed: list[tuple[str, str, str]], kept: str, leftovers: list[str]
) -> None:
    listing = [
        {"Id": id, "Names": [f"/{name}"], "State": state, "Labels": {"dusty.name": "web"}} for id, name, state in listed
    ]
    found = containers_of(listing)["web"]
    assert found.id == kept and [leftover.id for leftover in found.leftovers] == leftovers


def test_leftovers_are_cleared_away_before_anything_else_happens_to_containers() -> None:
    wanted, sources, found = world(app())
    leftover = found.containers["web"]._replace(container_name=TEMPORARY, id="2", state="created")
    with_leftover = found._replace(
        containers={
            "web": found.containers["web"]._replace(leftovers=(leftover,)),
            "old": FoundContainer("old", "dusty_old_1", "3", "exited"),
        }
    )
    assert lines(wanted, sources, with_leftover) == [
        f"clear away {TEMPORARY}: left by an interrupted recreation",
        "remove old: nothing active needs it",
    ]
    assert lines(wanted, sources, with_leftover, no_recreate=True)[0].startswith(f"clear away {TEMPORARY}: ")


MOUNTING = {
    **APP,
    "volumes": [
        "/src/conf/app.conf:/etc/app.conf:ro",
        {"type": "bind", "source": "/src/$$x", "target": "/x"},
        "data:/data",
        "/anonymous",
    ],
}


@pytest.mark.parametrize(
    ("before", "now", "state", "cause"),
    [
        ({"/src/conf/app.conf": 1, "/src/$x": 2}, {"/src/conf/app.conf": 1, "/src/$x": 2}, "running", ""),
        (
            {"/src/conf/app.conf": 1},
            {"/src/conf/app.conf": 3, "/src/$x": 2},
            "running",
            "/src/conf/app.conf was replaced",
        ),
        (
            {"/src/conf/app.conf": 1, "/src/$x": 2},
            {"/src/conf/app.conf": 3, "/src/$x": 4},
            "paused",
            "/src/conf/app.conf and 1 more was replaced",
        ),
        ({"/src/conf/app.conf": 1, "/src/$x": 2}, {"/src/$x": 2}, "running", ""),
        (None, {"/src/conf/app.conf": 3}, "running", ""),
    ],
)
def test_a_container_whose_mounted_file_was_replaced_is_restarted(
    before: dict[str, int] | None, now: dict[str, int], state: str, cause: str
) -> None:
    """What is gone from the Docker host does not count, nor does what nobody noted at the start."""
    wanted, sources, found = world(app(mapping=MOUNTING))
    container, record = found.containers["web"], found.started["dusty_web_1"]
    record = {**record, **({} if before is None else {"inodes": before})}
    found = found._replace(
        inodes=now, started={"dusty_web_1": record}, containers={"web": container._replace(state=state)}
    )
    planned = [line for line in lines(wanted, sources, found) if line.startswith("restart")]
    assert planned == ([f"restart web: {cause} after it started, and it still sees the old content"] if cause else [])
    ended = found._replace(
        containers={"web": container._replace(state="exited", exit_status=0)}, finished=frozenset({"web"})
    )
    assert lines(wanted, sources, ended) == [], "one that has ended sees nothing any more"


RELOADS = {
    "src/web": [
        rules_of(
            [
                {"paths": ["static"], "do": "none"},
                {"paths": ["conf"], "do": {"signal": "HUP"}},
                {"paths": ["needs.txt"], "do": "recreate"},
            ]
        )
    ]
}


@pytest.mark.parametrize(
    ("path", "planned"),
    [
        (b"static/a.css", []),
        (b".a.py.swp", []),
        (b"conf/a.ini", ["reload code of web: repo web: it changed"]),
        (b"needs.txt", ["recreate web: repo web: it changed"]),
        (b"a.py", ["restart web: repo web: it changed"]),
    ],
)
def test_changed_code_does_what_reload_says(path: bytes, planned: list[str]) -> None:
    now = app(reload=RELOADS)
    _, sources, found = world(
        app(), stale_repos={"src/web": "it changed"}, changed_paths={"src/web": frozenset({path})}
    )
    assert [line for line in lines(Wanted(containers=(now,)), sources, found) if not line.startswith("sync")] == planned


def test_a_synced_repo_calls_for_what_was_noted() -> None:
    now = app(reload=RELOADS)
    noted = {"reload": {"src/web": ["code-2", ["signal", ["HUP"], []]]}}
    _, sources, found = world(app(), receipts={"src/web": {"fingerprint": "code-2"}})
    found = found._replace(started={"dusty_web_1": {**found.started["dusty_web_1"], **noted}})
    assert lines(Wanted(containers=(now,)), sources, found) == [
        "reload code of web: repo web was synced after it started"
    ]
    found = found._replace(receipts={"src/web": {"fingerprint": "code-3"}})
    assert lines(Wanted(containers=(now,)), sources, found) == ["restart web: repo web was synced after it started"]
