"""`dusty world` up to the engine's door: what it refuses, and what it leaves when making a world fails."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks import session
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.home.worlds import change_world, home_of, read_world
from dusty_tasks.operations.worlds.removing import refuse_lost_work


def git(folder: Path, *words: str) -> str:
    named = ["git", "-c", "user.name=a", "-c", "user.email=a@b.test", *words]
    return subprocess.run(named, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def code(dusty: Chosen, tmp_path: Path) -> Path:
    """A repo of the stack, with one commit."""
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    for file in ("libs/base.yml", "apps/web.yml", "bundles/Bücher & more.yml"):
        (dusty.specs / file).unlink()
    dusty.write("apps/web.yml", f"repo: {folder}\nmount: /c\nimage: b\ncommands: {{always: [x]}}\n")
    dusty.write("bundles/shop.yml", "description: All\napps: [web, api, fix-web]\n")
    dusty.write("apps/fix-web.yml", "image: b\ncommands: {always: [x]}\n")
    dusty.config.write_text(f"specs_repo: {dusty.specs}\nbundles: [shop]\n")
    return folder


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["new", "two", "--repo", "nosuch=/x"], "nosuch"),
        (["new", "two", "--repo", "code"], "--repo takes <repo>=<path>, not code"),
        (["new", "two", "--repo", "code={tmp}/gone"], "gone does not exist"),
        (["new", "two", "--repo", "code={tmp}/code", "--branch", "code=x"], "cannot come from a path and a branch"),
        (["new", "two", "--branch", "code=x", "--data", "some"], '--data takes clone or empty, not "some"'),
        (["new", "two", "--branch", "code=x", "--bundle", "nosuch"], 'no bundle named "nosuch"'),
        (["new", "two", "--branch", "code=x", "--own", "nosuch"], "nosuch"),
        (["new", "two", "--branch", "code=x", "--own", "web", "--share", "web"], "web cannot be both own and shared"),
        (["new", "base", "--branch", "code=x"], "base is the name of the stack itself"),
        (["new", "Two", "--branch", "code=x"], '"Two" cannot be the name of a world'),
        (["new", "a" * 31, "--branch", "code=x"], "at most 30"),
        (["new", "fix", "--branch", "code=x"], "the image of web would have that of another part"),
        (["new", "two", "three"], 'unexpected argument "three"'),
        (["new"], "a world needs a name"),
        (["list", "--own", "web"], "--own goes with new"),
        (["remove", "nosuch", "--yes"], 'there is no world named "nosuch"'),
        (["remove", "../x", "--yes"], "../x"),
        (["remove", "base", "--yes"], "base is no world"),
        (["remove"], "world remove needs a name"),
        (["share", "web"], "this is the base"),
    ],
)
def test_wrong_words_change_nothing(dusty: Chosen, code: Path, words: list[str], said: str) -> None:
    ended = dusty("world", *(word.replace("{tmp}", str(code.parent)) for word in words))
    assert ended.code == 1 and said in ended.err and "Traceback" not in ended.err
    assert not (dusty.home / "worlds").exists() and git(code, "worktree", "list").count("\n") == 1


def test_a_variable_that_names_no_world_is_refused(dusty: Chosen, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUSTY_WORLD", "nosuch")
    ended = dusty("status")
    assert ended.code == 1 and 'there is no world named "nosuch" (DUSTY_WORLD says so)' in ended.err


def test_a_name_is_taken_once_and_work_stays_even_where_the_file_is_damaged(dusty: Chosen, code: Path) -> None:
    assert dusty("world", "new", "two", "--branch", "code=x").code == 0
    assert "there is already a world named two" in dusty("world", "new", "two", "--branch", "code=y").err
    (tree,) = (path.parent for path in (dusty.home / "worlds/two/repos").rglob(".git"))
    (tree / "mine").write_text("precious\n")
    (dusty.home / "worlds/two/world.json").write_text("{")
    for words in (["remove", "two", "--yes"], ["remove", "two", "--yes", "--json"]):
        ended = dusty("world", *words)
        assert ended.code == 1 and "files that are not committed" in ended.err + ended.out
    assert (tree / "mine").read_text() == "precious\n"
    with session.begun(session.Session(str(dusty.home))):
        assert "two/world.json is damaged" in dusty("up", world="two").err


def test_a_worktree_that_another_world_takes_stays(dusty: Chosen, code: Path) -> None:
    assert dusty("world", "new", "two", "--branch", "code=x").code == 0
    (tree,) = (path.parent for path in (dusty.home / "worlds/two/repos").rglob(".git"))
    assert dusty("world", "new", "three", "--repo", f"code={tree}").code == 0
    session.forget()
    with pytest.raises(Failure, match="three takes a repo from one of its worktrees"):
        refuse_lost_work("two")
    refuse_lost_work("three")


def test_nothing_is_left_of_a_world_whose_worktree_cannot_be_made(dusty: Chosen, code: Path) -> None:
    git(code, "branch", "taken")
    git(code, "worktree", "add", "-q", str(code.parent / "tree"), "taken")
    ended = dusty("world", "new", "two", "--branch", "code=taken")
    assert ended.code and "Traceback" not in ended.err
    assert list((dusty.home / "worlds").iterdir()) == [] and git(code, "worktree", "list").count("\n") == 2


def test_each_world_has_an_address_of_its_own(dusty: Chosen, code: Path) -> None:
    made = [
        json.loads(dusty("world", "new", name, "--branch", f"code={name}", "--json").out) for name in ("two", "four")
    ]
    assert [each["address"] for each in made] == ["127.77.0.1", "127.77.0.2"]


def test_a_change_of_a_world_keeps_what_others_noted_and_makes_no_removed_one_again(dusty: Chosen, code: Path) -> None:
    dusty("world", "new", "two", "--branch", "code=x")
    home = home_of(str(dusty.home), "two")
    change_world(home, filled=("db",))
    change_world(home, uses={"cache": ["cache"]})
    world = read_world(home)
    assert world is not None and (world.filled, world.uses) == (("db",), {"cache": ["cache"]})
    (dusty.home / "worlds/two/world.json").unlink()
    with pytest.raises(Failure, match="there is no world two any more"):
        change_world(home, uses={})
    assert not (dusty.home / "worlds/two/world.json").exists()
