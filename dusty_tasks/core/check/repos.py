"""Repos of all specs together: one id, one copy (docs/specs.md, "Repos")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dusty_tasks.core.specs.build import repo_in
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import App, Lib, Specs
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.core.text.safe import shown


def first_by_id(documents: Sequence[Document]) -> dict[str, tuple[Document, Repo]]:
    """Repo id -> the first spec in file order that names it, and how it does."""
    first: dict[str, tuple[Document, Repo]] = {}
    for document in documents:
        repo = repo_in(document.value) if document.kind in ("app", "lib") else None
        if repo:
            first.setdefault(repo.id, (document, repo))
    return first


def check_repos(documents: Sequence[Document], first: dict[str, tuple[Document, Repo]]) -> Iterator[Problem]:
    """Repos that lie in one another, and spellings of one repo that would be cloned from different places."""
    for document in documents:
        repo = repo_in(document.value) if document.kind in ("app", "lib") else None
        if not repo:
            continue
        outer = _outer(repo.id, first)
        if outer:
            place = first[outer][0].place(("repo",))
            yield document.problem(
                ("repo",),
                Code.REPO_IN_REPO,
                f"repo {shown(repo.id)} is inside repo {shown(outer)} ({place})",
                "use one repo with two apps",
            )
        other_document, other = first[repo.id]
        if (other.url, other.local_path) != (repo.url, repo.local_path):
            yield document.problem(
                ("repo",),
                Code.REPO_SPELLINGS,
                f"{shown(repo.written)} and {shown(other.written)} ({other_document.place(('repo',))}) are one repo;"
                " the latter is used",
                f"write {other.written} in both",
                is_warning=True,
            )


def _outer(repo_id: str, first: dict[str, tuple[Document, Repo]]) -> str:
    parts = repo_id.split("/")
    return next((prefix for count in range(1, len(parts)) if (prefix := "/".join(parts[:count])) in first), "")


def use_first(specs: Specs, first: dict[str, tuple[Document, Repo]]) -> None:
    """Let every spec clone a repo from where the first one in file order does."""
    found: list[App | Lib] = [*specs.apps.values(), *specs.libs.values()]
    for spec in found:
        repo = spec.repo
        if repo is None:
            continue
        wanted = first[repo.id][1]
        if (wanted.url, wanted.local_path) != (repo.url, repo.local_path):
            repo = repo._replace(url=wanted.url, local_path=wanted.local_path)
            if isinstance(spec, App):
                specs.apps[spec.name] = replace(spec, repo=repo)
            else:
                specs.libs[spec.name] = replace(spec, repo=repo)
