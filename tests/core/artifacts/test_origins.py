"""From artifact lines and keys back to spec lines."""

from __future__ import annotations

import json

import pytest

from dusty_tasks.core.artifacts.origins import members_of, origins_json, source_at, sources_named_in
from dusty_tasks.core.artifacts.traced import Marks, Span
from dusty_tasks.core.specs.model import Origin
from dusty_tasks.core.specs.sources import Source, source_of

PLACES = {
    "apps/web.yml": {
        ("image",): (3, 8),
        ("compose",): (9, 3),
        ("compose", "net"): (10, 8),
        ("compose", "links"): (11, 5),
        ("compose", "log_driver"): (12, 5),
        ("compose", "log_opt"): (13, 5),
    }
}
SPANS = [
    Span(3, 3, "services.web", Origin("apps/web.yml")),
    Span(4, 4, "services.web.image", Origin("apps/web.yml", ("image",))),
    Span(5, 5, "services.web.labels.dusty.kind", Origin("apps/web.yml")),
    Span(6, 6, "services.web.ports", Origin("apps/web.yml", ("compose", "ports"))),
    Span(7, 7, "services.a.b", Origin("services/a.b.yml")),
]
ORIGINS = json.loads(origins_json([members_of({"docker-compose.yml": SPANS}, PLACES)]))


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        (Origin("apps/web.yml", ("image",)), "apps/web.yml:3:8: image"),
        (Origin("apps/web.yml", ("image", "no", "such")), "apps/web.yml:3:8: image"),
        (Origin("apps/web.yml", ("compose", "network_mode")), "apps/web.yml:10:8: compose.net"),
        (Origin("apps/web.yml", ("compose", "depends_on", 0)), "apps/web.yml:11:5: compose.links"),
        (Origin("apps/web.yml", ("compose", "logging", "driver")), "apps/web.yml:12:5: compose.log_driver"),
        (Origin("apps/web.yml", ("compose", "logging", "options", "max-size")), "apps/web.yml:13:5: compose.log_opt"),
        (Origin("apps/web.yml", ("compose", "ports")), "apps/web.yml:9:3: compose"),
        (Origin("apps/web.yml"), "apps/web.yml:1:1"),
        (Origin("apps/gone.yml", ("x",)), "apps/gone.yml:1:1"),
        (Origin("", ("host", "root")), "config.yml: host.root"),
    ],
)
def test_an_origin_stands_at_its_key_an_older_spelling_or_its_parent(origin: Origin, source: str) -> None:
    assert str(source_of(origin, PLACES)) == source


@pytest.mark.parametrize(
    ("where", "place"),
    [
        (4, "apps/web.yml:3:8"),
        (1, ""),
        (99, ""),
        ("services.web.image", "apps/web.yml:3:8"),
        ("services.web.labels.dusty.kind", "apps/web.yml:1:1"),
        ("services.web.nosuch[3].deep", "apps/web.yml:1:1"),
        ("volumes", ""),
    ],
)
def test_lines_and_keys_are_found_again(where: int | str, place: str) -> None:
    found = source_at(ORIGINS, "docker-compose.yml", where)
    assert (found.place if found else "") == place


@pytest.mark.parametrize(
    ("printed", "places"),
    [
        ("validating docker-compose.yml: services.web.image must be a string", ["apps/web.yml:3:8"]),
        ("error decoding 'services[web].ports': invalid size: 'lots'", ["apps/web.yml:9:3"]),
        ("services.a.b.restart must be a string, services.web.image too", ["services/a.b.yml:1:1", "apps/web.yml:3:8"]),
        ("no such image; services are fine", []),
    ],
)
def test_what_compose_complains_about_is_found_in_the_specs(printed: str, places: list[str]) -> None:
    assert [source.place for source in sources_named_in(printed, ORIGINS)] == places


def test_marks_leave_a_template_without_a_trace() -> None:
    marks = Marks()
    marked = f"head\n{marks.origin('a', 'x')}one\ntwo\n{marks.origin()}rest\n{marks.origin('b', ['y', 0], 'z')}last"
    artifact = marks.taken_out(marked)
    assert artifact.text == "head\none\ntwo\nrest\nlast"
    assert artifact.spans == (Span(2, 3, "", Origin("a", ("x",))), Span(5, 5, "", Origin("b", ("y", 0, "z"))))


def test_a_source_is_printed_as_problems_are() -> None:
    assert str(Source("apps/web.yml:3:8", "image")) == "apps/web.yml:3:8: image"
