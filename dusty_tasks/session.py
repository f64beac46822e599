"""The one place where effects feed core: everything a run needs to know, read at most once a process."""
from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dusty_tasks.effects.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.core.settings import Settings
    from dusty_tasks.core.specs import Specs
    from dusty_tasks.core.stack import Stack
    from dusty_tasks.core.wanted import Wanted
    from dusty_tasks.effects.docker_host import DockerHost


def home() -> str:
    """DUSTY_HOME as an absolute path (default ~/.dusty)."""
    return os.path.abspath(os.path.expanduser(os.environ.get("DUSTY_HOME") or "~/.dusty"))


@functools.cache
def settings() -> Settings:
    """config.yml with defaults filled in. Raises Failure naming every problem of the file."""
    from dusty_tasks.core.problems import errors, report
    from dusty_tasks.effects.settings_file import read_settings

    found, problems = read_settings(home())
    if errors(problems):
        raise Failure(report(problems))
    return found


def local_specs_root() -> Path | None:
    """The current folder, if it is a specs repo with a dodo.py of its own (design.md section 9, 11)."""
    folder = Path.cwd()
    return folder if (folder / "dodo.py").is_file() and (folder / "bundles").is_dir() else None


@functools.cache
def specs_root() -> Path:
    """The folder of the specs in use. Raises Failure if none is configured."""
    from dusty_tasks.core.repos import repo_of

    local = local_specs_root()
    if local:
        return local
    chosen = settings()
    if not chosen.specs_repo:
        raise Failure("no specs repo is configured", "dusty setup --specs-repo <repo>, or a config.yml with specs_repo")
    repo = repo_of(chosen.specs_repo)
    return Path(chosen.path_of(repo.id, repo.local_path))


@functools.cache
def specs() -> Specs:
    """All specs, checked. Raises Failure with the whole report when there is a problem."""
    from dusty_tasks.core.check import check_specs
    from dusty_tasks.core.problems import errors, report
    from dusty_tasks.effects.spec_files import read_documents

    documents, read_problems = read_documents(specs_root(), f"{home()}/state/documents.json")
    found, problems = check_specs(documents, read_problems)
    if errors(problems):
        raise Failure(report(problems))
    return found


def active_bundles() -> tuple[str, ...]:
    """The bundles of this run: the configured ones, or all where the folder itself is the specs repo and none is configured."""
    chosen = settings().bundles
    return chosen or (tuple(specs().bundles) if local_specs_root() else ())


@functools.cache
def stack() -> Stack:
    """The stack of the active bundles. Raises Failure as specs() does."""
    from dusty_tasks.core.graph import assemble

    return assemble(specs(), active_bundles())[0]


def wanted() -> Wanted:
    """What should run, as the last compile wrote it. Raises Failure if nothing was compiled yet."""
    from dusty_tasks.core.wanted import from_json

    path = f"{home()}/state/wanted.json"
    try:
        with open(path, encoding="utf-8") as file:
            return from_json(json.load(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure("nothing is compiled yet", "dusty up, or dusty compile") from error


@functools.cache
def docker_host() -> DockerHost:
    """The machine with the engine, as the settings say."""
    from dusty_tasks.effects.docker_host import DockerHost

    return DockerHost(settings())


def forget() -> None:
    """Drop what was read, after a step that changes settings or specs (a first run, a pull of the specs repo)."""
    cached: tuple[Any, ...] = (settings, specs_root, specs, stack, docker_host)
    for function in cached:
        function.cache_clear()
