"""The proxy's config by its directives; tests/e2e/test_proxy.py shows what the real nginx does with them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.artifacts.nginx import PARAMETER_SIZE, ProxySlice, known_names, render_nginx, trusted_addresses
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.settings.slices import ProxySettings
from dusty_tasks.core.specs.model import App
from dusty_tasks.core.stack.model import Route, Stack
from dusty_tasks.core.text.value import cut
from dusty_tasks.effects.specs.schemas import read_templates
from tests.core.artifacts.test_hostile_artifacts import nginx_servers, nginx_tokens

SETTINGS = Settings(home="/h")
TEMPLATES = read_templates()
DAY = 86400


def stack_of(*routes: Route) -> Stack:
    names = sorted({route.app_name for route in routes})
    return Stack(apps={name: App(name, f"apps/{name}.yml", ("run",)) for name in names}, routes=routes)


def route(number: int = 0, kind: str = "http", **changed: object) -> Route:
    return Route(f"app{number}", 0, f"app{number}.test", 8080, 5000, kind, 65000 + number)._replace(**changed)


def slice_of(routes: tuple[Route, ...], settings: Settings) -> ProxySlice:
    files = {name: app.file for name, app in stack_of(*routes).apps.items()}
    return ProxySlice(routes, files, cut(ProxySettings, settings))


def config(*routes: Route, settings: Settings = SETTINGS) -> str:
    return render_nginx(slice_of(routes, settings), TEMPLATES).text


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smhd]?)", text).groups()
    return int(number) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": DAY}[unit]


@pytest.mark.parametrize("routing", ["published", "network"])
def test_nothing_that_takes_long_or_is_silent_is_cut_off_and_nothing_is_held_back(routing: str) -> None:
    directives = nginx_servers(
        config(route(), route(1, "stream", host_port=5432), settings=replace(SETTINGS, routing=routing))
    )
    found = {words[0]: words[1:] for words in directives}
    for name in ("proxy_read_timeout", "proxy_send_timeout", "send_timeout", "client_body_timeout", "proxy_timeout"):
        values = [seconds(words[1]) for words in directives if words[0] == name]
        assert values and (max(values) == DAY), name
    assert found["proxy_buffering"] == found["proxy_request_buffering"] == found["proxy_next_upstream"] == ("off",)
    assert found["proxy_socket_keepalive"] == found["underscores_in_headers"] == ("on",) and found[
        "ignore_invalid_headers"
    ] == ("off",)
    assert seconds(found["proxy_connect_timeout"][0]) < 10


def test_an_upload_is_as_large_as_the_setting_or_the_forwarding_says() -> None:
    def sizes(settings: Settings) -> list[str]:
        text = config(route(), route(1, max_upload="2G"), route(2, max_upload="0"), settings=settings)
        return [words[1] for words in nginx_servers(text) if words[0] == "client_max_body_size"]

    assert sizes(SETTINGS) == ["500M", "2G", "0"]
    assert sizes(replace(SETTINGS, proxy_max_upload="1G")) == ["1G", "2G", "0"]


def test_only_what_cannot_have_reached_an_app_is_asked_for_again() -> None:
    text = config(route())
    (again,) = re.findall(r"map \S+ \$dusty_again \{(.*?)\n    \}", text, re.S)
    assert again.split() == [
        '"~^(GET|HEAD):refused$"',
        "now;",
        '"~^(GET|HEAD):silent$"',
        "unless-it-arrived;",
        "default",
        "never;",
    ]
    assert "unless-it-arrived;" not in config(route(), settings=replace(SETTINGS, routing="network"))


@pytest.mark.parametrize(
    ("changed", "wanted", "unwanted"),
    [
        ({}, [r"^127\.", "localhost", "172.17.0.1", "app0.test"], [r"^[0-9.]+$", "app0.test.localhost"]),
        ({"external_bind": True}, [r"^[0-9.]+$"], []),
        ({"hosts_mode": "localhost"}, ["app0.test.localhost"], []),
        (
            {"host": HostSettings("ssh", ssh="dev@BuildBox:22", address="10.1.1.1")},
            ["buildbox", "10.1.1.1", r"^[0-9.]+$"],
            [],
        ),
    ],
)
def test_who_may_see_the_list_of_names(changed: dict, wanted: list[str], unwanted: list[str]) -> None:
    (known,) = re.findall(
        r"map \$host \$dusty_is_known \{(.*?)\n    \}", config(route(), settings=replace(SETTINGS, **changed)), re.S
    )
    keys = [line.split()[0].strip('"~') for line in known.splitlines() if line.strip()]
    assert all(any(key.startswith(word) for key in keys) for word in wanted)
    assert not any(key.startswith(word) for key in keys for word in unwanted)


def test_every_port_refuses_whom_it_does_not_know() -> None:
    text = config(route(), route(1), route(2, host_port=80), route(3, "stream", host_port=22))
    assert sorted(words[1:] for words in nginx_servers(text) if words[0] == "listen" and "default_server" in words) == [
        ("80", "default_server"),
        ("8080", "default_server"),
    ]
    assert "default_server" not in config(route(3, "stream"))


def test_nginx_loads_a_certificate_once_whatever_number_of_servers_has_it() -> None:
    def loaded(*routes: Route) -> list[str]:
        servers = nginx_servers(config(*routes, settings=replace(SETTINGS, https="on")))
        assert sum(words[:2] == ("listen", "443") for words in servers) == len(routes) + 1
        return [words[1] for words in servers if words[0] == "ssl_certificate"]

    assert len(loaded(*(route(number) for number in range(300)))) == 1
    # More names than a certificate holds: the servers of the first one, which is the fullest, still load none.
    many = [route(number, host_name=f"{'a' * 60}.{'b' * 60}.r{number}.test") for number in range(250)]
    assert len(set(loaded(*many))) == 2 and 1 < len(loaded(*many)) < 125


def test_loopback_stands_for_this_machine_as_the_proxy_sees_it() -> None:
    assert trusted_addresses(["10.0.0.0/8", "10.1.2.3", "10.0.0.1/8"]) == ["10.0.0.0/8", "10.1.2.3/32"]
    assert {"127.0.0.1/32", "172.18.0.1", "192.168.240.1"} <= set(trusted_addresses(["127.0.0.1"]))


@given(st.integers(0, 300), st.integers(1, 200))
def test_no_parameter_is_longer_than_nginx_takes_and_no_name_is_lost(count: int, length: int) -> None:
    name = ".".join("a" * min(60, length - at) for at in range(0, length, 60))
    routes = [route(number)._replace(host_name=f"{name}.r{number}") for number in range(count)]
    text = config(*routes)
    assert max(len(token) for token in nginx_tokens(text)) < 4096
    if len(name) < 100:
        assert all(f'"host_name": "{one.host_name}"' in text for one in routes)
    assert PARAMETER_SIZE < 4096 and len(known_names(slice_of(routes, SETTINGS))) == count + 4
