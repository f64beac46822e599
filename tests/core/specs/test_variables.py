"""Variables of specs: who says what they stand for, and what becomes of a value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.specs.documents import Content, Document
from dusty_tasks.core.specs.variables import Layer, Values, Variable, filled, values_of

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
DEFAULTS = Layer("default", {"A": "1", "B": "b", "T": "true"})
DECLARED = {name: Variable(name, default) for name, default in (("A", "1"), ("B", "b"), ("NONE", None), ("T", "true"))}


def of(value: dict[str, Any], values: Values) -> tuple[dict[str, Any], list[str]]:
    whole, problems = filled(Document("app", "web", "apps/web.yml", Content(value, [], [])), SCHEMA, values)
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
    assert of(value, values_of(DECLARED, [DEFAULTS])) == (expected, [])


def test_the_first_layer_that_has_a_value_gives_it() -> None:
    layers = [{"B": "set", "OTHER": "x"}, {"A": "first"}, {"A": "second", "B": "second", "STRANGE": "x"}]
    found = values_of(DECLARED, [*(Layer(str(index), texts) for index, texts in enumerate(layers)), DEFAULTS])
    assert found.given == {"A": "first", "B": "set", "T": "true"}
    assert {name: layer.source for name, layer in found.layers.items()} == {"A": "1", "B": "0", "T": "default"}


def test_without_a_value_there_is_a_placeholder_and_without_a_declaration_an_error() -> None:
    value, said = of({"text": "${{NONE}}:${{C}}"}, values_of(DECLARED, [DEFAULTS]))
    assert value == {"text": "unset-NONE:unset-C"}
    assert said == ["text: the variable NONE has no value", 'text: no variable named "C"']


@given(st.text())
def test_a_value_is_put_in_as_it_is(text: str) -> None:
    assert of({"text": "<${{A}}>"}, values_of(DECLARED, [Layer("set here", {"A": text})]))[0] == {"text": f"<{text}>"}
