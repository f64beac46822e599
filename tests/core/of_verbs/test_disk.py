"""Which of the engine's containers, images and volumes are Dusty's, and which may go."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.disk import (
    ended_containers,
    images,
    is_ours,
    made_images,
    named_images,
    unused_images,
    volumes,
)
from dusty_tasks.core.specs.model import App, Lib, Service, Specs
from dusty_tasks.core.specs.model import Tests as SpecTests
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.text.namespace import STACK
from dusty_tasks.core.text.wording import counted, size_text

OURS, THEIRS = {"com.docker.compose.project": "dusty"}, {"com.docker.compose.project": "shop"}
USAGE = {
    "Containers": [
        {"Id": "c1", "Names": ["/dusty_web_1"], "State": "running", "ImageID": "i-web", "Labels": OURS, "SizeRw": 5},
        {"Id": "c2", "Names": ["/dusty_old_1"], "State": "exited", "ImageID": "i-old", "Labels": OURS},
        {"Id": "c3", "Names": ["/shop_1"], "State": "exited", "ImageID": "i-shop", "Labels": THEIRS},
        {"Id": "c4", "Names": ["/dusty"], "State": "exited", "ImageID": "i-shop", "Labels": None},
    ],
    "Images": [
        {"Id": "i-web", "RepoTags": ["web:1"], "Size": 10, "Labels": None},
        {"Id": "i-old", "RepoTags": ["busybox:1"], "Size": 20, "Labels": None},
        {"Id": "i-shop", "RepoTags": ["shop:latest"], "Size": 30, "Labels": THEIRS},
        {"Id": "i-unused", "RepoTags": ["redis:7", "mine:1"], "Size": 40, "Labels": None},
        {"Id": "i-two", "RepoTags": ["nginx:1", "proxy:1"], "Size": 50, "Labels": {"dusty.standin": "1"}},
        {"Id": "i-dangling", "RepoTags": None, "Size": 60, "Labels": {"dusty.context": "d"}},
        {"Id": "i-dangling2", "RepoTags": ["<none>:<none>"], "Size": 70, "Labels": THEIRS},
        {"Id": "i-test", "RepoTags": ["dusty/test_web:latest"], "Size": 80, "Labels": {"dusty.test.target": "web"}},
    ],
    "Volumes": [
        {"Name": "dusty_data", "Labels": OURS, "UsageData": {"Size": 7}},
        {"Name": "shop_data", "Labels": THEIRS},
        {"Name": "anon", "Labels": None},
    ],
}


def test_only_what_our_projects_made_is_ours() -> None:
    assert (
        is_ours(OURS, STACK)
        and is_ours({"com.docker.compose.project": "dusty_test_web_unit_0a"}, STACK)
        and is_ours({"dusty.context": "x"}, STACK)
    )
    assert (
        not is_ours(THEIRS, STACK)
        and not is_ours(None, STACK)
        and not is_ours({"com.docker.compose.project": "dusty2"}, STACK)
    )


def test_ended_containers_of_ours_and_of_nobody_else() -> None:
    assert [item.name for item in ended_containers(USAGE, STACK)] == ["dusty_old_1"]


def test_images_that_go_are_ours_and_nameless_or_named_in_the_specs_and_unused() -> None:
    found = unused_images(USAGE, {"docker.io/library/redis:7", "web:1", "busybox:1", "nginx:1", "proxy:1"}, STACK)
    assert [(item.id, item.size) for item in found] == [
        ("i-dangling", 60),
        ("nginx:1", 0),
        ("proxy:1", 50),
        ("redis:7", 0),
    ]


def test_images_shown_are_built_run_or_named_by_us() -> None:
    assert [item.id for item in images(USAGE, {"redis:7"}, STACK)] == [
        "i-dangling",
        "i-old",
        "i-test",
        "i-unused",
        "i-web",
    ]


def test_images_that_dusty_made_go_by_each_name() -> None:
    assert [item.id for item in made_images(USAGE, STACK)] == [
        "i-dangling",
        "dusty/test_web:latest",
        "nginx:1",
        "proxy:1",
    ]


def test_named_volumes() -> None:
    assert [(item.name, item.size) for item in volumes(USAGE, STACK)] == [("dusty_data", 7)]


def test_an_engine_with_nothing_on_it() -> None:
    empty = {"Containers": None, "Images": None, "Volumes": None}
    assert (
        ended_containers(empty, STACK)
        == unused_images(empty, {"x"}, STACK)
        == volumes(empty, STACK)
        == made_images(empty, STACK)
        == []
    )


def test_images_that_the_specs_name() -> None:
    specs = Specs(
        apps={"a": App("a", "f", (), image="a:1", tests=SpecTests(image="t:1")), "b": App("b", "f", (), build="x")},
        libs={"l": Lib("l", "f", repo_of("/src/l"), "/l", tests=SpecTests(build="x"))},
        services={"s": Service("s", "f", {"image": "s:1"})},
    )
    assert named_images(specs, "nginx:1") == {"a:1", "t:1", "s:1", "nginx:1"}


def test_sizes_and_counts_as_people_read_them() -> None:
    assert [size_text(size) for size in (0, 1023, 1536, 5 << 30, 3 << 50)] == [
        "0 bytes",
        "1023 bytes",
        "1.5 KiB",
        "5.0 GiB",
        "3072.0 TiB",
    ]
    assert (counted(1, "file"), counted(0, "file")) == ("1 file", "0 files")
