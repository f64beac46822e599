"""config.yml as settings: defaults, forms, problems; golden problems are in cases/problems_settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from dusty_tasks.core.settings.check import settings_of
from dusty_tasks.core.settings.keys import KEYS, check_value, value_of_text
from dusty_tasks.core.settings.model import NGINX_IMAGE, Settings, from_json, to_json
from dusty_tasks.core.specs.rules import Wrong
from dusty_tasks.effects.home.settings import settings_from


def settings(text: str) -> Settings:
    found, problems = settings_from(text.encode(), "/home/me/.dusty")
    assert problems == []
    return found


def test_defaults() -> None:
    found, problems = settings_of({}, {}, "/h", {}, cpus=16)
    assert problems == []
    assert (found.host.kind, found.host.root, found.host.wait, found.sync_mode, found.sync_jobs) == (
        "local",
        "/h/host",
        120,
        "rsync",
        4,
    )
    assert (found.repos_pull, found.repos_jobs, found.routing, found.bridge_ip) == (
        "always",
        8,
        "published",
        "172.17.0.1",
    )
    assert (found.external_bind, found.hosts_mode, found.nginx_image, found.up_wait) == (False, "file", NGINX_IMAGE, 60)
    assert (found.hosts_address, found.build, found.state, found.is_configured) == (
        "127.0.0.1",
        "/h/build",
        "/h/state",
        True,
    )


def test_a_home_with_a_colon_needs_another_root() -> None:
    _, problems = settings_of({}, {}, "/h:h", {})
    assert [str(problem).splitlines()[0] for problem in problems] == [
        'config.yml:1:1: host.root: "/h:h/host", the default, contains ":", which a volume path cannot contain [D309]'
    ]
    assert settings_of({"host": {"root": "/srv"}}, {}, "/h:h", {})[1] == []


def test_a_file_by_hand() -> None:
    found = settings("""
specs_repo: github.com/org/specs
bundles: [shop, shop, blog]
host: {kind: ssh, ssh: me@box:22, address: 192.168.64.2, start: [limactl, start], memory: 4, ncpu: 2, daemon: {debug: true}}
sync: {exclude: [node_modules/], jobs: 2}
repos: {pull: daily, jobs: 3}
hosts: {mode: off}
external_bind: yes
up: {wait: 2.5}
repo_overrides: {github.com/org/web: ~/src/web/, "https://github.com/org/api.git": /src/api}
repo_branches: {github.com/org/web: 1.10}
env: {web: {VERSION: 1.10, TOKEN: , EMPTY: ""}, "db": {}}
""")
    assert (found.bundles, found.host.root, found.host.daemon) == (("shop", "blog"), "/", {"debug": True})
    assert (found.host.start, found.host.memory, found.hosts_address) == (("limactl", "start"), 4, "192.168.64.2")
    assert (found.hosts_mode, found.external_bind, found.up_wait, found.repos_pull) == ("off", True, 2.5, "daily")
    assert list(found.repo_overrides) == ["github.com/org/web", "github.com/org/api"]
    assert found.repo_overrides["github.com/org/web"].endswith("/src/web")
    assert found.repo_branches == {"github.com/org/web": "1.10"}
    assert found.env == {"web": {"VERSION": "1.10", "TOKEN": None, "EMPTY": ""}}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "bundles:\nhost:\n"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    assert settings(text) == settings("")


def test_a_wrong_key_keeps_its_default_and_the_rest_counts() -> None:
    found, problems = settings_from(b"routing: x\nbridge_ip: 10.0.0.1\nhost: {wait: -1}\n", "/h")
    assert (found.routing, found.bridge_ip, found.host.wait) == ("published", "10.0.0.1", 120)
    assert [str(problem.place) for problem in problems] == ["config.yml:1:10", "config.yml:3:14"]


def test_one_repo_under_another_name_is_one_override() -> None:
    assert settings("repo_overrides: {'me@git.corp:org/x.git': /x}").path_of("git.corp/org/x") == "/x"


def test_json_and_back() -> None:
    found = settings("bundles: [a]\nhost: {start: [a, b]}\nenv: {a: {B: }}\nrepo_overrides: {/x: /y}\n")
    assert from_json(json.loads(json.dumps(to_json(found)))) == found


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("host.wait", "5", 5),
        ("host.memory", "1.5", 1.5),
        ("external_bind", "on", True),
        ("external_bind", "False", False),
        ("routing", "network", "network"),
        ("bridge_ip", "10.0.0.1", "10.0.0.1"),
        ("hosts.mode", "off", "off"),
    ],
)
def test_typed_values(name: str, text: str, value: Any) -> None:
    assert value_of_text(KEYS[name], text) == value
    check_value(KEYS[name], value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host.wait", True),
        ("host.wait", "5"),
        ("sync.jobs", 0),
        ("sync.jobs", 1.5),
        ("sync.jobs", 65),
        ("bundles", "a"),
        ("bundles", [1]),
        ("bridge_ip", "::1"),
        ("bridge_ip", "x"),
        ("host.address", "box"),
        ("host.ssh", "-oProxyCommand=x"),
        ("host.ssh", "a b"),
        ("host.root", "x"),
        ("host.root", "/a:b"),
        ("host.root", "/a/../b"),
        ("nginx_image", "x y"),
        ("specs_repo", "-x"),
        ("routing", "off"),
        ("env", []),
        ("host.daemon", "x"),
        ("sync.exclude", [" "]),
        ("external_bind", 1),
        ("up.wait", -1),
    ],
)
def test_values_that_a_key_may_not_have(name: str, value: Any) -> None:
    with pytest.raises(Wrong):
        check_value(KEYS[name], value)


def test_every_default_is_a_value_that_the_key_may_have() -> None:
    for key in KEYS.values():
        if key.default is not None:
            check_value(key, key.default)
        assert key.description.endswith((".", ")", ":", "]"))


@pytest.mark.parametrize("text", ["*.log", "!x", "a: b", "it's", "[x", "- y", "# z", "@a", "'", '"', "a\\b"])
def test_the_form_that_a_list_of_one_should_have_is_yaml_that_means_it(text: str) -> None:
    _, (problem,) = settings_of({"sync": {"exclude": text}}, {}, "/h", {})
    assert yaml.safe_load(problem.hint) == {"exclude": [text]}


@pytest.mark.parametrize("name", ["boot2docker", "docker-machine"])
def test_a_preset_that_left_says_what_takes_its_place(name: str) -> None:
    (problem,) = settings_from(f"host: {{preset: {name}}}".encode(), "/h")[1]
    assert "is no longer one of" in problem.what and "lima" in problem.hint
