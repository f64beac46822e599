"""Specs written in a test: texts by file in, checked specs out, without a disk."""

from __future__ import annotations

import textwrap
from functools import cache
from pathlib import PurePosixPath

from dusty_tasks.core.check.specs import check_specs
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.specs.shape import DocumentReader
from dusty_tasks.core.text.problems import Problem, errors
from dusty_tasks.effects.specs.schemas import read_schema

KIND_BY_FOLDER = {"apps": "app", "bundles": "bundle", "libs": "lib", "services": "service"}
APP = "image: busybox:1\ncommands: {always: [httpd -f]}\n"
"""The smallest app."""


@cache
def reader(kind: str) -> DocumentReader:
    return DocumentReader(kind, read_schema(kind))


def document(file: str, text: str | bytes) -> Document:
    """The document of one file, named by its path, for example apps/web.yml."""
    data = textwrap.dedent(text).encode() if isinstance(text, str) else text
    path = PurePosixPath(file)
    return reader(KIND_BY_FOLDER[path.parts[0]])(path.stem, file, data)


def checked(texts: dict[str, str], *, bundle: bool = True) -> tuple[Specs, list[Problem]]:
    """Specs and problems of files by path; a bundle of all apps is added if none is there and `bundle` is wanted."""
    if bundle and not any(file.startswith("bundles/") for file in texts):
        names = [PurePosixPath(file).stem for file in texts if file.startswith("apps/")]
        texts = {**texts, "bundles/all.yml": f"apps: [{', '.join(names)}]\nservices: []\n"}
    return check_specs([document(file, text) for file, text in sorted(texts.items())])


def fine(texts: dict[str, str]) -> Specs:
    """The specs of files that must be without error."""
    specs, problems = checked(texts)
    assert errors(problems) == []
    return specs


def said(texts: dict[str, str]) -> list[str]:
    """The problems of files, each as `file: path: what`, warnings included."""
    return [f"{problem.place.file}: {problem.path}: {problem.what}" for problem in checked(texts)[1]]
