"""What a terminal makes of a message: severity as colour, places and URLs as links. Pure, and asked for on a terminal alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from dusty_tasks.core.text.looks import Tone, file_url, linked, outside_links, painted, plain

_URL = re.compile(r"https?://[!-~]*[^\s!-/:-@\[-`{-~]/?")
_PLACE = re.compile(r"(?<![\w/.~-])([\w/.~+-]+\.ya?ml)(:\d+(?::\d+)?)")
"""`apps/web.yml:3:5`."""
_PLACED = re.compile(r"([^\s:]+\.ya?ml(?::\d+){0,2})(: |$)")
_CODE = re.compile(r"(?<=: )(D\d{3})\b|\[(D\d{3})\]")
_CARET = re.compile(r"[ |]*\^[\^~-]*")
_SEVERITY = {"warning:": Tone.WARNING, "error:": Tone.BAD, "FAILED": Tone.BAD}
_HINT = re.compile(r" +hint: ")


def with_links(text: str, path_of: Callable[[str], str] = lambda _name: "") -> str:
    """URLs, and places in files, as links; `path_of` gives the absolute path of a file as it is named in messages, '' if it has none."""
    text = outside_links(text, lambda piece: _URL.sub(lambda url: linked(url.group()), piece))

    def with_link(place: re.Match[str]) -> str:
        path = path_of(place[1])
        return linked(place.group(), file_url(path)) if path else place.group()

    return outside_links(text, lambda piece: _PLACE.sub(with_link, piece))


def severe(text: str) -> str:
    """What went wrong, with its severity shown: an error's first line is red unless a place leads it, which stands out instead; `warning:` is
    yellow, hints and all that follows are quieter. A text that is painted already stays as it is."""
    if plain(text) != text:
        return text
    return "\n".join(_line(line, is_first=not number) for number, line in enumerate(text.split("\n")))


def _line(line: str, *, is_first: bool) -> str:
    hint = _HINT.match(line)
    if hint:
        return painted(hint.group(), Tone.BUSY) + line[hint.end() :]
    if _CARET.fullmatch(line):
        return painted(line, Tone.BAD)
    placed = _PLACED.match(line)
    if placed:
        rest = line[placed.end(1) :]
        tone = Tone.WARNING if ": warning:" in rest else Tone.BAD
        rest = _CODE.sub(lambda code: painted(code.group(), tone), rest, count=1)
        rest = re.sub(r"(?<=: )warning:", painted("warning:", tone), rest, count=1)
        return painted(placed[1], Tone.STRONG) + rest
    for word, tone in _SEVERITY.items():
        if line.startswith(word):
            return painted(word, tone) + line[len(word) :]
    return painted(line, Tone.BAD) if is_first and line else line
