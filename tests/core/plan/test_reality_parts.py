"""The small judgements around a plan: whose containers, which addresses, who finished, what was recorded, where a cause stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dusty_tasks.core.plan.change import CREATE, RECREATE, RESTART, STARTING, Change, Kind, Plan
from dusty_tasks.core.plan.found import Found, FoundContainer, Owner, Sources, foreign_owner
from dusty_tasks.core.plan.image_names import image_name, is_same_image, registry_of
from dusty_tasks.core.plan.lifetimes import (
    End,
    Probe,
    checks_health,
    end_after,
    end_before_last_start,
    has_finished,
    last_probe,
)
from dusty_tasks.core.plan.ports_to_open import addresses_to_open, hidden_bridge, is_in_the_way, published_addresses
from dusty_tasks.core.plan.started import MadeOf, record_of, seen_ready, troubled
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.namespace import CONFIG_LABEL

ME = Owner("ann", "/home/ann/.dusty", "laptop")
COMPOSE = "/home/ann/.dusty/build/docker-compose.yml"


def container(name: str = "web", **changed: Any) -> FoundContainer:
    return FoundContainer(
        **{"name": name, "container_name": f"dusty_{name}_1", "id": "1", "state": "running", **changed}
    )


@pytest.mark.parametrize(
    ("owner", "config", "expected"),
    [
        (None, "", ""),
        (ME._asdict(), COMPOSE, ""),
        (None, f"{COMPOSE},/home/ann/.dusty/state/build-labels.json", ""),
        ({**ME._asdict(), "machine": "desktop"}, COMPOSE, "ann on desktop (DUSTY_HOME /home/ann/.dusty)"),
        ({"user": "bob"}, "", "bob on somebody (DUSTY_HOME somebody)"),
        (None, "/home/bob/.dusty/build/docker-compose.yml", "the DUSTY_HOME /home/bob/.dusty"),
    ],
    ids=[
        "nobody's",
        "mine",
        "mine, two files",
        "same home on another machine",
        "half a record",
        "another home's containers",
    ],
)
def test_whose_containers_and_data(owner: dict[str, str] | None, config: str, expected: str) -> None:
    containers = {"web": container(labels={CONFIG_LABEL: config})} if config else {}
    assert foreign_owner(Found(containers=containers, owner=owner), ME, COMPOSE) == expected


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (["127.0.0.1:80:80"], [("127.0.0.1", 80)]),
        (["80:80"], [("", 80)]),
        (["[::1]:80:8080/tcp"], [("::1", 80)]),
        (["53:53/udp"], []),
        (["8000-8010:80"], []),
        (["80"], []),
        (["172.17.0.1:65000:5000"], [("172.17.0.1", 65000)]),
        ([{"published": "80", "target": 8080, "host_ip": "127.0.0.1"}], [("127.0.0.1", 80)]),
        ([{"target": 80}], []),
        ([{"published": 53, "target": 53, "protocol": "udp"}], []),
    ],
    ids=str,
)
def test_addresses_that_a_mapping_publishes(ports: list[Any], expected: list[tuple[str, int]]) -> None:
    assert published_addresses({"ports": ports}) == expected


@pytest.mark.parametrize(
    ("listening", "wanted", "expected"),
    [
        (("127.0.0.1", 80), ("127.0.0.1", 80), True),
        (("0.0.0.0", 80), ("127.0.0.1", 80), True),
        (("127.0.0.1", 80), ("", 80), True),
        (("::", 80), ("127.0.0.1", 80), True),
        (("172.17.0.1", 80), ("127.0.0.1", 80), False),
        (("0.0.0.0", 81), ("0.0.0.0", 80), False),
    ],
)
def test_who_is_in_the_way(listening: tuple[str, int], wanted: tuple[str, int], expected: bool) -> None:
    assert is_in_the_way(listening, wanted) is expected


def test_only_ports_that_are_opened_anew_must_be_free() -> None:
    mapping = {"ports": ["127.0.0.1:80:80", "127.0.0.1:81:81"]}
    wanted = Wanted(
        containers=(
            WantedContainer("web", "app", "dusty_web_1", mapping),
            WantedContainer("left", "app", "dusty_left_1", mapping),
        )
    )
    found = Found(containers={"web": container(published=(("127.0.0.1", 80),))})
    assert addresses_to_open(Plan((Change(RECREATE, "web", ""),)), wanted, found) == [("web", ("127.0.0.1", 81))]


def event(action: str, container_id: str = "1") -> dict[str, Any]:
    return {"Action": action, "Actor": {"ID": container_id}}


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["start", "die"], True),
        (["start", "kill", "die", "stop"], False),
        ([], False),
        (["die"], True),
        (["start", "kill", "die", "stop", "start", "die"], True),
        (["start", "die", "start", "kill", "die"], False),
    ],
    ids=lambda value: " ".join(value) or "forgotten" if isinstance(value, list) else "",
)
def test_who_ended_by_himself(actions: list[str], expected: bool) -> None:
    assert has_finished("1", [*map(event, actions), event("kill", "another")]) is expected


@pytest.mark.parametrize(
    ("info", "is_macos", "is_hidden"),
    [
        ({"OperatingSystem": "Debian"}, False, False),
        ({"OperatingSystem": "Docker Desktop"}, False, True),
        ({"SecurityOptions": ["name=seccomp", "name=rootless"]}, False, True),
        ({"OperatingSystem": "Alpine"}, True, True),
        ({}, False, False),
    ],
)
def test_where_the_bridge_cannot_be_bound(info: dict[str, Any], is_macos: bool, is_hidden: bool) -> None:
    assert bool(hidden_bridge(info, is_macos)) is is_hidden


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("busybox", "busybox:latest", True),
        ("docker.io/library/busybox:1", "busybox:1", True),
        ("busybox:1", "busybox:2", False),
        ("sha256:0123", "busybox:1", False),
        ("localhost:5000/x", "localhost:5000/x:latest", True),
        ("x@sha256:ab", "x@sha256:ab", True),
    ],
)
def test_two_spellings_of_an_image(left: str, right: str, same: bool) -> None:
    assert is_same_image(left, right) is same


def test_the_registry_of_an_image() -> None:
    assert [
        registry_of(name) for name in ("busybox", "org/x", "quay.io/org/x:1", "localhost:5000/x", "localhost/x")
    ] == ["", "", "quay.io", "localhost:5000", "localhost"]
    assert image_name("org/x") == "org/x:latest"


def test_a_restart_keeps_what_the_container_was_made_with() -> None:
    """Else a recreation that --no-recreate left pending would be forgotten."""
    wanted = WantedContainer(
        "web", "app", "dusty_web_1", {"image": "new"}, always_digest="a2", repo_ids=("src/web", "src/gone")
    )
    before = {
        "mapping": {"image": "old"},
        "environment": {"A": "1"},
        "finished": True,
        "stopped": True,
        "restart_owed": True,
    }
    made = record_of(
        wanted,
        container(),
        Change(RESTART, "web", "code"),
        MadeOf(Sources(), {"src/web": {"fingerprint": "f"}}, {"/a": 1}),
        before,
        "now",
    )
    assert (made["mapping"], made["environment"], made["always"], made["repos"]) == (
        {"image": "old"},
        {"A": "1"},
        "a2",
        {"src/web": "f"},
    )
    assert not {"finished", "stopped", "restart_owed", "trouble"} & made.keys() and made["ready"] is False
    assert "ready" not in seen_ready(troubled(made, "is gone")) and troubled(made, "is gone")["trouble"] == "is gone"
    fresh = record_of(
        wanted,
        container(),
        Change(CREATE, "web", "none"),
        MadeOf(Sources(environment={"web": {"A": "2"}})),
        None,
        "now",
    )
    assert (fresh["mapping"], fresh["environment"]) == ({"image": "new"}, {"A": "2"})


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([], 0),
        (["start"], 0),
        (["start", "die"], 0),
        (["start", "die", "start"], 2),
        (["start", "kill", "die", "start", "die"], 3),
        (["die", "start", "die", "start", "die"], 3),
    ],
)
def test_when_the_life_before_the_present_one_ended(actions: list[str], expected: int) -> None:
    events = [{"Action": action, "Actor": {"ID": "1"}, "timeNano": number} for number, action in enumerate(actions, 1)]
    assert (
        end_before_last_start("1", [*events, {"Action": "start", "Actor": {"ID": "another"}, "timeNano": 99}])
        == expected
    )


@pytest.mark.parametrize(
    ("actions", "moment", "expected"),
    [
        ([], 0, None),
        (["start", "die"], 0, End(2 * 10**9, 5, True)),
        (["start", "kill", "die", "stop", "start", "die"], 0, End(3 * 10**9, 5, False)),
        (["start", "kill", "die", "stop", "start", "die", "start", "die"], 5, End(6 * 10**9, 5, True)),
        (["start", "die"], 2, None),
    ],
)
def test_how_the_life_that_was_followed_ended(actions: list[str], moment: float, expected: End | None) -> None:
    events = [
        {"Action": action, "Actor": {"ID": "1", "Attributes": {"exitCode": "5"}}, "timeNano": number * 10**9}
        for number, action in enumerate(actions, 1)
    ]
    assert (
        end_after("1", [*events, {"Action": "die", "Actor": {"ID": "another"}, "timeNano": 10**9}], moment) == expected
    )


@pytest.mark.parametrize(
    ("details", "checks", "probe"),
    [
        ({}, False, None),
        ({"Config": {"Healthcheck": {"Test": ["NONE"]}}}, False, None),
        ({"Config": {"Healthcheck": {"Test": ["CMD", "x"]}}}, True, None),
        (
            {"State": {"Health": {"Log": [{"ExitCode": 1, "Output": "a"}, {"ExitCode": 3, "Output": " b\n"}]}}},
            False,
            Probe(3, "b"),
        ),
        ({"State": {"Health": {"Log": None}}}, False, None),
    ],
)
def test_what_inspect_tells_of_a_health_check(details: dict[str, Any], checks: bool, probe: Probe | None) -> None:
    assert (checks_health(details), last_probe(details)) == (checks, probe)


def test_a_kind_of_change_is_its_word_wherever_it_is_printed_or_kept() -> None:
    change = Change(Kind.PULL, "redis:7", "it is not on the Docker host")
    assert json.dumps({"kind": change.kind, change.kind: 1}) == '{"kind": "pull image", "pull image": 1}'
    assert (f"{change.kind}", str(change), change.done) == (
        "pull image",
        "pull image redis:7: it is not on the Docker host",
        "pulled image redis:7 (it was not on the Docker host)",
    )
    assert (
        "recreate" in STARTING and Kind("recreate") is Kind.RECREATE and len({kind.done for kind in Kind}) == len(Kind)
    )
