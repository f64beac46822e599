"""The door to git: the user's own git, agent and known_hosts; never a question, and nothing that a repo's own configuration asks to run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from dusty_tasks.core.code.git_config import (
    ALWAYS,
    LFS_FILTER,
    NO_LFS_FILTER,
    PROTOCOLS,
    UPLOAD_PACK,
    Pairs,
    answers,
    as_environment,
    is_plain,
    last_value,
    pairs_of,
)
from dusty_tasks.core.code.git_hints import hint_of
from dusty_tasks.core.of_verbs.redaction import without_credentials
from dusty_tasks.core.specs.repo_ids import Login
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.code.working_tree import common_folder, git_folder_of
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import ToolFailed
from dusty_tasks.effects.doors.files import read_bounded
from dusty_tasks.effects.doors.once import Lasting

OF_ANOTHER_REPO = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_CONFIG",
    "GIT_EXTERNAL_DIFF",
)
"""Set for us when Dusty is started from a git hook; they would point every command at that repo."""
LARGEST_CONFIG = 1 << 20
"""Bytes of a repo's own configuration."""
PASSWORD_HELPER = '!f() { test "$1" = get || exit 0; printf "username=%s\\npassword=%s\\n" "$DUSTY_GIT_USER" "$DUSTY_GIT_PASSWORD"; }; f'
"""How git gets the password of a URL: in an argument other users of this machine could read it."""


class Given(NamedTuple):
    """What one command is given beyond what all are."""

    env: Mapping[str, str] = MappingProxyType({})
    config: Pairs = ()
    """What it is to obey before all files."""


def git(
    words: Sequence[str],
    *,
    cwd: str = "/",
    lock: int | None = None,
    input: str | bytes | None = None,
    given: Given = Given(),  # noqa: B008 - immutable
    timeout: float | None = None,
) -> process.Finished:
    """Run git without any question; `lock` is a descriptor that it inherits.

    Names that are no UTF-8 come with surrogate escapes. Without a `cwd` no repo is looked at.
    """
    surroundings = {**_environment(), **given.env}
    pairs = (*ALWAYS, *given.config, *(LFS_FILTER if has_lfs() else NO_LFS_FILTER))
    return process.run(
        ["git", *words],
        cwd=cwd,
        input=input,
        env={**surroundings, **as_environment(pairs, surroundings)},
        pass_fds=() if lock is None else (lock,),
        errors="surrogateescape",
        timeout=timeout,
    )


@Lasting
def has_lfs() -> bool:
    return shutil.which("git-lfs") is not None


@Lasting
def _environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_REPO}
    # LFS files come after the checkout, in one batch: a server that refuses them must not leave a tree that is half moved.
    env |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }
    env.setdefault("GIT_ALLOW_PROTOCOL", ":".join(PROTOCOLS))
    if not {"GIT_SSH", "GIT_SSH_COMMAND"} & env.keys():
        env["GIT_SSH_COMMAND"] = last_value(outside_config(), "core.sshcommand") or "ssh -o BatchMode=yes"
    return env


@Lasting
def outside_config() -> Pairs:
    """What the user's and the system's git configuration say."""
    env = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_REPO}
    return pairs_of(
        process.run(
            ["git", "config", "--list", "-z"], env={**env, "GIT_DIR": os.devnull}, cwd="/", errors="surrogateescape"
        ).out
    )


def forget_surroundings() -> None:
    """Look at the environment and at the user's configuration anew."""
    for remembered in (has_lfs, _environment, outside_config):
        remembered.forget()


def own_answers(git_folder: str) -> list[tuple[str, str]]:
    """What takes back the programs that the repo in `git_folder` names in its own configuration.

    Raises OSError if that configuration is none that git could read to an end.
    """
    paths = {
        "--local": os.path.join(common_folder(git_folder), "config"),
        "--worktree": os.path.join(git_folder, "config.worktree"),
    }
    kinds = [kind for kind, path in paths.items() if not is_plain(read_bounded(path, LARGEST_CONFIG) or b"")]
    if not kinds:
        return []
    own = [
        pair
        for kind in kinds
        for pair in pairs_of(git(["--git-dir", git_folder, "config", kind, "--includes", "--list", "-z"]).out)
    ]
    return answers(own, outside_config())


def login_config(login: Login) -> Pairs:
    """The configuration by which git gets the password of a URL from `login_environment`, and no other machine does."""
    key = f"credential.{login.place}.helper"
    return ((key, ""), (key, PASSWORD_HELPER)) if login.password else ()


def login_environment(login: Login) -> dict[str, str]:
    return {"DUSTY_GIT_USER": login.user, "DUSTY_GIT_PASSWORD": login.password} if login.password else {}


def of_login(login: Login) -> Given:
    """What a command needs that logs in to another machine."""
    return Given(login_environment(login), login_config(login))


def list_remote(login: Login, *words: str, timeout: float | None = None) -> str:
    """What git prints that looks at a remote (`ls-remote …`), in no repo's surroundings. Raises ToolFailed."""
    finished = git(words, given=of_login(login), timeout=timeout)
    if finished.code:
        raise git_failed(words, finished)
    return finished.out


def git_failed(words: Sequence[str], finished: process.Finished) -> ToolFailed:
    """git's last lines, without passwords and escapes, and the hint that fits."""
    printed = without_credentials(
        "\n".join(printable(line.expandtabs(4)) for line in (finished.err or finished.out).splitlines())
    )
    shown = [without_credentials(printable(word)) for word in words if word not in ("--quiet", UPLOAD_PACK)]
    return ToolFailed(["git", *shown], finished.code, printed, hint_of(printed))


def remote_urls(folder: str) -> list[str]:
    """The URLs of all remotes of the git repo at `folder`, [] if it is none."""
    if not os.path.lexists(os.path.join(folder, ".git")):
        return []
    listed = git(["--git-dir", git_folder_of(folder), "config", "--get-regexp", r"^remote\..*\.url$"]).out
    return [line.partition(" ")[2] for line in listed.splitlines()]
