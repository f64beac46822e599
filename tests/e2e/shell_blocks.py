"""Shell blocks of the docs, as a reader would type them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_BLOCK = re.compile(r"(?:^    .*\n)+", re.MULTILINE)


def commands_in(page: Path, start: str = "", end: str = "") -> Iterator[list[str]]:
    """The commands of each shell block of a page, from the line `start` to the line `end`: lines with a prompt, or all that begin with a command."""
    text = page.read_text()
    text = text[text.index(start) if start else 0 :]
    text = text[: text.index(end)] if end else text
    for found in _BLOCK.finditer(text):
        lines = [line.strip() for line in found.group().splitlines()]
        typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        typed = typed or [line for line in lines if re.match(r"(?:\./)?dusty |cp -r |git |curl |cd ", line)]
        if typed:
            yield [line.split(" #")[0].rstrip() for line in typed]
