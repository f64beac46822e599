"""What `explain` tells of one code."""

from __future__ import annotations

import re
from typing import NamedTuple


class Explanation(NamedTuple):
    """A title, some sentences, and the smallest specs that have the problem and those that have it no more.

    Examples are texts of one or several files, each headed by a comment with its path. They are '' where text cannot show it.
    """

    title: str
    text: str
    wrong: str = ""
    right: str = ""


_HEADER = re.compile(r"^# ((?:(?:apps|bundles|libs|services)/.+|config|vars)\.ya?ml)$", re.MULTILINE)


def files_of(example: str) -> dict[str, str]:
    """Path -> text of the files of an example."""
    _, *parts = _HEADER.split(example)
    return {path: f"{text.strip(chr(10))}\n" for path, text in zip(parts[::2], parts[1::2], strict=True)}
