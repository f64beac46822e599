"""docs/architecture.md names modules and functions that are there, and as many files for a change as it claims."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dusty_tasks"
TEXT = (ROOT / "docs/architecture.md").read_text()
ROOMS = "|".join(sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"))
NAMED = sorted(set(re.findall(rf"`((?:{ROOMS})/[\w/.*]+)`", TEXT)))
ROWS = dict(re.findall(r"^\| (.+?) \| (.+) \|$", TEXT.partition("## Which files a change touches")[2], re.MULTILINE))


def is_there(named: str) -> bool:
    """A module, a shelf, some modules (`a/b_*`), or a name in a module (`a/b.c`)."""
    if "*" in named:
        return bool([*PACKAGE.glob(f"{named}.py")])
    if (PACKAGE / named).is_dir() or (PACKAGE / f"{named.removesuffix('.py')}.py").is_file():
        return True
    module, _, name = named.partition(".")
    path = PACKAGE / f"{module}.py"
    return path.is_file() and name.partition(".")[0] in names_in(ast.parse(path.read_text()))


def names_in(tree: ast.Module) -> set[str]:
    return {
        name.id if isinstance(name, ast.Name) else name.name
        for node in tree.body
        for name in ast.walk(node)
        if isinstance(name, ast.FunctionDef | ast.ClassDef)
        or (isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store))
    }


@pytest.mark.parametrize("named", NAMED)
def test_what_it_names_is_there(named: str) -> None:
    assert is_there(named)


def test_many_are_named_and_one_that_is_gone_is_found() -> None:
    assert len(NAMED) > 60
    assert not is_there("core/text/gone") and not is_there("core/text/paths.gone") and not is_there("core/text/gone_*")


@pytest.mark.parametrize(
    ("change", "most"), [("an artifact", 4), ("a verb", 3), ("a kind of Docker host", 4)], ids=lambda value: str(value)
)
def test_a_change_touches_few_files(change: str, most: int) -> None:
    """As far as each needs them: what only some need comes after the first sentence, or after `with`."""
    always = re.split(r" \(|\. |; with ", ROWS[change])[0]
    files = set(re.findall(r"`([\w/.]+)`", always)) | set(re.findall(r"\bits template\b", ROWS[change]))
    assert 0 < len(files) <= most, files
