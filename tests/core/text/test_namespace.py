"""The names of a stack's things are made in one place, and another stack's differ throughout."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.text.namespace import PROXY, STACK, Namespace

PACKAGE = Path(__file__).resolve().parents[3] / "dusty_tasks"
HOME = "core/text/namespace.py"
SPELLED = re.compile(
    r"dusty_(?!tasks\b|assets\b|https\b|results\b|hosts\b)|^_1$|_1\Z|dustyInternalNginx|com\.docker\.compose|^dusty/|\bname: dusty\b"
    r"|^dusty\.(kind|name|recreate|context|standin|suite|test)\b"
)
"""Names of containers, networks, projects, images and labels; not modules and places that begin alike."""


def test_the_names_of_the_one_stack_are_what_they_always_were() -> None:
    assert (STACK.network, STACK.label) == ("dusty_default", "com.docker.compose.project=dusty")
    assert (STACK.container("web"), STACK.container(PROXY)) == ("dusty_web_1", "dusty_dustyInternalNginx_1")
    assert (STACK.built_image("Own"), STACK.test_image("web"), STACK.test_service_image("Db")) == (
        "dusty-own",
        "dusty/test_web",
        "dusty/test_service_db",
    )


def test_a_projects_name_suits_compose() -> None:
    assert STACK.test_project("web.2", "Unit_A", "f00") == "dusty_test_web-2_unit_a_f00"


@pytest.mark.parametrize(
    "word, part",
    [
        ("dusty_web_1", "web"),
        ("web", "web"),
        ("dusty_a_1_1", "a_1"),
        ("db_1", "db_1"),
        ("dusty_db", "dusty_db"),
        ("dusty__1", "dusty__1"),
        ("dusty_1", "dusty_1"),
        ("", ""),
    ],
)
def test_a_container_is_told_from_a_part(word: str, part: str) -> None:
    assert STACK.part(word) == part


@given(st.text("abc_1", min_size=1), st.text("abz_", min_size=1))
def test_a_part_is_found_again_by_its_container(name: str, project: str) -> None:
    stack = Namespace(project)
    assert stack.part(stack.container(name)) == name


def test_another_stack_shares_no_name() -> None:
    def names(stack: Namespace) -> set[str]:
        return {
            stack.project,
            stack.network,
            stack.label,
            stack.container("web"),
            stack.built_image("web"),
            stack.test_image("web"),
            stack.test_service_image("web"),
            stack.test_projects,
        }

    other = Namespace("dusty-two")
    assert not names(STACK) & names(other)
    assert other.part("dusty_web_1") == "dusty_web_1"


def test_no_other_module_spells_a_name() -> None:
    assert {path: found for path, found in spellings(PACKAGE).items() if path != HOME} == {}
    assert HOME in spellings(PACKAGE)


@pytest.mark.parametrize(
    "line",
    [
        'f"dusty_{name}_1"',
        '"dusty_default"',
        'word.removesuffix("_1")',
        '"dustyInternalNginx"',
        '"com.docker.compose.project"',
        '{"dusty.kind": "app"}',
        'f"dusty/test_{name}"',
        '"# x\\nname: dusty"',
    ],
)
def test_a_second_place_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f'"""Of dusty_web_1."""\nvalue = {line}\n')
    assert list(spellings(tmp_path)) == ["module.py"]


def spellings(folder: Path) -> dict[str, list[str]]:
    """Module -> the texts in it that spell a name, docstrings apart."""
    found = {
        str(path.relative_to(folder)): [text for text in _texts(ast.parse(path.read_text())) if SPELLED.search(text)]
        for path in folder.rglob("*.py")
    }
    return {path: texts for path, texts in found.items() if texts}


def _texts(tree: ast.Module) -> Iterator[str]:
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value
