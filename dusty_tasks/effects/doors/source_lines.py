"""The files that problems are about, read once more when there is something to say of them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dusty_tasks.core.text.key_path import CONFIG_FILE
from dusty_tasks.effects.doors.once import Lasting, home_folder

if TYPE_CHECKING:
    from dusty_tasks.core.text.problems import Problem

MOST_BYTES = 1 << 20


class _Reading:
    root = ""
    """Of the specs repo that was read last."""


_reading = Lasting(_Reading)


def learn_root(root: str) -> None:
    """The folder that the `file` of places is relative to from now on: the specs repo that is being read."""
    _reading().root = root


def told(problems: Sequence[Problem], of_text: Callable[[str], Sequence[str]] | None = None) -> str:
    """The report over `problems`, each with its line of source, or that of `of_text`."""
    from dusty_tasks.core.text.problems import report

    return report(problems, of_text or functools.cache(lines_of))


def lines_of(file: str) -> list[str]:
    """The lines of a spec file, or of config.yml; [] if they cannot be read now."""
    root = home_folder() if file == CONFIG_FILE else _reading().root
    path = os.path.join(root, file)
    if not root or not os.path.isfile(path):
        return []
    try:
        with open(path, "rb") as source:
            return split_lines(source.read(MOST_BYTES))
    except OSError:
        return []


def split_lines(data: bytes) -> list[str]:
    """The lines as YAML counts them; what is not UTF-8 shows as a replacement character."""
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
