"""`dusty agent`: what is written into a repo, and that all of it can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks.core.of_verbs import agent_files as files

THEIRS = '{\n    "mcpServers": {\n        "other": {\n            "command": "x"\n        }\n    },\n    "more": 1\n}'


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "repo"
    (repo / ".git").mkdir(parents=True)
    (repo / "deep/er").mkdir(parents=True)
    return repo


def contents(repo: Path) -> dict[str, str]:
    return {str(path.relative_to(repo)): path.read_text() for path in sorted(repo.rglob("*")) if path.is_file()}


def test_it_shows_and_asks_before_it_writes_and_takes_all_of_it_back(dusty: Chosen, repo: Path) -> None:
    shown = dusty("agent", "init", str(repo / "deep/er"))
    assert shown.code == 1 and contents(repo) == {}
    assert '+      "command": "dusty"' in shown.out and "+## The development environment" in shown.out
    assert "Write 2 files" in shown.err
    assert dusty("agent", "init", str(repo / "deep/er"), "--yes").code == 0
    assert contents(repo).keys() == {".mcp.json", "AGENTS.md"}
    assert json.loads(contents(repo)[".mcp.json"])["mcpServers"] == {"dusty": {"command": "dusty", "args": ["mcp"]}}
    assert "already" in dusty("agent", "init", str(repo), "--yes").out
    assert dusty("agent", "undo", str(repo), "--yes").code == 0 and contents(repo) == {}
    assert dusty("agent", "undo", str(repo), "--yes").out == "nothing to remove\n"


def test_what_others_wrote_stays(dusty: Chosen, repo: Path) -> None:
    for folder in (".cursor", ".vscode"):
        (repo / folder).mkdir()
    (repo / ".cursor/mcp.json").write_text(THEIRS)
    (repo / "NOTES.md").write_text("# Our rules\n\nBe kind.\n")
    (repo / "AGENTS.md").symlink_to("NOTES.md")
    before = contents(repo)
    assert dusty("agent", "init", str(repo), "--yes", "--allow", "changes").code == 0
    after = contents(repo)
    assert (
        after["AGENTS.md"].startswith("# Our rules\n\nBe kind.\n\n<!-- BEGIN dusty")
        and (repo / "AGENTS.md").is_symlink()
    )
    cursor = json.loads(after[".cursor/mcp.json"])
    assert cursor["more"] == 1 and list(cursor["mcpServers"]) == ["other", "dusty"]
    assert json.loads(after[".vscode/mcp.json"])["servers"]["dusty"] == {
        "type": "stdio",
        "command": "dusty",
        "args": ["mcp", "--allow", "changes"],
    }
    assert dusty("agent", "undo", str(repo), "--yes").code == 0
    assert contents(repo) == before


@pytest.mark.parametrize("text", ["{ // a comment\n}", "[]", '{"mcpServers": []}'])
def test_what_is_not_understood_is_left_alone(dusty: Chosen, repo: Path, text: str) -> None:
    (repo / ".mcp.json").write_text(text)
    ended = dusty("agent", "init", str(repo), "--yes")
    assert ended.code == 1 and ".mcp.json: " in ended.err and "by hand" in ended.err
    assert contents(repo) == {".mcp.json": text}


def test_the_guide_is_a_page_and_replaced_by_a_newer_one() -> None:
    assert len(files.GUIDE.splitlines()) < 40
    old = files.guided("Before.\n").replace("The development environment", "Old") + "After.\n"
    assert files.guided(old) == f"{files.guided('Before.' + chr(10))}After.\n"
    assert files.unguided(old) == "Before.\nAfter.\n"
