"""Repo strings and ids: the table of docs/specs.md."""

from __future__ import annotations

import pytest

from dusty_tasks.core.specs.repo_ids import repo_of


@pytest.mark.parametrize(
    ("written", "url", "repo_id", "local_path"),
    [
        ("github.com/org/x", "ssh://git@github.com/org/x", "github.com/org/x", ""),
        ("GitHub.com/org/X", "ssh://git@GitHub.com/org/X", "github.com/org/X", ""),
        ("github.com/org/x.git", "ssh://git@github.com/org/x.git", "github.com/org/x", ""),
        ("https://github.com/org/x.git", "https://github.com/org/x.git", "github.com/org/x", ""),
        ("https://github.com/org/x", "https://github.com/org/x.git", "github.com/org/x", ""),
        (
            "https://me:token@github.com:8443/org/x/",
            "https://me:token@github.com:8443/org/x.git",
            "github.com/org/x",
            "",
        ),
        ("http://git.corp/x", "http://git.corp/x.git", "git.corp/x", ""),
        ("ssh://me@git.corp:2222/org/x.git", "ssh://me@git.corp:2222/org/x.git", "git.corp/org/x", ""),
        ("me@git.corp:org/x.git", "me@git.corp:org/x.git", "git.corp/org/x", ""),
        ("git.corp:org/x", "git.corp:org/x", "git.corp/org/x", ""),
        ("me@git.corp:/srv/git/x.git", "me@git.corp:/srv/git/x.git", "git.corp/srv/git/x", ""),
        ("/src/x", "", "src/x", "/src/x"),
        ("/src//x/", "", "src/x", "/src/x"),
        ("/src/x.git", "", "src/x", "/src/x.git"),
        ("/src/büro", "", "src/büro", "/src/büro"),
        ("file:///src/x", "file:///src/x", "src/x", ""),
        ("file://localhost/src/x.git", "file://localhost/src/x.git", "src/x", ""),
    ],
)
def test_repo_of(written: str, url: str, repo_id: str, local_path: str) -> None:
    repo = repo_of(written)
    assert (repo.written, repo.url, repo.id, repo.local_path) == (written, url, repo_id, local_path)
    assert repo.short_name == repo_id.rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("", "is empty"),
        ("-x", 'starts with "-"'),
        ("host/a b", "contains a blank"),
        ("host/a\tb", "contains a tab"),
        ("host/a\nb", "contains a newline"),
        ("host/\x1b", "contains a control character (U+001B)"),
        ("host/'", "contains a quote"),
        ("host/$x", 'contains "$"'),
        ("/a/../b", 'contains a ".." or "." component'),
        ("host/./b", 'contains a ".." or "." component'),
        ("file:///a/..", 'contains a ".." or "." component'),
        ("/a:b", 'contains ":", which cannot be mounted'),
        ("git://host/x", "uses git://, which is not supported (http, https, ssh, file are)"),
        ("ext::x", "uses ext::, which is not supported (http, https, ssh, file are)"),
        ("ssh://-oProxyCommand=x/y", 'names no valid host ("-oProxyCommand=x")'),
        ("ssh://-x@host/y", 'names no valid user ("-x")'),
        ("https://host", "is not a URL of a repo"),
        ("https://host/", "names no repo"),
        ("/", "names no repo"),
        ("/.git", "names no repo"),
        ("host:-x", 'has a path that starts with "-x"'),
        ("name", "is neither host/org/name, nor a URL, nor an absolute path"),
        ("./x", "is neither host/org/name, nor a URL, nor an absolute path"),
        ("/.receipts/x", 'has a path that starts with ".receipts"'),
        ("host/" + "a/" * 80_000, "has 160005 characters, and at most 2048 make a path"),
        ("~/x", "is neither host/org/name, nor a URL, nor an absolute path"),
        ("file://host/x", "names a host in a file:// URL; write file:///path"),
    ],
)
def test_refused(written: str, what: str) -> None:
    with pytest.raises(ValueError) as refused:
        repo_of(written)
    assert str(refused.value) == what
