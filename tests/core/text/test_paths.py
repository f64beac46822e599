"""The places below DUSTY_HOME and host.root are written in one module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dusty_tasks.core.text.paths import Paths

THERE = re.compile(r"/?(persist/(repos|dusty_assets|dustyNginx|\.dusty)\S*|command_files/\.\S*)")
"""What containers and specs call /persist, /command_files and /dusty_assets are words of the spec language."""
PACKAGE = Path(__file__).resolve().parents[3] / "dusty_tasks"


def test_the_places_are_those_of_the_contract() -> None:
    paths = Paths("/h")
    assert (paths.config, paths.assets, paths.repos, paths.build, paths.state) == (
        "/h/config.yml",
        "/h/assets",
        "/h/repos",
        "/h/build",
        "/h/state",
    )
    assert (paths.artifact("nginx/dustyNginx.conf"), paths.doit_database, paths.ports) == (
        "/h/build/nginx/dustyNginx.conf",
        "/h/state/doit.db",
        "/h/state/ports.json",
    )
    assert (paths.wanted, paths.kept("made", "compose")) == ("/h/state/wanted.json", "/h/state/made/compose")


def test_no_other_module_spells_a_place() -> None:
    assert [place for place in spelled(PACKAGE) if not place.startswith("core/text/paths.py")] == []


@pytest.mark.parametrize(
    "line",
    [
        'f"{session.home()}/state/x"',
        'f"{settings.home}/host"',
        'os.path.join(home, "locks", "up")',
        'Path(home, "assets")',
        'Path(home) / "example"',
        'f"{home}/repos/{name}"',
        '"{home}/vm/disk"',
        '"persist/repos"',
        '"persist/.dusty/owner.json"',
        '"command_files/.pushed.json"',
        'host.path("cp", name)',
        'os.environ.get("DUSTY_HOME")',
    ],
)
def test_a_second_place_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f"value = {line}\n")
    assert list(spelled(tmp_path)) == [f"module.py:1 {line}"]


def spelled(folder: Path) -> Iterator[str]:
    """`file:line code` of each expression that makes a place of DUSTY_HOME, or asks where that is, outside the two modules that may."""
    for path in sorted(folder.rglob("*.py")):
        name = str(path.relative_to(folder))
        tree = ast.parse(path.read_text())
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in documentation:
                continue
            if (
                _makes_a_place(node)
                or _is_on_the_host(node)
                or (_asks_for_home(node) and name != "effects/doors/once.py")
            ):
                yield f"{name}:{node.lineno} {ast.unparse(node).replace(chr(39), chr(34))}"  # type: ignore[attr-defined]


def _makes_a_place(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and "{home}/" in node.value
    if isinstance(node, ast.JoinedStr):
        pairs = zip(node.values, node.values[1:], strict=False)
        return any(
            isinstance(before, ast.FormattedValue) and _is_home(before.value) and _begins_with_a_slash(after)
            for before, after in pairs
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return (
            isinstance(node.left, ast.Call)
            and any(map(_is_home, node.left.args))
            and isinstance(node.right, ast.Constant)
        )
    return (
        isinstance(node, ast.Call)
        and len(node.args) > 1
        and _is_home(node.args[0])
        and ast.unparse(node.func) in ("os.path.join", "posixpath.join", "Path")
        and isinstance(node.args[1], ast.Constant)
    )


def _is_on_the_host(node: ast.AST) -> bool:
    """A path below host.root, whole, as a piece, or given to DockerHost.path. Shell scripts and sentences are no paths."""
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith("host.path"):
        return isinstance(node.args[0], ast.Constant)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and THERE.fullmatch(node.value) is not None


def _begins_with_a_slash(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).startswith("/") and node.value != "/"


def _is_home(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] in ("home", "home()")


def _asks_for_home(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("os.environ.get", "os.getenv")
        and ast.unparse(node.args[0]) == "'DUSTY_HOME'"
    )
