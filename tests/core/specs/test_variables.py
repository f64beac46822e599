"""Variables of specs: who says what they stand for, and what becomes of a value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.variables import Values, Variable, filled, values_of

SCHEMA = {
    "properties": {
        "text": {"type": "string"},
        "number": {"type": "integer"},
        "either": {"type": ["integer", "string"]},
        "flag": {"type": "boolean"},
        "list": {"type": "array", "items": {"type": "integer"}},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
    }
}
DECLARED = {name: Variable(name, default) for name, default in (("A", "1"), ("B", "b"), ("NONE", None), ("T", "true"))}


def of(value: dict[str, Any], values: Values) -> tuple[dict[str, Any], list[str]]:
    whole, problems = filled(Document("app", "web", "apps/web.yml", value, [], []), SCHEMA, values)
    return whole.value, [f"{problem.path}: {problem.what}" for problem in problems]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"text": "${{A}}"}, {"text": "1"}),
        ({"text": "x-${{ B }}-${{A}}$"}, {"text": "x-b-1$"}),
        ({"number": "${{A}}"}, {"number": 1}),
        ({"either": "${{A}}"}, {"either": 1}),
        ({"flag": "${{T}}"}, {"flag": True}),
        ({"list": ["${{A}}", 2]}, {"list": [1, 2]}),
        ({"map": {"k": "${{T}}", "l": "$A ${A}"}}, {"map": {"k": "true", "l": "$A ${A}"}}),
    ],
)
def test_a_value_becomes_what_its_key_takes(value: dict[str, Any], expected: dict[str, Any]) -> None:
    assert of(value, values_of(DECLARED, [], {})) == (expected, [])


def test_what_was_set_beats_bundles_of_which_the_first_beats_the_others_and_the_default() -> None:
    bundles = [{"A": "first"}, {"A": "second", "B": "second", "STRANGE": "x"}]
    assert values_of(DECLARED, bundles, {"B": "set", "OTHER": "x"}).given == {"A": "first", "B": "set", "T": "true"}


def test_without_a_value_there_is_a_placeholder_and_without_a_declaration_an_error() -> None:
    value, said = of({"text": "${{NONE}}:${{C}}"}, values_of(DECLARED, [], {}))
    assert value == {"text": "unset-NONE:unset-C"}
    assert said == ["text: the variable NONE has no value", 'text: no variable named "C"']


@given(st.text())
def test_a_value_is_put_in_as_it_is(text: str) -> None:
    assert of({"text": "<${{A}}>"}, values_of(DECLARED, [], {"A": text}))[0] == {"text": f"<{text}>"}
