"""Mount points below copies: of every container that sees a copy, whatever mounts there."""

from __future__ import annotations

from dusty_tasks.core.artifacts.mount_points import merged, of_records, of_stack, of_test_target, through_links
from dusty_tasks.core.code.copies import MountPoint
from dusty_tasks.core.stack.assemble import assemble
from dusty_tasks.core.text.namespace import STACK
from tests.core.spec_text import fine

APP = "repo: /src/app\nmount: /app\nimage: busybox:1\ncommands: {always: [sleep 9]}\n"


def points(texts: dict[str, str]) -> dict[str, list[tuple[str, str, str]]]:
    specs = fine(texts)
    found = of_stack(assemble(specs, tuple(specs.bundles))[0])
    return {repo_id: [tuple(point) for point in of_repo] for repo_id, of_repo in found.items()}


def test_volumes_of_every_sort_libs_assets_and_tmpfs_below_a_mount() -> None:
    volumes = """\
depends: {libs: [common]}
assets: [{name: KEY, path: /app/conf/key.pem}, {name: OUT, path: /etc/key}]
compose:
    volumes: ["/persist/nm:/app/node_modules", "named:/app/data/", "/app/anonymous", {type: tmpfs, target: /app/long}, "/persist/x:/elsewhere",
              "/persist/f:/app/file.conf:ro", "/persist/y:/application"]
    tmpfs: ["/app/tmp:size=1m", /run]
"""
    lib = "repo: /src/common\nmount: /app/lib/common\nassets: [{name: LIBKEY, path: /app/lib/common/k}]\n"
    assert points({"apps/web.yml": APP + volumes, "libs/common.yml": lib}) == {
        "src/app": [
            ("anonymous", "web", ""),
            ("conf/key.pem", "web", "KEY"),
            ("data", "web", ""),
            ("file.conf", "web", ""),
            ("lib/common", "web", ""),
            ("lib/common/k", "web", "LIBKEY"),
            ("long", "web", ""),
            ("node_modules", "web", ""),
            ("tmp", "web", ""),
        ],
        "src/common": [("k", "web", "LIBKEY")],
    }


def test_every_container_that_sees_the_copy_counts() -> None:
    other = (
        APP.replace("/app", "/code", 1)
        .replace("repo: /src/code", "repo: /src/app")
        .replace("mount: /app", "mount: /code")
    )
    texts = {
        "apps/web.yml": APP + "compose: {volumes: ['/app/one']}\n",
        "apps/worker.yml": other + "compose: {volumes: ['two:/code/two']}\n",
        "services/sharer.yml": "image: busybox:1\nvolumes_from: [web]\nvolumes: ['/app/three']\n",
        "services/static.yml": "image: busybox:1\nvolumes: ['/persist/repos/src/app/public:/www', '/www/four']\n",
        "bundles/all.yml": "apps: [web, worker]\nservices: [sharer, static]\n",
    }
    assert points(texts)["src/app"] == [
        ("one", "sharer", ""),
        ("one", "web", ""),
        ("public/four", "static", ""),
        ("three", "sharer", ""),
        ("two", "worker", ""),
    ]


def test_containers_of_tests_count_too() -> None:
    suites = "test: {image: busybox:1, suites: [{name: unit, command: [x], compose: {volumes: ['/app/.cache']}}]}\n"
    specs = fine({"apps/web.yml": APP + suites})
    assert of_test_target(specs.apps["web"], []) == {"src/app": (MountPoint(".cache", "tests of web"),)}
    assert points({"apps/web.yml": APP + suites}) == {"src/app": [(".cache", "tests of web", "")]}


def test_containers_of_former_specs_by_their_records() -> None:
    copies = "/home/o'hara/d$y/host/persist/repos"
    mapping = {
        "volumes": [
            f"{copies}/src/app:/app".replace("$", "$$"),
            "/p:/app/nm:ro",
            {"type": "volume", "source": "v", "target": "/app/long"},
        ],
        "tmpfs": "/app/t",
    }
    records = {
        "dusty_web_1": {"mapping": mapping, "mounts": {"/app/of/image": "/var/lib/docker/volumes/1/_data"}},
        "dusty_side_1": {"mapping": {"volumes": ["/app/side"], "volumes_from": ["container:dusty_web_1:ro"]}},
        "broken": None,
        "dusty_x_1": {"mapping": 1},
    }
    found = of_records(records, copies, ["src/app", "src/other"], STACK)
    assert {repo_id: {(point.path, point.by) for point in of_repo} for repo_id, of_repo in found.items()} == {
        "src/app": {
            ("nm", "web"),
            ("long", "web"),
            ("t", "web"),
            ("of/image", "web"),
            ("side", "side"),
            ("nm", "side"),
            ("long", "side"),
            ("t", "side"),
            ("of/image", "side"),
        }
    }
    assert merged(found["src/app"]) and len(merged(found["src/app"])) == 5


def test_a_way_through_links_of_the_source_ends_where_the_engine_mounts() -> None:
    links = {b"data": b"var/./data", b"var/data": b"../real", b"round": b"round", b"out": b"../../etc", b"abs": b"/etc"}
    found = {
        path: through_links(path, links.get)
        for path in (b"data/cache", b"x/y", b"round/x", b"out/x", b"abs/x", b"data")
    }
    assert found == {
        b"data/cache": b"real/cache",
        b"x/y": b"x/y",
        b"round/x": b"round/x",
        b"out/x": b"out/x",
        b"abs/x": b"abs/x",
        b"data": b"real",
    }
