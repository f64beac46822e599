"""Every command in a message begins with the name by which this program was called."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dusty_tasks.verbs.table import VERBS

ROOT = Path(__file__).resolve().parents[3]
COMMAND = re.compile(rf"(?<![\w./-])dusty (?:{'|'.join(verb.name for verb in VERBS)}|help|<verb>|\{{)")
MEANT = {
    "core/artifacts/compose.py": "a compiled file is the same whoever compiles it",
    "verbs/restart.py": "a record on the Docker host, for whoever asks `why`",
    "effects/doors/lock.py": "the run of somebody else",
    "verbs/config.py": "the history of the settings: what was run, perhaps by another name",
    "cli/doc_pages.py": "docs/verbs.md",
    "cli/json_pages.py": "docs/json.md",
    "core/of_verbs/agent_files.py": "files of a repo, which everyone in the team reads",
    "core/of_verbs/impact_text.py": "a comment for everybody, each of whom calls it by another name",
    "cli/verbs.py": "the other name, for those who called doit",
    "cli/endings.py": "the first line of a bug's log",
}
"""Modules that say `dusty up` and mean it, and why."""


@pytest.fixture
def calls(tmp_path: Path) -> dict[str, str]:
    """Ways to call the launcher, each as a line of sh typed in `here`, by the name that messages show."""
    here, on_path = tmp_path / "here", tmp_path / "bin"
    for folder in (here / "a b", on_path):
        folder.mkdir(parents=True)
    for link in (here / "dusty", here / "a b/dusty", on_path / "dusty", on_path / "dy"):
        link.symlink_to(ROOT / "dusty")
    doit = on_path / "doit"
    doit.write_text(f"#!{sys.executable}\nfrom doit.__main__ import main\nraise SystemExit(main())\n")
    doit.chmod(0o755)
    return {
        "dusty": "dusty",
        "dy": "dy",
        "./dusty": "./dusty",
        "'a b/dusty'": "'a b/dusty'",
        f"{ROOT}/dusty": f"{ROOT}/dusty",
        f"{on_path}/../here/dusty": f"{on_path}/../here/dusty",
        "doit": "doit",
        "../bin/doit": "../bin/doit",
        f"{sys.executable} -m doit": f"{sys.executable} -m doit",
    }


def test_hints_usages_and_pages_name_the_program_as_it_was_typed(calls: dict[str, str], tmp_path: Path) -> None:
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "DUSTY_HOME": str(tmp_path / "home")}
    (tmp_path / "here/dodo.py").write_text("from dusty_tasks.dodo import *\n")

    def typed(line: str) -> str:
        ended = subprocess.run(
            ["sh", "-c", line],
            env=env,
            cwd=tmp_path / "here",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.stdout + ended.stderr

    for name, line in calls.items():
        assert f"{name} setup --specs-repo" in typed(f"{line} validate"), name
    (tmp_path / "specs/bundles").mkdir(parents=True)
    (tmp_path / "specs/bundles/all.yml").write_text("apps: []\n")
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home/config.yml").write_text(f"specs_repo: {tmp_path}/specs\n")
    for name, line in calls.items():
        assert f"hint: {name} bundles activate" in typed(f"{line} compile --dry-run"), name
        assert f"usage: {name} config" in typed(f"{line} config set x"), name
        assert f"usage: {name} logs" in typed(f"{line} logs --nope"), name
        assert f"    {name} logs -f" in typed(f"{line} logs --help"), name


def test_a_script_that_sh_was_given_is_called_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "dusty").symlink_to(ROOT / "dusty")
    ended = subprocess.run(
        ["sh", "dusty", "nosuch"],
        env={"PATH": "/usr/bin:/bin", "DUSTY_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "`./dusty help`" in ended.stderr


def literals(path: Path) -> Iterator[str]:
    """The texts of a module, docstrings left out."""
    tree = ast.parse(path.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)


def test_no_message_writes_the_name_itself() -> None:
    """f"{DUSTY} up" instead of "dusty up"; in explained.py, "{dusty} up"."""
    package = ROOT / "dusty_tasks"
    wrong = [
        f"{path.relative_to(package)}: {text}"
        for path in sorted(package.rglob("*.py"))
        if str(path.relative_to(package)) not in MEANT
        for text in literals(path)
        if COMMAND.search(text)
    ]
    assert not wrong
