"""The rules of the house, read from the imports: core touches nothing, effects decide nothing, the rest connects; shelves import downward."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dusty_tasks"
HEAVY = {
    "yaml",
    "jinja2",
    "jsonschema",
    "docker",
    "rich",
    "sh",
    "watchfiles",
    "inotify_simple",
    "mcp",
    "anyio",
    "starlette",
    "uvicorn",
}
"""Each costs 9 to 51 ms to import: only inside the functions that use them."""
WORLD = {
    "os",
    "subprocess",
    "socket",
    "pathlib",
    "shutil",
    "tempfile",
    "time",
    "random",
    "sh",
    "docker",
    "http",
    "urllib.request",
    "fcntl",
    "signal",
    "threading",
    "glob",
    "sys",
    "watchfiles",
    "inotify_simple",
    "select",
    "rich",
}
"""What a pure module has no use for; posixpath is allowed, being string work."""


SHELVES = {
    "core": (
        "importing",
        "suites",
        "history",
        "of_verbs",
        "check",
        "worlds",
        "artifacts",
        "powers",
        "vm",
        "plan",
        "stack",
        "code",
        "settings",
        "specs",
        "text",
    ),
    "effects": (
        "observe",
        "hosts",
        "home",
        "specs",
        "watch",
        "engine",
        "code",
        "machine",
        "docker_host",
        "vm",
        "doors",
    ),
}
"""Top to bottom: a module imports from its own shelf and those below it (docs/architecture.md)."""


def modules(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def imported(path: Path, *, at_top_only: bool = False, at_run_time: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for_types = {
        id(below) for node in ast.walk(tree) if at_run_time and _is_for_types(node) for below in ast.walk(node)
    }
    for node in _top_level(tree) if at_top_only else ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if not _is_for_types(node):
            yield node


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def room_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "dusty_tasks" and len(parts) > 1 else ""


@pytest.mark.parametrize("path", modules("core"), ids=lambda path: path.name)
def test_core_touches_nothing(path: Path) -> None:
    names = set(imported(path))
    assert not {name for name in names if name in WORLD or name.split(".")[0] in WORLD}
    assert {room_of(name) for name in names} <= {"", "core"}


@pytest.mark.parametrize("path", modules("effects"), ids=lambda path: path.name)
def test_effects_know_no_operations(path: Path) -> None:
    assert {room_of(name) for name in imported(path)} <= {"", "core", "effects", "resources"}


@pytest.mark.parametrize("path", [*modules("operations"), PACKAGE / "session.py"], ids=lambda path: path.name)
def test_operations_know_no_steps_and_no_verbs(path: Path) -> None:
    assert not {"pipelines", "verbs", "cli"} & {room_of(name) for name in imported(path)}


@pytest.mark.parametrize("path", modules("pipelines"), ids=lambda path: path.name)
def test_pipelines_know_no_verbs(path: Path) -> None:
    assert not {"verbs", "cli"} & {room_of(name) for name in imported(path)}


@pytest.mark.parametrize("room", SHELVES)
def test_shelves_import_downward_only(room: str) -> None:
    assert wrong_way(PACKAGE / room, SHELVES[room]) == []


def test_an_import_upward_is_found(tmp_path: Path) -> None:
    for shelf, text in (
        ("plan", "from dusty_tasks.core.stack import model\n"),
        ("text", "from dusty_tasks.core.plan.found import FoundContainer\n"),
    ):
        (tmp_path / shelf).mkdir()
        (tmp_path / shelf / "module.py").write_text(text)
    assert wrong_way(tmp_path, SHELVES["core"], "core") == ["text/module.py imports plan, which stands above text"]


def wrong_way(folder: Path, shelves: Sequence[str], room: str = "") -> list[str]:
    """Imports of a shelf that stands above the importing one, and modules on no shelf."""
    room, wrong = room or folder.name, []
    for path in sorted(folder.rglob("*.py")):
        shelf = path.relative_to(folder).parts[0]
        if path.name == "__init__.py" and path.parent == folder:
            continue
        if shelf not in shelves:
            wrong.append(f"{path.relative_to(folder)} stands on no shelf of {room}")
            continue
        above = shelves[: shelves.index(shelf)]
        used = {name.split(".")[2] for name in imported(path) if name.startswith(f"dusty_tasks.{room}.")}
        wrong += [
            f"{path.relative_to(folder)} imports {name}, which stands above {shelf}" for name in above if name in used
        ]
    return wrong


def test_no_module_imports_itself_through_others() -> None:
    assert circles() == []


def circles() -> list[tuple[str, ...]]:
    """Groups of modules that import one another, wherever in them the import stands (but for types alone)."""
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    uses = {
        name: {other for other in imported(path, at_run_time=True) if other in paths and other != name}
        for name, path in paths.items()
    }
    reached: dict[str, set[str]] = {}
    for name in uses:
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            for other in uses[waiting.pop()] - seen:
                seen.add(other)
                waiting.append(other)
        reached[name] = seen
    return sorted(
        {
            tuple(sorted({name, *(other for other in reached[name] if name in reached[other])}))
            for name in uses
            if name in reached[name]
        }
    )


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    assert not {name for name in imported(path, at_top_only=True) if name.split(".")[0] in HEAVY}


def test_other_programs_are_started_through_one_door() -> None:
    doors = {"effects/doors/process.py", "bootstrap.py"}
    users = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if {"subprocess", "sh"} & set(imported(path))
    }
    assert users <= doors


LONGEST, REASON = 300, "More than 300 lines:"
"""Lines of a module that needs no reason, and how a longer one gives it at its top."""
MOST_PARAMETERS = 6


def test_a_long_module_says_why_it_is_one() -> None:
    unexplained = [
        f"{path.relative_to(PACKAGE)} has {len(lines)} lines"
        for path in PACKAGE.rglob("*.py")
        if len(lines := path.read_text().splitlines()) > LONGEST
        and REASON not in (ast.get_docstring(ast.parse("\n".join(lines))) or "")
    ]
    assert unexplained == []


LEAST = 15
"""Lines of its own that a module has at least: neither blank nor a comment, an import or its docstring."""
SMALL_FOR_A_REASON = {
    "cli/manual.py": "asked by each `help`, most of which need no manual page and are not to load what makes one",
    "cli/error_pages.py": "a command of its own, as doc_pages and spec_pages are",
    "core/of_verbs/explanation.py": "what the tables of explanations are made of, and what reads them needs no table",
    "core/text/called.py": "the one word that every message takes the command's name from",
    "effects/docker_host/kinds.py": "the one place that tells kinds of Docker hosts apart",
    "effects/docker_host/started_records.py": "the one place that judges what was read of the records of containers",
    "effects/machine/free_ports.py": "what core/worlds/ports asks of this machine, and nothing else does",
    "resources.py": "the one place that knows where files lie that are no Python; all rooms may import it",
}


def test_a_module_is_no_smaller_than_an_idea() -> None:
    """A verb has a module, however little it does: the table of verbs finds it by its name."""
    small = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if not path.name.startswith("__") and path.parent.name != "verbs"
        if own_lines(path.read_text()) < LEAST
    }
    assert small == SMALL_FOR_A_REASON.keys()


def test_lines_of_its_own_are_counted() -> None:
    text = '"""A docstring,\n\nlong."""\n\nimport os\nfrom a import (\n    b,\n)\n\n# why\nX = 1\n\n\ndef f():\n    return X\n'
    assert own_lines(text) == 3


def own_lines(text: str) -> int:
    tree = ast.parse(text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    others = [*imports, *tree.body[: ast.get_docstring(tree) is not None]]
    left_out = {line for node in others for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    return sum(
        1
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#") and number not in left_out
    )


def test_functions_take_few_parameters() -> None:
    assert [
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        # The options of a verb are parameters of its run().
        for name in with_many_parameters(path.read_text())
        if not (path.parent.name == "verbs" and name == "run")
    ] == []


def test_a_function_of_many_parameters_is_found() -> None:
    text = "def few(a, b, c, d, e, f): ...\nclass A:\n    def few(self, a, b, c, d, e, f): ...\n    def many(self, a, b, c, *, d, e, f, g=0): ...\n"
    assert with_many_parameters(text) == ["many"]


def with_many_parameters(text: str) -> list[str]:
    """The names of the functions that should take a value in place of some of their parameters."""
    return [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and len(parameters(node)) > MOST_PARAMETERS
    ]


def parameters(function: ast.FunctionDef) -> list[str]:
    """The names of its parameters, but for that of the object itself."""
    given = function.args
    return [
        each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs) if each.arg not in ("self", "cls")
    ]


OF_THE_PROCESS = {
    "effects/code/fingerprint.py: _kept": "of a file in the state that it is in",
    "cli/doit_state.py: _swallowed": "signals come to the process",
    "console.py: _feet": "there is one terminal",
    "effects/doors/memos.py: code_version": "the code that runs is what it was",
    "effects/doors/process.py: _is_giving_up": "^C comes to the process",
    "effects/doors/process.py: _running": "children are the process's",
    "effects/specs/read.py: _parser": "of bytes, whoever has them",
    "effects/specs/read.py: _reader": "of bytes, whoever has them",
    "effects/specs/schemas.py: _file": "part of the code",
    "effects/specs/schemas.py: _referred": "part of the code",
    "effects/specs/schemas.py: read_schema": "part of the code",
    "effects/specs/schemas.py: read_templates": "part of the code",
    "operations/code/sources.py: _user_home": "of the account that runs it",
}
"""What modules keep from run to run, and why that is right. All else is kept by a session (effects/doors/once)."""


def test_no_module_keeps_what_one_run_read_for_the_next() -> None:
    kept = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] != "core"
        for name in kept_by_module(ast.parse(path.read_text()))
    }
    assert kept == OF_THE_PROCESS.keys()


def test_what_a_module_keeps_is_found() -> None:
    text = """
from functools import cache, lru_cache
SHELVES = {"a": 1}
_seen: list[str] = []
_found = {}
_is_over = False
_remembered = lru_cache(len)
@cache
def read(): ...
def end():
    global _is_over
"""
    assert sorted(kept_by_module(ast.parse(text))) == ["_found", "_is_over", "_remembered", "_seen", "read"]


def kept_by_module(tree: ast.Module) -> Iterator[str]:
    """The names in a module that a call may fill for later calls: cached functions, empty containers, and what is said to be global."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if any(
                "cache" in ast.unparse(each) and "cached_property" not in ast.unparse(each)
                for each in node.decorator_list
            ):
                yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if ast.unparse(node.value) in ("[]", "{}", "set()", "dict()", "list()") or "cache(" in ast.unparse(
                node.value
            ):
                yield ast.unparse(target)
    yield from (name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names)


def test_kinds_of_docker_hosts_are_told_apart_in_one_place() -> None:
    """What differs between them is a method of `DockerHost`; the settings look theirs up in `HOST_KINDS`."""
    found = {path: tellings_apart(path.read_text()) for path in PACKAGE.rglob("*.py")}
    assert {str(path.relative_to(PACKAGE)): len(lines) for path, lines in found.items() if lines} == {
        "effects/docker_host/kinds.py": 1
    }
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if {f"dusty_tasks.effects.docker_host.{name}" for name in ("local", "over_ssh")} & set(imported(path))
    }
    types_of_their_own = {"effects/docker_host/engine_streams.py"}
    assert users - types_of_their_own == {"effects/docker_host/kinds.py"}


def test_a_second_place_that_tells_kinds_of_docker_hosts_apart_is_found() -> None:
    for text in (
        'if host.kind == "ssh": pass',
        'x = 1 if settings.host.kind != "local" else 2',
        'match self.engine.host.kind:\n    case "ssh": pass',
        "if engine.host.is_local: pass",
        "if isinstance(host, SshHost): pass",
        'if found["host.kind"] in ("ssh", "vm"): pass',
    ):
        assert tellings_apart(text) == [1], text
    for text in ('if container.kind == "app": pass', "if settings.host.is_elsewhere: pass", "kind = host.kind"):
        assert tellings_apart(text) == [], text


def tellings_apart(text: str) -> list[int]:
    """The lines of a module that look at which kind of Docker host there is."""
    return sorted(
        {
            node.lineno
            for node in ast.walk(ast.parse(text))
            if (isinstance(node, ast.Compare) and any(map(_is_host_kind, [node.left, *node.comparators])))
            or (isinstance(node, ast.Match) and _is_host_kind(node.subject))
            or (isinstance(node, ast.Attribute) and node.attr == "is_local")
            or (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == "isinstance"
                and any(name in ast.unparse(node.args[-1]) for name in ("LocalHost", "SshHost"))
            )
        }
    )


def _is_host_kind(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return False
    text = ast.unparse(node).replace('"', "").replace("'", "")
    return text == "host.kind" or text.endswith((".host.kind", "[host.kind]"))


@pytest.mark.parametrize("words", [["help"], ["--help"], ["logs", "--help"], ["nosuch"]], ids=" ".join)
def test_help_imports_neither_doit_nor_anything_heavy(words: list[str], tmp_path: Path) -> None:
    loaded = loaded_modules(words, tmp_path)
    assert not loaded & (HEAVY | {"doit", "sqlite3"})


def loaded_modules(words: list[str], home: Path) -> set[str]:
    """The names of all modules in memory after `dusty words` ended."""
    code = (
        "import sys\nfrom dusty_tasks.cli.main import main\n"
        f"main({words!r})\nprint('LOADED', *sorted(sys.modules), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DUSTY_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return set(ended.stderr.split("LOADED")[-1].split())
