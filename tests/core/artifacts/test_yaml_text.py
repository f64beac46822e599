"""The YAML we write, read back by another reader."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.artifacts.yaml_writer import scalar, yaml_lines
from dusty_tasks.core.specs.model import Origin

TEXT = st.text(st.characters(codec="utf-8"))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
TRICKY = [
    "yes",
    "No",
    "on",
    "~",
    "null",
    "true",
    "1.10",
    "0755",
    "0x1F",
    "1e3",
    "22:22",
    "2026-01-31",
    ".inf",
    "-",
    "- a",
    "a: b",
    "a #b",
    "#",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "'",
    '"',
    "\\",
    "\n",
    "\t",
    " a ",
    "",
    "{}",
    "[]",
    ",",
    "?",
    "|",
    ">",
    "=",
    "<<",
    "\x85",
    "\u2028",
    "\ufeff",
    "\x7f",
    "🎉",
    "é",
    "$$",
    "y",
    "N",
]


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_what_is_written_is_what_is_read(value: dict[str, Any]) -> None:
    text = "\n".join(yaml_lines(value).texts) or "{}"
    assert yaml.load(text, yaml.CSafeLoader) == value


@pytest.mark.parametrize("text", TRICKY)
def test_a_string_is_read_as_that_string(text: str) -> None:
    assert yaml.load(f"{scalar(text)}: {scalar(text)}", yaml.CSafeLoader) == {text: text}
    assert yaml.load(f"- {scalar(text)}", yaml.SafeLoader) == [text]


def test_each_line_has_its_key_and_its_own_or_its_parents_origin() -> None:
    value = {"web": {"ports": ["80:80"], "logging": {"driver": "x"}, "volumes": [{"type": "bind"}]}}
    lines = yaml_lines(
        value, {"web": Origin("apps/web.yml"), "web.ports[0]": Origin("apps/web.yml", ("host_forwarding", 0))}
    )
    assert list(zip(lines.texts, lines.keys, [origin and origin.path for origin in lines.origins], strict=True)) == [
        ("web:", "web", ()),
        ("  ports:", "web.ports", ("ports",)),
        ('    - "80:80"', "web.ports[0]", ("host_forwarding", 0)),
        ("  logging:", "web.logging", ("logging",)),
        ("    driver: x", "web.logging.driver", ("logging", "driver")),
        ("  volumes:", "web.volumes", ("volumes",)),
        ("    - type: bind", "web.volumes[0].type", ("volumes", 0, "type")),
    ]


def test_what_yaml_has_no_word_for_is_refused() -> None:
    with pytest.raises(TypeError):
        scalar(object())
    with pytest.raises(ValueError):
        scalar(float("nan"))
