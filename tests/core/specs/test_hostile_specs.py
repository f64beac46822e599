"""Hostile strings in every string of a spec: they end as a problem, or stay where text is free (docs/specs.md)."""

from __future__ import annotations

import copy
import functools
import operator
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.check.specs import check_specs
from dusty_tasks.core.settings.check import settings_of
from dusty_tasks.core.specs.compose_values import published_port, volume_of
from dusty_tasks.core.specs.documents import paths_of
from dusty_tasks.core.specs.model import App, Lib, Specs
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.specs.rules import Wrong, check_spec_name
from dusty_tasks.core.text.key_path import path_text
from dusty_tasks.core.text.problems import Problem, errors, report
from tests.core.spec_text import document

TEST = {
    "image": "python:3",
    "image_requires_login": False,
    "once": ["pip install nose"],
    "inputs": ["requirements*.txt"],
    "suites": [
        {
            "name": "unit",
            "description": "Unit",
            "command": ["nose"],
            "default_args": "-v",
            "services": ["redis"],
            "compose": {"environment": {"A": "1"}, "volumes": ["/persist/t:/t"]},
        }
    ],
}
COMPOSE = {
    "environment": {"A": "1"},
    "volumes": ["/persist/a:/data", "named:/n"],
    "ports": ["8080:80"],
    "working_dir": "/x",
    "labels": {"team": "shop"},
    "dns": ["8.8.8.8"],
    "extra_hosts": ["a:1.2.3.4"],
    "hostname": "h",
    "mem_limit": "1g",
    "volumes_from": ["redis"],
    "cap_add": ["NET_ADMIN"],
    "tmpfs": ["/run"],
    "env_file": ["common.env"],
    "x-any": {"k": "v"},
}
FILES: dict[str, dict[str, Any]] = {
    "apps/web.yml": {
        "repo": "github.com/org/web",
        "mount": "/web",
        "build": "docker",
        "commands": {"once": ["a"], "always": ["b"]},
        "depends": {"services": ["redis"], "apps": ["api"], "libs": ["base"]},
        "conditional_links": {"apps": ["other"], "services": ["redis"]},
        "host_forwarding": [
            {"host_name": "local.web.test", "host_port": 80, "container_port": 5000, "type": "http"},
            {"host_name": "local.web.test", "host_port": 2222, "container_port": 22, "type": "stream"},
        ],
        "scripts": [{"name": "reset", "description": "Reset", "command": ["c"]}],
        "assets": [{"name": "KEY", "path": "/root/key", "required": True}],
        "compose": COMPOSE,
        "test": TEST,
    },
    "apps/api.yml": {"image": "busybox:1", "commands": {"always": ["d"]}, "compose": {"network_mode": "service:redis"}},
    "apps/other.yml": {"image": "busybox:1", "commands": {"always": []}},
    "libs/base.yml": {
        "repo": "/src/base",
        "mount": "/base",
        "install": ["e"],
        "depends": {"libs": ["more"]},
        "assets": [{"name": "KEY", "path": "/base.key"}],
        "test": TEST,
    },
    "libs/more.yml": {"repo": "me@git.corp:org/more.git", "mount": "/more"},
    "services/redis.yml": {
        **COMPOSE,
        "ports": ["6379:6379"],
        "volumes_from": ["mongo"],
        "image": "redis:7",
        "links": ["mongo:db"],
        "command": "redis-server",
        "container_name": "x",
        "log_driver": "syslog",
        "log_opt": {"tag": "t"},
    },
    "services/mongo.yml": {
        "build": {"context": "mongo", "dockerfile": "F", "args": {"A": "1"}},
        "net": "bridge",
        "logging": {"driver": "none"},
        "depends_on": [],
        "command": ["mongod", "--smallfiles"],
    },
    "bundles/main.yml": {"description": "All", "apps": ["web"], "services": ["redis", "mongo"]},
}
STRINGS = [
    (file, path)
    for file, value in FILES.items()
    for path in paths_of(value)
    if isinstance(functools.reduce(operator.getitem, path, value), str)
]
KEYS = [(file, path) for file, value in FILES.items() for path in paths_of(value) if path and isinstance(path[-1], str)]

NASTY = ";{}\"'$\\`\n\t\0\x1b\x7f\u2028 ..//::@#%&*?!<>|()[]=,~^-_.aZ0é\u202e"
HOSTILE = st.one_of(
    st.text(st.sampled_from(NASTY), max_size=12),
    st.text(max_size=12),
    st.sampled_from(
        [
            "..",
            "../x",
            "/../etc/passwd",
            "/",
            "//",
            "/cp",
            "a\nb",
            "x;}",
            "${HOME}",
            "$(reboot)",
            "`reboot`",
            "a'b",
            'a"b',
            "-rf",
            "--help",
            "\0",
            "a b",
            "http://x/;return 200;",
            "localhost",
            "a.test\n127.0.0.1 bank.test",
            "container:",
            "service:",
            ":",
            "/a:/b:/c",
            "~/x",
            "dusty.kind",
            "dustyInternalNginx",
            "all",
            "null",
            "true",
            "0755",
            "1.10",
            "<<",
            "=",
            "!x",
            "&a",
            "*a",
            "- x",
            "{a: b}",
            "#",
            "a" * 300,
        ]
    ),
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
PLAIN = r"[^\x00-\x20\x7f-\xa0\s'\"`\\$;{}<>|&*?!#()\[\]^\u2028\u2029]"
PATH = re.compile(rf"/(?:(?!:){PLAIN})+")
IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]*")
BUILD = re.compile(rf"{PLAIN}+")


def replaced(file: str, path: tuple[Any, ...], text: str, *, key: bool = False) -> dict[str, dict[str, Any]]:
    """FILES with the string at `path` (or its key) replaced."""
    files = copy.deepcopy(FILES)
    parent: Any = files[file]
    for step in path[:-1]:
        parent = parent[step]
    if key:
        value = parent.pop(path[-1])
        parent[text] = value
    else:
        parent[path[-1]] = text
    return files


def checked(files: dict[str, dict[str, Any]]) -> tuple[Specs, list[Problem]]:
    texts = {file: USUAL[file] if value == FILES[file] else dumped(value) for file, value in files.items()}
    return check_specs([parsed(file, text) for file, text in sorted(texts.items())])


def dumped(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=False)


USUAL = {file: dumped(value) for file, value in FILES.items()}
parsed = functools.lru_cache(maxsize=64)(document)
"""Most files are the same in every example; documents are never changed."""


def assert_safe(specs: Specs) -> None:
    """Whatever becomes a name, a path or an nginx word is plain; no string anywhere holds a control character."""
    for app in specs.apps.values():
        assert all(HOST.fullmatch(one.host_name) and one.kind in ("http", "stream") for one in app.forwardings)
        assert all(type(port) is int and 0 < port < 65536 for one in app.forwardings for port in one[1:3])
        assert all(NAME.fullmatch(script.name) for script in app.scripts)
        assert set(app.apps + app.linked_apps) <= set(specs.apps)
        assert set(app.services + app.linked_services) <= set(specs.services)
        assert_code_is_safe(specs, app)
        assert_compose_is_safe(specs, app.compose)
    for lib in specs.libs.values():
        assert_code_is_safe(specs, lib)
    for service in specs.services.values():
        assert_compose_is_safe(specs, service.compose)
    for bundle in specs.bundles.values():
        assert set(bundle.apps) <= set(specs.apps)
    for spec in (*specs.apps.values(), *specs.libs.values(), *specs.services.values(), *specs.bundles.values()):
        assert not [text for text in texts_in(spec) if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)]


def assert_code_is_safe(specs: Specs, spec: App | Lib) -> None:
    if spec.repo:
        assert_repo_is_safe(spec.repo)
    if spec.mount is not None:
        assert_path_is_safe(spec.mount)
        assert spec.mount.split("/")[1] not in ("cp", "command_files", "dusty_assets", "proc", "sys", "dev")
    for asset in spec.assets:
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", asset.key)
        assert_path_is_safe(asset.path)
    assert set(spec.libs) <= set(specs.libs)
    image = getattr(spec, "image", None)
    assert image is None or IMAGE.fullmatch(image)
    build = getattr(spec, "build", None)
    assert build is None or (BUILD.fullmatch(build) and (build[0] == "/" or build.split("/")[0] != ".."))
    if spec.tests:
        assert all(
            NAME.fullmatch(suite.name) and suite.name.lower() not in ("all", "setup") for suite in spec.tests.suites
        )
        assert all("\n" not in suite.default_args for suite in spec.tests.suites)


def assert_repo_is_safe(repo: Repo) -> None:
    assert all(BUILD.fullmatch(text) for text in (repo.id, repo.written, repo.url or "x", repo.local_path or "/x"))
    assert not {"", ".", ".."} & set(repo.id.split("/")) and ":" not in repo.id
    assert not repo.url.startswith("-") and (repo.url == "") == bool(repo.local_path)


def assert_path_is_safe(path: str) -> None:
    assert PATH.fullmatch(path) and not {"", ".", ".."} & set(path[1:].split("/"))


def assert_compose_is_safe(specs: Specs, compose: dict[str, Any]) -> None:
    for volume in map(volume_of, compose.get("volumes", ())):
        assert_path_is_safe(volume.target)
        assert volume.target.split("/")[1] != "cp"
        assert not volume.source or volume.source[0] == "/" or NAME.fullmatch(volume.source)
    for port in compose.get("ports", ()):
        published_port(port)
    assert set(compose.get("depends_on", ())) <= {*specs.apps, *specs.services}
    assert not re.search(r"[\s'\"$]", compose.get("network_mode", ""))
    assert not {"extends", "scale", "profiles", "container_name", "net", "dockerfile", "log_driver", "log_opt"} & set(
        compose
    )
    assert not [label for label in compose.get("labels", ()) if label.startswith("dusty.")]
    assert all(not re.search(r"[\s=\x00-\x1f'\"$]", name) for name in compose.get("environment", ()))
    if isinstance(compose.get("image"), str):
        assert IMAGE.fullmatch(compose["image"])


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from (key, *texts_in(below))
    elif isinstance(value, (list, tuple)):
        for below in value:
            yield from texts_in(below)
    elif hasattr(value, "__slots__"):
        for name in value.__slots__:
            yield from texts_in(getattr(value, name))


def assert_printable(problems: list[Problem]) -> None:
    """A message cannot clear the screen, turn the text around, or look like two problems."""
    lines = report(problems, lambda _file: []).splitlines()
    assert all(line.isprintable() for line in lines)
    assert len(lines) == sum(1 + bool(problem.hint) for problem in problems) + bool(problems)


def test_the_example_itself_is_fine() -> None:
    specs, problems = checked(FILES)
    assert errors(problems) == []
    assert_safe(specs)
    assert len(STRINGS) > 90


SURE = ("a b", "a\nb", "a;b", "a'b", 'a"b', "${X}", "../x", "/a/../b", "/cp", "-x", "\0", "", "/", "a\u202eb")
"""At every string of a spec, each time: no luck is needed to find a missing rule."""


@pytest.mark.parametrize("where", STRINGS, ids=lambda where: f"{where[0]}:{path_text(where[1])}")
def test_every_string_stands_the_plainest_attacks(where: tuple[str, tuple[Any, ...]]) -> None:
    for text in SURE:
        specs, problems = checked(replaced(*where, text))
        assert_printable(problems)
        if not errors(problems):
            assert_safe(specs)


@given(st.sampled_from(STRINGS), HOSTILE)
def test_a_hostile_value_is_a_problem_or_stays_free_text(where: tuple[str, tuple[Any, ...]], text: str) -> None:
    specs, problems = checked(replaced(*where, text))
    assert_printable(problems)
    if not errors(problems):
        assert_safe(specs)


@given(st.sampled_from(KEYS), HOSTILE)
def test_a_hostile_key_is_a_problem_or_stays_free_text(where: tuple[str, tuple[Any, ...]], text: str) -> None:
    specs, problems = checked(replaced(*where, text, key=True))
    assert_printable(problems)
    if not errors(problems):
        assert_safe(specs)


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(STRINGS + KEYS), ANY_VALUE)
def test_a_value_of_any_form_is_a_problem_or_fits(where: tuple[str, tuple[Any, ...]], value: Any) -> None:
    specs, problems = checked(replaced(*where, value))
    assert_printable(problems)
    if not errors(problems):
        assert_safe(specs)


@given(
    st.binary(max_size=200) | st.text(st.sampled_from("[]{}:,-?!&*|>'\"%@` \n\tab<#~=0"), max_size=60).map(str.encode)
)
def test_any_bytes_end_in_a_document(data: bytes) -> None:
    for file in ("apps/x.yml", "services/x.yml"):
        found = document(file, data)
        _, problems = check_specs([found])
        assert_printable(problems)


@given(st.sampled_from(["app", "lib", "service", "bundle"]), HOSTILE)
def test_a_hostile_name_is_no_name(kind: str, name: str) -> None:
    try:
        check_spec_name(kind, name)
    except Wrong as wrong:
        assert wrong.what.isprintable()
        return
    assert name and name[0] not in "-." and not re.search(r"[\x00-\x1f\x7f\u2028]", name)
    if kind != "bundle":
        assert NAME.fullmatch(name) and name.lower() != "dustyinternalnginx"


@given(
    st.dictionaries(
        HOSTILE | st.sampled_from(["bundles", "env", "repo_overrides", "repo_branches", "host", "sync", "nginx_image"]),
        ANY_VALUE,
        max_size=4,
    )
)
def test_hostile_settings_keep_their_defaults(value: dict[str, Any]) -> None:
    settings, problems = settings_of(value, {}, "/h", {"HOME": "/home/me"})
    assert_printable(problems)
    assert IMAGE.fullmatch(settings.nginx_image)
    assert all(folder.startswith("/") and ":" not in folder for folder in settings.repo_overrides.values())
    assert all(not branch.startswith("-") for branch in settings.repo_branches.values())
    assert all(
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for variables in settings.env.values() for name in variables
    )
