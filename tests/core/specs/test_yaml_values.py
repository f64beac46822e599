"""YAML as values with places: scalars as written, keys once, and nothing that explodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.specs.documents import Content, Places, marks_by_path, paths_of
from dusty_tasks.core.specs.yaml_reader import values_of_yaml
from dusty_tasks.core.specs.yaml_trouble import QUOTED

SCHEMA = {
    "properties": {
        "text": {"type": "string"},
        "texts": {"type": "array", "items": {"type": "string"}},
        "number": {"type": "integer"},
        "flag": {"type": "boolean"},
        "maybe": {"type": ["integer", "string"]},
        "size": {"type": ["integer", "number", "string"]},
        "ratio": {"type": ["integer", "number"]},
        "env": {"additionalProperties": {"type": ["string", "null"]}},
        "on": {"type": "string"},
    }
}


def read(text: str | bytes) -> Content:
    return values_of_yaml(text.encode() if isinstance(text, str) else text, "f.yml", SCHEMA)


def said(text: str | bytes) -> list[tuple[str, str]]:
    return [
        (str(problem.place), f"{problem.path}: {problem.what}" if problem.path else problem.what)
        for problem in read(text).problems
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("text: true", {"text": "true"}),
        ("text: 1.10", {"text": "1.10"}),
        ("text: 0755", {"text": "0755"}),
        ("text: 22:22", {"text": "22:22"}),
        ("text: 2024-01-01", {"text": "2024-01-01"}),
        ("text: 'null'", {"text": "null"}),
        ("texts: [true, 1_000, .inf, =, <<]", {"texts": ["true", "1_000", ".inf", "=", "<<"]}),
        ("on: on", {"on": "on"}),
        ("number: 80", {"number": 80}),
        ("number: -1", {"number": -1}),
        ("number: '80'", {"number": "80"}),
        ("number: 080", {"number": "080"}),
        ("number: 0x50", {"number": "0x50"}),
        ("number: 8_0", {"number": "8_0"}),
        ("number: 99999999999999999999", {"number": "99999999999999999999"}),
        ("flag: yes", {"flag": True}),
        ("flag: Off", {"flag": False}),
        ("flag: 'yes'", {"flag": "yes"}),
        ("flag: 1", {"flag": 1}),
        ("maybe: 10", {"maybe": 10}),
        ("maybe: 10m", {"maybe": "10m"}),
        ("maybe: '10'", {"maybe": "10"}),
        ("size: 1.5", {"size": "1.5"}),
        ("ratio: 1.5", {"ratio": 1.5}),
        (
            "other: {a: 1, b: 1.10, c: yes, d: true, e: 0755}",
            {"other": {"a": 1, "b": "1.10", "c": "yes", "d": True, "e": "0755"}},
        ),
        ("text:\nnumber: ~\nflag: null", {}),
        ("env: {A: , B: null, C: ''}", {"env": {"A": None, "B": None, "C": ""}}),
        ("texts: [a, ~, b]", {"texts": ["a", None, "b"]}),
        ("text: |\n  a\n  b\n", {"text": "a\nb\n"}),
        ("text: &t hi\ntexts: [*t, *t]", {"text": "hi", "texts": ["hi", "hi"]}),
        ("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3", {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}),
        (
            "a: &a {x: 1}\nc: &c {x: 2, z: 3}\nb: {<<: [*a, *c], w: 0}",
            {"a": {"x": 1}, "c": {"x": 2, "z": 3}, "b": {"x": 1, "z": 3, "w": 0}},
        ),
        ("\ufefftext: bom", {"text": "bom"}),
        ("text: crlf\r\nnumber: 1\r\n", {"text": "crlf", "number": 1}),
    ],
)
def test_values(text: str, value: dict[str, object]) -> None:
    found = read(text)
    assert (found.value, found.problems, found.is_readable) == (value, [], True)
    assert [type(leaf) for leaf in found.value.values()] == [type(leaf) for leaf in value.values()]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", ("f.yml:3:1", 'duplicate key "a"; first at line 1')),
        ("b:\n  a: 1\n  'a': 3", ("f.yml:3:3", 'b: duplicate key "a"; first at line 2')),
        ("a: [1", ("f.yml:1:4", "the [ that opens here is not closed before line 2")),
        ("a: 1\n---\nb: 2", ("f.yml:2:1", "several documents in one file")),
        ("", ("f.yml:1:1", "empty file")),
        ("# only\n---\n", ("f.yml:1:1", "empty file")),
        ("- a", ("f.yml:1:1", "must be a mapping")),
        ("text", ("f.yml:1:1", "must be a mapping")),
        (b"a: \xff", ("f.yml:1:4", "not UTF-8 text (byte 4)")),
        ("a: b".encode("utf-16"), ("f.yml:1:1", "not UTF-8 text (byte 1)")),
        (b"a: 1\nb: \x00", ("f.yml:2:4", "contains a control character (U+0000)")),
        ("a: 1 # \x85\n", ("f.yml:1:8", "contains a control character (U+0085)")),
        ("# a\u2028b\na: 1", ("f.yml:1:4", "contains an invisible character (U+2028)")),
        ("a: '\ufffe'", ("f.yml:1:5", "contains an invisible character (U+FFFE)")),
        ("a: 'x\x7fy'", ("f.yml:1:6", "contains a control character (U+007F)")),
        ('a: "\\0"', ("f.yml:1:4", "a: contains a control character (U+0000)")),
        ('a: "\\r"', ("f.yml:1:4", "a: contains a control character (U+000D)")),
        ('"\\e": 1', ("f.yml:1:1", 'the key "\\u001b" contains a control character (U+001B)')),
        ('"a\\nb": 1', ("f.yml:1:1", 'the key "a\\nb" contains a newline')),
        ("a: !x b", ("f.yml:1:4", 'a: the tag "!x" is not supported')),
        (
            "a: !!python/object:os.system b",
            ("f.yml:1:4", 'a: the tag "tag:yaml.org,2002:python/object:os.system" is not supported'),
        ),
        ("a: {{ b }}", ("f.yml:1:5", "a: a key must be a plain word")),
        ("<<: 1", ("f.yml:1:5", "<< takes a mapping, or a list of mappings")),
        ("a: *nowhere", ("f.yml:1:4", "found undefined alias")),
        (b"x" * (1 << 20) + b"y", ("f.yml:1:1", "larger than 1 MiB")),
        ("a: " + "[" * 70 + "]" * 70, ("f.yml:1:64", "nested too deeply")),
        ("a: &a [*a]", ("f.yml:1:4", "nested too deeply")),
        ("a: &a {<<: *a}", ("f.yml:1:1", "nested too deeply")),
    ],
)
def test_problems(text: str | bytes, problem: tuple[str, str]) -> None:
    assert problem in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 900_000,
        "- " * 300_000,
        "? " * 300_000,
        "a: [? " + "[ ? " * 100_000,
        "a: " + "{a: " * 200_000,
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
        "a0: &a0 {x: 1}\n"
        + "".join(f"a{i}: &a{i}\n  <<: [{', '.join([f'*a{i - 1}'] * 9)}]\n  k{i}: 1\n" for i in range(1, 12)),
        "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: *a{i - 1}}}\n" for i in range(1, 9000)),
        "a:\n" + "".join(" " * i + "- \n" for i in range(1300)),
        f"a: [&a '{'x' * 500_000}'{', *a' * 90_000}]",
        f"a: &a {{? '{'x' * 500_000}'\n  : 1}}\nb: {{<<: [*a{', *a' * 90_000}]}}",
    ],
    ids=[
        "brackets",
        "dashes",
        "question marks",
        "keys",
        "braces",
        "aliases",
        "merges",
        "chain of merges",
        "indents",
        "one long text",
        "one long key",
    ],
)
def test_bombs_are_refused_and_end_nothing(text: str) -> None:
    found = read(text)
    assert found.problems and found.value == {}
    assert not found.is_readable


def test_the_largest_honest_file_is_read() -> None:
    text = "texts:\n" + "- line of a list\n" * 60_000
    assert len(read(text).value["texts"]) == 60_000


def test_places_are_those_of_values_and_keys() -> None:
    text = "text: a\ntexts:\n  - b\n  - c\nenv:\n  A: 1\n"
    values = read(text)
    assert dict(Places(values.value, values.marks)) == {
        (): (1, 1),
        ("text",): (1, 7),
        ("texts",): (3, 3),
        ("texts", 0): (3, 5),
        ("texts", 1): (4, 5),
        ("env",): (6, 3),
        ("env", "A"): (6, 6),
    }
    assert marks_by_path(values.value, values.marks)[("texts",)] == (3, 3, 2, 1)


TREES = st.recursive(
    st.none() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=4),
    max_leaves=12,
)


@given(value=TREES)
def test_a_place_is_the_same_by_walking_and_by_the_table_of_all(value: object) -> None:
    paths = paths_of(value)
    marks = list(range(4 * len(paths)))
    table = dict(Places(value, marks))
    assert list(table) == paths
    for path in (*paths, ("nosuch",), (99,), ("", 0)):
        places = Places(value, marks)
        assert [places.get(path) for _ in range(2 * Places.WALKS)] == [table.get(path)] * 2 * Places.WALKS
        assert (path in Places(value, marks)) == (path in table)


def test_places_follow_merges_and_left_out_keys() -> None:
    values = read("a: &a {x: 1, y: 2}\nb:\n  y: 3\n  z:\n  <<: *a\n")
    places = Places(values.value, values.marks)
    assert (places[("b", "x")], places[("b", "y")]) == ((1, 11), (3, 6))
    assert ("b", "z") not in places


@pytest.mark.parametrize("text", ["a: *.log", "a: [*log]", "a: [*.log, b]", "a: @x", "a: `x`", "a: %x", "a: &.x b"])
def test_what_should_stand_in_quotes_is_told_so(text: str) -> None:
    (problem,) = read(text).problems
    assert problem.hint == QUOTED and read("a: [1").problems[0].hint != QUOTED
