"""Ports and volumes in Compose's short and long forms."""

from __future__ import annotations

from typing import Any

import pytest

from dusty_tasks.core.specs.compose_values import Published, Volume, named_volumes, published_port, volume_of
from dusty_tasks.core.specs.rules import Wrong


@pytest.mark.parametrize(
    ("entry", "published"),
    [
        ("80", None),
        ("80:81", Published(80, 80)),
        ("127.0.0.1:80:81", Published(80, 80, ip="127.0.0.1")),
        ("[::1]:80:81", Published(80, 80, ip="::1")),
        ("127.0.0.1::81", None),
        ("80-82:90-92", Published(80, 82)),
        ("53:53/udp", Published(53, 53, "udp")),
        ("0:81", None),
        ("80-82", None),
        ({"target": 80}, None),
        ({"target": 80, "published": "8080"}, Published(8080, 8080)),
        ({"target": 80, "published": "8080-8090", "protocol": "udp"}, Published(8080, 8090, "udp", is_choice=True)),
        ("53:53/UDP", Published(53, 53, "udp")),
        ("80-90:1", Published(80, 90, is_choice=True)),
        ("[::1]::81", None),
        ({"target": 80, "published": "8080", "host_ip": "::1"}, Published(8080, 8080, ip="::1")),
    ],
)
def test_published_port(entry: Any, published: Published | None) -> None:
    assert published_port(entry) == published


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("80:1", "80:2", True),
        ("80:1", "81:1", False),
        ("80:1", "80:1/udp", False),
        ("127.0.0.1:80:1", "80:1", True),
        ("127.0.0.1:80:1", "0.0.0.0:80:1", True),
        ("127.0.0.1:80:1", "127.0.0.2:80:1", False),
        ("[::]:80:1", "[::1]:80:1", True),
        ("[::1]:80:1", "0.0.0.0:80:1", False),
        ("80-82:1-3", "82:9", True),
        ("80-90:1", "82:9", False),
    ],
)
def test_ports_that_meet(one: str, other: str, clash: bool) -> None:
    """As the engine binds them: an address of its own is free beside another one, and a choice finds a free port."""
    first, second = published_port(one), published_port(other)
    assert first and second and first.meets(second) is second.meets(first) is clash


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "a",
        "80:",
        ":",
        "80:81:82",
        "80/icmp",
        "65536:1",
        "1:65536",
        "82-80:1",
        "-80:1",
        "80;:1",
        "300.1.1.1:80:81",
        "[fe80]:80:81",
        "80-90:1-5",
        "80:1-5",
        {"target": 80, "published": "x"},
        {"published": "80"},
        {"target": 0},
        {"target": 80, "host_ip": "x"},
    ],
)
def test_no_port(entry: Any) -> None:
    with pytest.raises(Wrong):
        published_port(entry)


@pytest.mark.parametrize(
    ("entry", "volume"),
    [
        ("/a:/b", Volume("/a", "/b")),
        ("/a:/b/:ro", Volume("/a", "/b")),
        ("data:/b:rw,z", Volume("data", "/b")),
        ("/b", Volume("", "/b")),
        ({"type": "bind", "source": "/a", "target": "/b"}, Volume("/a", "/b")),
        ({"source": "data", "target": "/b"}, Volume("data", "/b")),
        ({"type": "volume", "source": "data", "target": "/b"}, Volume("data", "/b")),
        ({"type": "tmpfs", "target": "/b"}, Volume("", "/b")),
    ],
)
def test_volume(entry: Any, volume: Volume) -> None:
    assert volume_of(entry) == volume


@pytest.mark.parametrize(
    "entry",
    [
        "",
        ":/b",
        "/a:",
        "/a:b",
        "../a:/b",
        "~/a:/b",
        "a/b:/c",
        "/a:/b:ro:x",
        "/a:/b:",
        "/a:/b:r0",
        "/a b:/c",
        "/a\n:/c",
        "$X:/c",
        "/a/../b:/c",
        "/a:/b/../c",
        "/a:/",
        {"source": "/a"},
        {"type": "bind", "target": "/b"},
        {"type": "bind", "source": "a", "target": "/b"},
        {"type": "volume", "source": "/a", "target": "/b"},
        {"type": "tmpfs", "target": "/b", "tmpfs": {"mode": "0999"}},
    ],
)
def test_no_volume(entry: Any) -> None:
    with pytest.raises(Wrong):
        volume_of(entry)


def test_named_volumes_come_once_and_in_order() -> None:
    assert named_volumes({"volumes": ["b:/b", "/x:/x", "a:/a", "b:/c", {"source": "c", "target": "/d"}, 7]}) == [
        "b",
        "a",
        "c",
    ]
