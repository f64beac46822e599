"""The three rules of the house, read from the imports: core touches nothing, effects decide nothing, the rest connects."""
from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dusty_tasks"
HEAVY = {"yaml", "jinja2", "jsonschema", "docker", "rich", "sh", "watchfiles", "inotify_simple"}
"""Each costs 9 to 51 ms to import: only inside the functions that use them."""
WORLD = {"os", "subprocess", "socket", "pathlib", "shutil", "tempfile", "time", "random", "sh", "docker", "http", "urllib.request",
         "fcntl", "signal", "threading", "glob", "sys", "watchfiles", "inotify_simple", "select", "rich"}
"""What a pure module has no use for; posixpath is allowed, being string work."""


def modules(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def imported(path: Path, *, at_top_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for node in _top_level(tree) if at_top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node


def room_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "dusty_tasks" and len(parts) > 1 else ""


@pytest.mark.parametrize("path", modules("core"), ids=lambda path: path.name)
def test_core_touches_nothing(path: Path) -> None:
    names = set(imported(path))
    assert not {name for name in names if name in WORLD or name.split(".")[0] in WORLD}
    assert {room_of(name) for name in names} <= {"", "core"}


@pytest.mark.parametrize("path", modules("effects"), ids=lambda path: path.name)
def test_effects_know_no_steps_and_no_verbs(path: Path) -> None:
    assert {room_of(name) for name in imported(path)} <= {"", "core", "effects", "resources"}


@pytest.mark.parametrize("path", [*modules("steps"), PACKAGE / "session.py"], ids=lambda path: path.name)
def test_steps_know_no_verbs(path: Path) -> None:
    assert "verbs" not in {room_of(name) for name in imported(path)}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    assert not {name for name in imported(path, at_top_only=True) if name.split(".")[0] in HEAVY}


def test_other_programs_are_started_through_one_door() -> None:
    doors = {"effects/doors/process.py", "bootstrap.py"}
    users = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")
             if {"subprocess", "sh"} & set(imported(path))}
    assert users <= doors


@pytest.mark.parametrize("words", [["help"], ["--help"], ["logs", "--help"], ["nosuch"]], ids=" ".join)
def test_help_imports_neither_doit_nor_anything_heavy(words: list[str], tmp_path: Path) -> None:
    loaded = loaded_modules(words, tmp_path)
    assert not loaded & (HEAVY | {"doit", "sqlite3"})


def loaded_modules(words: list[str], home: Path) -> set[str]:
    """The names of all modules in memory after `dusty words` ended."""
    code = ("import sys\nfrom dusty_tasks.cli.main import main\n"
            f"main({words!r})\nprint('LOADED', *sorted(sys.modules), file=sys.stderr)")
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "DUSTY_HOME": str(home)}, cwd=ROOT,
                           capture_output=True, text=True, check=False)
    return set(ended.stderr.split("LOADED")[-1].split())
