"""Taking back what a repo's own configuration names."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.code.git_config import answers, as_environment, is_plain, pairs_of
from dusty_tasks.core.code.git_hints import hint_of
from dusty_tasks.core.specs.repo_ids import login_of

CLONED = b"""[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[remote "origin"]
\turl = https://github.com/org/x.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
\tremote = origin
\tmerge = refs/heads/main
[submodule "lib"]
\tactive = true
\turl = file:///x
"""


def test_what_git_clone_writes_is_plain() -> None:
    assert is_plain(CLONED)


def test_every_spelling_of_another_key_is_seen() -> None:
    for line in (
        b"[core]\n\tfsmonitor = x",
        b"[core] sshCommand=x",
        b"[CORE]\nSSHCOMMAND =x",
        b'[filter "x"]\nclean = y',
        b"[include]path=z",
        b"[core]\r\n\thooksPath\t=\tz",
        b'[remote "o"]\nuploadpack = x',
        b'[includeIf "gitdir:/"]\npath = z',
        b"[alias]\n\tst = !x",
    ):
        assert not is_plain(CLONED + line), line


def test_the_users_values_come_back_and_others_are_made_harmless() -> None:
    own = [
        ("core.sshcommand", "evil"),
        ("filter.a.clean", "evil"),
        ("filter.lfs.process", "git-lfs filter-process"),
        ("filter.lfs.process", "evil"),
        ("credential.https://x.helper", "evil"),
        ("credential.helper", "evil"),
        ("user.name", "me"),
    ]
    outside = [
        ("filter.a.clean", "mine"),
        ("credential.helper", "cache"),
        ("credential.helper", "store"),
        ("filter.lfs.process", "git-lfs filter-process"),
    ]
    assert answers(own, outside) == [
        ("core.sshcommand", ""),
        ("filter.a.clean", "mine"),
        ("filter.lfs.process", "git-lfs filter-process"),
        ("credential.https://x.helper", ""),
        ("credential.helper", ""),
        ("credential.helper", "cache"),
        ("credential.helper", "store"),
    ]


_name = st.text("abcXYZ. /:*'\"\\\n\t=", min_size=1, max_size=8)


@given(st.lists(st.tuples(st.sampled_from(("clean", "smudge", "process")), _name), min_size=1, max_size=4))
def test_no_name_of_a_filter_hides_it(tmp_path_factory, filters: list[tuple[str, str]]) -> None:
    """Real git writes the file, and tells what holds in the end."""
    folder: Path = tmp_path_factory.mktemp("config")
    path = folder / "config"
    for kind, name in filters:
        subprocess.run(
            ["git", "config", "-f", path, f"filter.{name}.{kind}", "evil"], check=False, capture_output=True, cwd=folder
        )
    if not path.exists():
        return
    assert not is_plain(path.read_bytes())
    listing = subprocess.run(
        ["git", "config", "-f", path, "--list", "-z"], check=True, capture_output=True, text=True
    ).stdout
    env = as_environment(answers(pairs_of(listing), []), {})
    seen = subprocess.run(
        ["git", "config", "--list", "-z"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": str(path), "GIT_CONFIG_NOSYSTEM": "1", **env},
    ).stdout
    assert "evil" not in dict(pairs_of(seen)).values()


def test_variables_come_after_those_that_are_set() -> None:
    assert as_environment([("a.b", "c")], {"GIT_CONFIG_COUNT": "2"}) == {
        "GIT_CONFIG_KEY_2": "a.b",
        "GIT_CONFIG_VALUE_2": "c",
        "GIT_CONFIG_COUNT": "3",
    }


def test_hints_fit_what_git_said() -> None:
    for printed, part in {
        "fatal: detected dubious ownership in repository at '/srv/my x.git'\nfatal: Could not read from remote repository.": "safe.directory '/srv/my x.git'",
        "fatal: '/srv/x.git' does not appear to be a git repository\nfatal: Could not read from remote repository.": "moved or deleted",
        "ERROR: Repository not found.\nfatal: Could not read from remote repository.": "moved or deleted",
        "remote: The project you were looking for could not be found\nfatal: Could not read from remote repository.": "moved or deleted",
        "fatal: repository 'https://x/y.git/' not found": "moved or deleted",
        "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.": "ssh-add",
        "Host key verification failed.\nfatal: Could not read from remote repository.": "host key",
        "ssh: Could not resolve hostname x: Name or service not known\nfatal: Could not read from remote repository.": "network",
        "ssh: connect to host x port 22: Connection refused\nfatal: Could not read from remote repository.": "network",
        "fatal: unable to access 'https://x/': Failed to connect to x port 443": "network",
        "fatal: could not read Username for 'https://x': terminal prompts disabled": "credential helper",
        "fatal: transport 'file' not allowed": "file://",
        "error: RPC failed; curl 18\nfatal: early EOF": "connection broke",
        "fatal: write error: No space left on device": "make room",
        "fatal: Could not read from remote repository.": "git ls-remote",
    }.items():
        assert part in hint_of(printed), printed
    assert hint_of("fatal: something else") == ""


def test_the_password_of_a_url_is_taken_out() -> None:
    assert login_of("https://me:p%40ss@x.test:8443/a/b.git") == (
        "https://me@x.test:8443/a/b.git",
        "me",
        "p@ss",
        "https://x.test:8443",
    )
    assert login_of("https://:tok@x.test/a") == ("https://x.test/a", "", "tok", "https://x.test")
    assert login_of("ssh://git:pw@x.test/a") == ("ssh://git@x.test/a", "", "", "")
    for url in (
        "https://x.test/a",
        "https://me@x.test/a:b@c",
        "git@x.test:a/b",
        "file:///a:b@c/d",
        "ssh://git@x.test:22/a",
    ):
        assert login_of(url).url == url and not login_of(url).password
