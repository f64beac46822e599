"""Is there a newer Dusty where this one came from? Asked only by `dusty version --check`; nothing is sent but git's own question."""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import PackageNotFoundError, distribution
from typing import NamedTuple

from dusty_tasks.effects.code.git import git, git_failed
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.resources import PACKAGE

PATIENCE = 30.0
"""Seconds that the remote gets for its answer."""
_TAG = re.compile(r"\trefs/tags/v?(\d+(?:\.\d+)*)$", re.MULTILINE)


class Newer(NamedTuple):
    """What the remote has that this one lacks."""

    version: str = ""
    """A release of a higher version; '' for none."""
    has_commits: bool = False
    """The branch that is checked out has commits there that are not here."""


def is_checkout() -> bool:
    return os.path.lexists(PACKAGE.parent / ".git")


def read_newer(version: str) -> Newer:
    """Ask the remote of this checkout, or the repo that an installed package was built from. Raises Failure if neither is known."""
    if not is_checkout():
        return Newer(newest_after(version, _listed([_origin_of_package(), "refs/tags/*"], "/")))
    root = str(PACKAGE.parent)
    upstream = git(["rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}"], cwd=root)
    remote, _, branch = upstream.out.strip().partition("/")
    if upstream.code or not branch:
        raise Failure("this checkout of Dusty is on no branch of a remote, so nobody knows what is newer")
    listed = _listed([remote, f"refs/heads/{branch}", "refs/tags/*"], root)
    head = next((line.split("\t")[0] for line in listed.splitlines() if line.endswith(f"\trefs/heads/{branch}")), "")
    is_here = not head or git(["merge-base", "--is-ancestor", head, "HEAD"], cwd=root).code == 0
    return Newer(newest_after(version, listed), has_commits=not is_here)


def newest_after(version: str, listed: str) -> str:
    """The highest version among the tags of `git ls-remote` that is higher than `version`; '' for none."""
    newest = max(_TAG.findall(listed), key=_numbers, default="")
    return newest if newest and _numbers(newest) > _numbers(version) else ""


def _numbers(version: str) -> tuple[int, ...]:
    """`0.2` and `0.2.0` are the same."""
    numbers = [int(part) for part in re.findall(r"\d+", version)]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _listed(words: list[str], folder: str) -> str:
    words = ["ls-remote", "--refs", "--", *words]
    finished = git(words, cwd=folder, timeout=PATIENCE)
    if finished.code:
        raise git_failed(words, finished)
    return finished.out


def _origin_of_package() -> str:
    """The URL of the git repo that pip, pipx or uv installed from. Raises Failure for a package that came another way."""
    try:
        said = json.loads(distribution("dusty").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        said = {}
    if not said.get("vcs_info") or not isinstance(said.get("url"), str):
        raise Failure(
            "this Dusty was installed from a package, which does not say where newer ones are",
            "ask what installed it: pipx upgrade dusty, uv tool upgrade dusty, or pip install --upgrade dusty",
        )
    return str(said["url"])
