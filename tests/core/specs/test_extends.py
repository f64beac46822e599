"""`extends`: what a merge comes to, and where each value of it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.specs.documents import Content, Document, paths_of
from dusty_tasks.core.specs.editor_schema import schema_for_editors
from dusty_tasks.core.specs.extends import MOST_FILES, extended, merged
from dusty_tasks.effects.specs.read import read_documents
from dusty_tasks.effects.specs.schemas import read_schema

VALUES = st.recursive(
    st.sampled_from(["one", "two"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


def document(name: str, value: dict[str, Any]) -> Document:
    """A service in which each value stands on a line of its own, the key in the column of its depth."""
    marks = [
        number for line, path in enumerate(paths_of(value), 1) for number in (line, len(path) + 1, line, len(path) + 1)
    ]
    return Document("service", name, f"services/{name}.yml", Content(value, marks, []))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@given(MAPPINGS, MAPPINGS)
def test_every_value_of_a_merge_stands_where_it_was_written(base_value: Any, own_value: Any) -> None:
    base, own = document("base", base_value), document("own", {**own_value, "extends": "base"})
    whole = merged(base, own)
    for path in paths_of(whole.value):
        place = whole.place(path)
        source = base if place.file == base.file else own
        assert source.place(path) == place
        written, found = at(source.value, path), at(whole.value, path)
        assert isinstance(found, dict) and isinstance(written, dict) if isinstance(found, dict) else found == written
        is_own = path in paths_of(own.value)
        assert (source is own) == is_own, "what is written in both is the one's that extends"
        assert tuple(whole.places[path][:2]) == place[1:]
    assert Document.from_text(whole.text).text == whole.text
    assert {Document.from_text(whole.text).place(path) for path in paths_of(whole.value)} == {
        whole.place(path) for path in paths_of(whole.value)
    }


@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_it_is_the_same_in_which_order_three_are_merged(one: Any, two: Any, three: Any) -> None:
    documents = [document(name, value) for name, value in (("one", one), ("two", two), ("three", three))]
    first, second, third = documents
    left, right = merged(merged(first, second), third), merged(first, merged(second, third))
    if not {type(part) for value in (one, two, three) for part in value.values()} - {dict}:
        assert left.value == right.value


def test_as_many_files_as_allowed_and_no_more() -> None:
    chain = [
        document(f"s{number}", {"image": "redis:7"} if not number else {"extends": f"s{number - 1}"})
        for number in range(MOST_FILES + 1)
    ]
    found = extended(chain)
    assert found[MOST_FILES - 1].value == {"image": "redis:7"}
    assert [problem.what for problem in found[MOST_FILES].problems] == ["extends chains through more than 16 files"]


def test_a_changed_base_is_seen_through_the_cache(tmp_path: Path) -> None:
    root = tmp_path / "specs"
    (root / "services").mkdir(parents=True)
    (root / "services/_base.yml").write_text("image: redis:6\n")
    (root / "services/db.yml").write_text("extends: _base\n")
    cache = tmp_path / "documents"
    assert read_documents(root, cache)[0][1].value == {"image": "redis:6"}
    assert read_documents(root, cache)[0][1].value == {"image": "redis:6"}
    (root / "services/_base.yml").write_text("# longer\nimage: 'redis 7'\n")
    changed = read_documents(root, cache)[0][1]
    assert changed.value == {"image": "redis 7"}
    assert [str(problem.place) for problem in changed.problems] == ["services/_base.yml:2:8"]


@pytest.mark.parametrize("kind", ["app", "lib", "service"])
def test_an_editor_takes_a_spec_that_extends_another(kind: str) -> None:
    schema = schema_for_editors(read_schema(kind))
    jsonschema.validate({"extends": "_base", **({"commands": {"once": ["ls"]}} if kind == "app" else {})}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"extends": ["_base"]}, schema)
