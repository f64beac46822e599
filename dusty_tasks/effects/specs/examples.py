"""Writes the bundled examples out as a specs repo and app repos that a person may edit."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors import process
from dusty_tasks.resources import folder

PLACEHOLDER = "/dusty-example"
"""Stands in the bundled specs where the real path of $DUSTY_HOME/example belongs."""

SPEC_FOLDERS = ("bundles", "apps", "libs", "services")
LOCAL_REPOS = ("board", "paper")
MANAGED_REPOS = ("quotes",)
BUNDLE = "example"
"""The bundle that a first run activates."""


def example_folder(home: str | Path) -> Path:
    return Path(Paths(str(home)).example)


def spec_names() -> set[str]:
    """The names of the examples' apps and services."""
    return {spec.stem for kind in ("apps", "services") for spec in (folder("examples") / kind).glob("*.yml")}


def write_examples(home: str | Path, say: Callable[[str], None]) -> Path:
    """The example specs repo below `home`, written out where it is missing; its path.

    `example/specs` and `example/repos/<name>` are git repos to edit; `example/remotes/<name>.git` are bare ones, which
    Dusty clones like any remote. What is there already is left alone, edits included; a part that was removed is made
    again. Each part appears whole, by a rename. Without git the specs alone are written, which is all that compile needs;
    the next call with git does the rest. Raises ToolFailed if git fails.
    """
    target, source = example_folder(home), folder("examples")
    repos = source / "repos"
    parts: dict[str, Callable[[Path], None]] = {"specs": partial(_make_specs, source, target)}
    parts |= {f"repos/{name}": partial(_make_repo, repos / name) for name in LOCAL_REPOS}
    parts |= {f"remotes/{name}.git": partial(_make_bare, repos / name) for name in MANAGED_REPOS}
    possible = parts if shutil.which("git") else {"specs": parts["specs"]}
    missing = {path: make for path, make in possible.items() if not (target / path).exists()}
    for path, make in missing.items():
        _make_whole(target / path, make)
    if missing:
        say(f"wrote the example specs and their repos to {target}")
    return target / "specs"


def _make_whole(path: Path, make: Callable[[Path], None]) -> None:
    """Fill a temporary folder beside `path` and rename it there, unless another run was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        part = Path(temporary) / path.name
        make(part)
        try:
            part.rename(path)
        except OSError:
            if not path.exists():
                raise


def _make_specs(source: Path, target: Path, part: Path) -> None:
    for name in SPEC_FOLDERS:
        (part / name).mkdir(parents=True)
        for spec in sorted((source / name).glob("*.yml")):
            text = spec.read_text(encoding="utf-8").replace(PLACEHOLDER, str(target))
            (part / name / spec.name).write_text(text, encoding="utf-8")
    if shutil.which("git"):
        _commit_all(part)


def _make_repo(source: Path, part: Path) -> None:
    shutil.copytree(source, part, ignore=shutil.ignore_patterns("__pycache__"))
    _commit_all(part)


def _make_bare(source: Path, part: Path) -> None:
    work = part.parent / "work"
    _make_repo(source, work)
    _git("init", "-q", "--bare", str(part))
    _git("--git-dir", str(part), "symbolic-ref", "HEAD", "refs/heads/main")
    _git("-C", str(work), "push", "-q", str(part), "main")
    shutil.rmtree(work)


def _commit_all(repo: Path) -> None:
    _git("init", "-q", str(repo))
    _git("-C", str(repo), "symbolic-ref", "HEAD", "refs/heads/main")
    _git("-C", str(repo), "add", "--all")
    _git("-C", str(repo), "commit", "-q", "-m", "As it comes with Dusty")


def _git(*words: str) -> None:
    """git with an identity and a date of its own: whatever the user's git config asks of commits, these are the same."""
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "Dusty"), ("EMAIL", "dusty@localhost"), ("DATE", "2020-01-01T00:00:00Z"))
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    process.run(
        ["git", *words], env={**kept, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}, check=True
    )
