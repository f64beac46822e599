"""`dusty repos`: choosing sources, and fetching, with real git remotes on this machine."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from dusty_tasks.effects.code import git as git_door

GIT = {
    "GIT_AUTHOR_NAME": "T",
    "GIT_AUTHOR_EMAIL": "t@localhost",
    "GIT_COMMITTER_NAME": "T",
    "GIT_COMMITTER_EMAIL": "t@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(*words: object, cwd: Path) -> str:
    return subprocess.run(
        ["git", *map(str, words)], cwd=cwd, env={**os.environ, **GIT}, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch):
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)
    git_door.forget_surroundings()
    yield
    git_door.forget_surroundings()


def remote(folder: Path, files: dict[str, str], branch: str = "main") -> Path:
    """A working tree with a commit, which serves as a remote."""
    folder.mkdir(parents=True)
    git("init", "-q", f"--initial-branch={branch}", cwd=folder)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git("add", ".", cwd=folder)
    git("commit", "-qm", "one", cwd=folder)
    return folder


@pytest.fixture
def shop(dusty, tmp_path: Path):
    """Specs with two managed repos of one short name, one other, and a local one; bundle `shop` uses web and lib."""
    for name in ("a/web", "b/web", "lib"):
        remote(tmp_path / "remotes" / name, {"code.py": "1\n"})
    (tmp_path / "local/own").mkdir(parents=True)
    base = f"file://{tmp_path}/remotes"
    dusty.write("bundles/shop.yml", "apps: [web]\n")
    dusty.write(
        "apps/web.yml",
        f"repo: {base}/a/web\nmount: /web\nimage: busybox:1\ncommands: {{always: [httpd -f]}}\ndepends: {{libs: [base]}}\n",
    )
    dusty.write(
        "apps/api.yml", f"repo: {base}/b/web\nmount: /api\nimage: busybox:1\ncommands: {{always: [httpd -f]}}\n"
    )
    dusty.write(
        "apps/own.yml", f"repo: {tmp_path}/local/own\nmount: /own\nimage: busybox:1\ncommands: {{always: [httpd -f]}}\n"
    )
    dusty.write("libs/base.yml", f"repo: {base}/lib\nmount: /base\n")
    dusty("bundles", "activate", "shop")
    return dusty


def ids(tmp_path: Path, name: str) -> str:
    return f"{str(tmp_path)[1:]}/remotes/{name}"


def listed(dusty) -> dict[str, dict]:
    return {row["id"]: row for row in json.loads(dusty("repos", "list", "--json").out)}


def test_list_knows_the_repos_of_all_specs_and_their_state(shop, tmp_path: Path) -> None:
    rows = listed(shop)
    assert list(rows) == sorted(rows)
    assert set(rows) == {
        ids(tmp_path, "a/web"),
        ids(tmp_path, "b/web"),
        ids(tmp_path, "lib"),
        f"{str(tmp_path)[1:]}/local/own",
        f"{str(tmp_path)[1:]}/specs",
    }
    assert (rows[ids(tmp_path, "lib")]["kind"], rows[ids(tmp_path, "lib")]["state"]) == ("managed", "missing")
    assert rows[f"{str(tmp_path)[1:]}/local/own"]["kind"] == "local"
    assert shop("repos").out.splitlines()[0].split() == ["repo", "branch", "state", "taken", "from"]


def test_update_clones_the_stack_in_parallel_and_then_finds_nothing(shop, tmp_path: Path) -> None:
    done = shop("repos", "update")
    assert done.code == 0
    assert "cloned web, branch main" in done.out and "cloned lib" in done.out
    assert not (shop.home / "repos" / ids(tmp_path, "b/web")).exists(), "of the stack only"
    assert shop("repos", "update").out == "2 repos are up to date\n"
    (tmp_path / "remotes/lib/code.py").write_text("2\n")
    git("commit", "-qam", "two", cwd=tmp_path / "remotes/lib")
    assert "updated lib: " in shop("repos", "update").out
    assert (shop.home / "repos" / ids(tmp_path, "lib") / "code.py").read_text() == "2\n"


def test_update_with_nothing_to_fetch_says_why(shop) -> None:
    shop.write("bundles/own.yml", "apps: [own]\n")
    shop("bundles", "activate", "--only", "own")
    assert shop("repos", "update").out == "no managed repos: all are overridden or local\n"
    shop("bundles", "deactivate", "own")
    assert shop("repos", "update").out == "no managed repos: no bundles are activated\n"


def test_untracked_files_in_the_way_are_to_be_moved_since_no_reset_takes_them(shop, tmp_path: Path) -> None:
    shop("repos", "update")
    clone = shop.home / "repos" / ids(tmp_path, "lib")
    (clone / "new").write_text("mine\n")
    (tmp_path / "remotes/lib/new").write_text("theirs\n")
    git("add", "new", cwd=tmp_path / "remotes/lib")
    git("commit", "-qm", "new", cwd=tmp_path / "remotes/lib")
    done = shop("repos", "update", "--reset-repos")
    assert f"untracked files would be overwritten: new\n    hint: {clone}; move them elsewhere" in done.err
    assert (clone / "new").read_text() == "mine\n"


def test_one_failure_does_not_stop_the_others(shop, tmp_path: Path) -> None:
    (tmp_path / "remotes/lib").rename(tmp_path / "remotes/away")
    done = shop("repos", "update")
    assert done.code == 2 and "cloned web" in done.out and "does not appear to be a git repository" in done.err
    (tmp_path / "remotes/away").rename(tmp_path / "remotes/lib")
    shop("repos", "update")
    (tmp_path / "remotes/lib").rename(tmp_path / "remotes/away")
    done = shop("repos", "update")
    assert done.code == 2 and "could not be fetched; the clone of 20" in done.err


def test_local_work_is_left_and_saved_only_when_wanted(shop, tmp_path: Path) -> None:
    shop("repos", "update")
    clone = shop.home / "repos" / ids(tmp_path, "lib")
    (clone / "code.py").write_text("mine\n")
    (tmp_path / "remotes/lib/code.py").write_text("theirs\n")
    git("commit", "-qam", "two", cwd=tmp_path / "remotes/lib")
    done = shop("repos", "update")
    assert done.code == 0 and "is left as it is: 1 edited file" in done.err
    assert (clone / "code.py").read_text() == "mine\n"
    assert listed(shop)[ids(tmp_path, "lib")]["state"] == "dirty"
    done = shop("repos", "update", "--reset-repos")
    assert "saved under refs/dusty/saved/" in done.out
    assert (clone / "code.py").read_text() == "theirs\n"
    assert listed(shop)[ids(tmp_path, "lib")]["state"] == "clean"


def test_a_rewritten_remote_is_followed_and_nobody_is_told_to_push(shop, tmp_path: Path) -> None:
    shop("repos", "update")
    clone, lib = shop.home / "repos" / ids(tmp_path, "lib"), tmp_path / "remotes/lib"
    git("commit", "-q", "--amend", "-m", "rewritten", cwd=lib)
    done = shop("repos", "update")
    assert done.code == 0 and "(the remote's branch main was rewritten)" in done.out
    git("commit", "-q", "--allow-empty", "-m", "mine", cwd=clone)
    git("commit", "-q", "--amend", "-m", "again", cwd=lib)
    done = shop("repos", "update")
    assert "is left as it is: 1 local commit, on 1 commit that the remote dropped" in done.err
    assert "do not push it as it is" in done.err and "push the work" not in done.err


def test_an_empty_remote_is_not_said_to_be_cloned(shop, tmp_path: Path) -> None:
    (tmp_path / "remotes/lib").rename(tmp_path / "remotes/away")
    git("init", "-q", "--bare", "lib", cwd=tmp_path / "remotes")
    for _again in range(2):
        done = shop("repos", "update")
        assert done.code == 0 and "cloned lib" not in done.out
        assert "lib has no commits: nothing was pushed to it yet" in done.err
    assert [path.name for path in (shop.home / "repos" / ids(tmp_path, "")).iterdir() if "lib" in path.name] == ["lib"]


def test_submodules_come_along_can_be_switched_off_and_are_named_where_they_are_missing(shop, tmp_path: Path) -> None:
    lib, deep = tmp_path / "remotes/lib", remote(tmp_path / "remotes/deep", {"deep.txt": "1\n"})
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../deep", "deep", cwd=lib)
    git("commit", "-qm", "deep", cwd=lib)
    shop("config", "set", "repos.submodules", "false")
    clone = shop.home / "repos" / ids(tmp_path, "lib")
    assert shop("repos", "update").code == 0 and not (clone / "deep/deep.txt").exists()
    shop("config", "unset", "repos.submodules")
    deep.rename(tmp_path / "remotes/gone")
    done = shop("repos", "update")
    assert done.code == 2 and "lib: submodule deep: " in done.err and "hint: it was moved or deleted" in done.err
    (tmp_path / "remotes/gone").rename(deep)
    done = shop("repos", "update")
    assert done.code == 0 and "completed" in done.out and (clone / "deep/deep.txt").exists()


def test_a_repo_that_is_gone_and_one_of_another_user_get_their_own_hints(shop, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "4711", tmp_path / "remotes/lib"], check=True)
        done = shop("repos", "update")
        assert f"safe.directory {tmp_path}/remotes/lib" in done.err and "ssh-add" not in done.err
    (tmp_path / "remotes/lib").rename(tmp_path / "remotes/away")
    done = shop("repos", "update")
    assert "hint: it was moved or deleted" in done.err and "ssh-add" not in done.err


def test_override_by_id_or_short_name_and_manage(shop, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    lib = ids(tmp_path, "lib")
    assert shop("repos", "override", "lib", f"{mine}/").code == 0
    assert yaml.safe_load(shop.config.read_text())["repo_overrides"] == {f"file://{tmp_path}/remotes/lib": str(mine)}
    assert (listed(shop)[lib]["kind"], listed(shop)[lib]["path"]) == ("override", str(mine))
    assert shop("repos", "override", lib, ".").code == 0
    assert yaml.safe_load(shop.config.read_text())["repo_overrides"] == {
        f"file://{tmp_path}/remotes/lib": str(tmp_path)
    }
    assert shop("repos", "manage", "lib").code == 0
    assert "repo_overrides" not in yaml.safe_load(shop.config.read_text())
    assert shop("repos", "manage", "lib").code == 1


def test_an_overridden_repo_is_never_touched(shop, tmp_path: Path) -> None:
    mine = remote(tmp_path / "mine", {"code.py": "mine\n"})
    shop("repos", "override", "lib", str(mine))
    head = git("rev-parse", "HEAD", cwd=mine)
    assert "lib" not in shop("repos", "update").out.replace("a/web", "")
    assert git("rev-parse", "HEAD", cwd=mine) == head
    assert not (shop.home / "repos" / ids(tmp_path, "lib")).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["override", "web", "."], "is the short name of 2 repos"),
        (["override", "lub", "."], 'did you mean "lib"?'),
        (["override", "lib", "nowhere"], "does not exist"),
        (["override", "lib", "file"], "is not a folder"),
        (["override", "lib", "a:b"], 'contains ":"'),
        (["override", "lib"], "needs a path"),
        (["from", "nowhere"], "does not exist"),
        (["from", "empty"], "no known repo has a folder"),
        (["manage", "--all"], "no repo is overridden"),
        (["manage", "--all", "lib"], "takes no repo"),
        (["manage", "own", "--branch", "x"], "no branch can be chosen"),
        (["update", "lib"], "unexpected argument"),
        (["list", "--branch", "x"], "belongs to manage"),
    ],
)
def test_bad_input_changes_nothing(shop, tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "file").write_text("")
    for name in ("a:b", "empty"):
        (tmp_path / name).mkdir()
    before = shop.config.read_text()
    done = shop("repos", *words)
    assert done.code == 1 and said in done.err
    assert shop.config.read_text() == before


def test_a_branch_is_followed_and_given_up(shop, tmp_path: Path) -> None:
    git("branch", "next", cwd=tmp_path / "remotes/lib")
    assert shop("repos", "manage", "lib", "--branch", "next").code == 0
    assert yaml.safe_load(shop.config.read_text())["repo_branches"] == {f"file://{tmp_path}/remotes/lib": "next"}
    shop("repos", "update")
    assert listed(shop)[ids(tmp_path, "lib")]["branch"] == "next"
    assert shop("repos", "manage", "lib", "--branch", "").code == 0
    assert "repo_branches" not in yaml.safe_load(shop.config.read_text())
    assert "to branch main" in shop("repos", "update").out
    shop("repos", "manage", "lib", "--branch", "nope")
    done = shop("repos", "update")
    assert done.code == 1 and 'has no branch "nope"; it has main, next' in done.err


def test_from_finds_folders_by_short_name_and_asks_their_remotes(shop, tmp_path: Path) -> None:
    folder = tmp_path / "checkouts"
    web = remote(folder / "web", {"code.py": ""})
    (folder / "lib").mkdir()
    git("remote", "add", "upstream", f"file://{tmp_path}/remotes/b/web", cwd=web)
    done = shop("repos", "from", str(folder))
    assert done.code == 0 and done.err == ""
    assert f"found: {ids(tmp_path, 'b/web')} is taken from {web}" in done.out
    assert "found: lib" in done.out
    assert f"not found: {ids(tmp_path, 'a/web')}" in done.out and "not found: own" in done.out
    git("remote", "remove", "upstream", cwd=web)
    done = shop("repos", "from", str(folder))
    assert f"is taken for 2 repos of this name: {ids(tmp_path, 'a/web')}, {ids(tmp_path, 'b/web')}" in done.err
    assert shop("repos", "manage", "--all").code == 0
    assert all(row["kind"] != "override" for row in listed(shop).values())


def test_changes_are_in_the_history_of_the_config(shop, tmp_path: Path) -> None:
    shop("repos", "override", "lib", str(tmp_path))
    shop("repos", "manage", "lib")
    lib = ids(tmp_path, "lib")
    assert shop.log()[:2] == [f"repos manage {lib}", f"repos override {lib} {tmp_path}"]


def test_a_specs_repo_that_is_managed_is_pulled_first_and_read_anew(dusty, tmp_path: Path) -> None:
    lib = remote(tmp_path / "remotes/lib", {"code.py": "1\n"})
    app = f"repo: file://{lib}\nmount: /web\nimage: busybox:1\ncommands: {{always: [httpd -f]}}\n"
    specs = remote(
        tmp_path / "remotes/specs",
        {"bundles/shop.yml": "apps: [web]\n", "apps/web.yml": "image: busybox:1\ncommands: {always: []}\n"},
    )
    dusty.config.write_text(f"specs_repo: file://{specs}\nbundles: [shop]\n")
    done = dusty("repos", "update")
    assert done.code == 0 and done.out.count("cloned") == 1
    (specs / "apps/web.yml").write_text(app)
    git("commit", "-qam", "web has code now", cwd=specs)
    done = dusty("repos", "update")
    assert "updated specs" in done.out and "cloned lib" in done.out


def test_broken_specs_do_not_keep_a_repo_from_being_overridden(shop, tmp_path: Path) -> None:
    shop.write("apps/web.yml", "image: [\n")
    done = shop("repos", "override", "lib", str(tmp_path))
    assert done.code == 1 and "apps/web.yml:" in done.err
    assert shop("repos", "override", "specs", str(tmp_path)).code == 0
