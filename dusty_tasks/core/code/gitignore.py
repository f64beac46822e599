"""What git ignores in a working tree: its .gitignore files and .git/info/exclude (gitignore(5)). Pure.

A property test holds it against `git check-ignore`. Whether a file is tracked is not looked at. Names are bytes, as they are for git.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from dusty_tasks.core.code.linear import LEAP, MANY, ONE, SLASH, Automaton, Item
from dusty_tasks.core.code.wildmatch import ANY, IN_SEGMENT, items_of

IGNORE_FILE = ".gitignore"
_SPECIAL = re.compile(rb"[*?\[\\]")
_NEVER = Automaton([Item(ONE)])
LONGEST = 4096
"""Bytes from which on a pattern matches nothing: no path is as long."""


class Pattern(NamedTuple):
    """One line of an ignore file."""

    automaton: Automaton
    """What the name (or, for a pattern with a slash in it, the path below the file's folder) must match in full."""
    is_about_names: bool
    is_about_folders: bool
    """It ended in a slash: files are not meant."""
    is_negated: bool
    origin: str
    """`.gitignore:3`, `app/.gitignore:1`, `.git/info/exclude:2`."""
    text: bytes

    def __str__(self) -> str:
        return f"{self.text.decode('utf-8', 'replace')} ({self.origin})"


class Ignores:
    """Answers for paths such as `/a/b`, from the root of the working tree; folders are asked about once each.

    `read` gives the content of the .gitignore in a folder (`/`, `/a/`), None for none. `exclude` is the content of
    .git/info/exclude. `below` is where the synced folder lies in the working tree (`/sub`, or nothing): the paths that are asked
    for are below it.
    """

    def __init__(self, read: Callable[[bytes], bytes | None], exclude: bytes = b"", below: bytes = b"") -> None:
        self._read, self._below = read, below
        self._exclude = patterns_of(exclude, ".git/info/exclude")
        self._patterns: dict[bytes, list[Pattern]] = {}
        self._decided: dict[bytes, Pattern | None] = {b"": None}
        if below and self._deciding(below, True) is not None:
            # An enclosing repo that ignores this folder has no say in what is in it.
            self._exclude, self._decided = [], {b"": None}
            self._read = lambda folder: read(folder) if folder.startswith(below + b"/") else None
            self._patterns = {}

    def deciding(self, path: bytes, is_folder: bool) -> Pattern | None:
        """The pattern by which git ignores `path`, itself or a folder above it; None if it does not."""
        return self._deciding(self._below + path, is_folder)

    def plain_names(self) -> set[bytes]:
        """Names without wildcards that patterns for the top are about."""
        patterns = [*self._patterns_in(self._below + b"/"), *self._exclude]
        texts = {pattern.text.lstrip(b"!").strip(b"/") for pattern in patterns}
        return {text for text in texts if text and b"/" not in text and not _SPECIAL.search(text)}

    def _deciding(self, path: bytes, is_folder: bool) -> Pattern | None:
        parent = path.rpartition(b"/")[0]
        above = self._decided[parent] if parent in self._decided else self._deciding(parent, True)
        # What is in an ignored folder cannot be re-included.
        found = above or self._last_match(path, is_folder)
        if is_folder:
            self._decided[path] = found
        return found

    def _last_match(self, path: bytes, is_folder: bool) -> Pattern | None:
        folder, _, name = path.rpartition(b"/")
        folder += b"/"
        while True:
            below = path[len(folder) :]
            for pattern in self._patterns_in(folder):
                if (is_folder or not pattern.is_about_folders) and pattern.automaton.matches(
                    name if pattern.is_about_names else below
                ):
                    return None if pattern.is_negated else pattern
            if folder == b"/":
                break
            folder = folder[: folder.rindex(b"/", 0, -1) + 1]
        for pattern in self._exclude:
            if (is_folder or not pattern.is_about_folders) and pattern.automaton.matches(
                name if pattern.is_about_names else path[1:]
            ):
                return None if pattern.is_negated else pattern
        return None

    def _patterns_in(self, folder: bytes) -> list[Pattern]:
        found = self._patterns.get(folder)
        if found is None:
            name = folder[1:].decode("utf-8", "replace") + IGNORE_FILE
            found = self._patterns[folder] = patterns_of(self._read(folder) or b"", name)
        return found


def patterns_of(text: bytes, origin: str) -> list[Pattern]:
    """The patterns of an ignore file, the last line first, as they are to be asked."""
    found = []
    for number, line in enumerate(text.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        line = _without_trailing_blanks(line.removesuffix(b"\r").split(b"\0")[0])
        if line and not line.startswith(b"#"):
            found.append(_pattern(line, f"{origin}:{number}"))
    return found[::-1]


def _without_trailing_blanks(line: bytes) -> bytes:
    kept = line.rstrip(b" ")
    slashes = len(kept) - len(kept.rstrip(b"\\"))
    # A backslash keeps the blank after it, if it is not itself kept by one.
    return kept + b" " if slashes % 2 and len(kept) < len(line) else kept


def _pattern(line: bytes, origin: str) -> Pattern:
    text = line
    is_negated = text.startswith(b"!")
    text = text[is_negated:]
    is_about_folders = text.endswith(b"/")
    text = text[:-1] if is_about_folders else text
    is_about_names = b"/" not in text
    # Where the first wildcard stands, `**` counts as if a slash were before it: git compares what is before it by itself.
    special = _SPECIAL.search(text)
    first = special.start() if special else len(text)
    is_rooted = text.startswith(b"/")
    items = _items(text[is_rooted:], first - is_rooted, is_about_names) if len(text) < LONGEST else None
    return Pattern(Automaton(items) if items else _NEVER, is_about_names, is_about_folders, is_negated, origin, line)


def _items(pattern: bytes, first: int, is_about_names: bool) -> list[Item] | None:
    """The items of a pattern; None if it can match nothing."""

    def stars(pattern: bytes, at: int, end: int) -> tuple[list[Item], int]:
        rest = pattern[end : end + 2]
        is_deep = (
            end - at > 1
            and (at <= first or pattern[at - 1 : at] == b"/")
            and (not rest or rest.startswith((b"/", b"\\/")))
        )
        if is_about_names or (is_deep and not rest.startswith(b"/")):
            return [Item(MANY, ANY)], end
        if is_deep:
            return [Item(LEAP, leap=2), Item(MANY, ANY), Item(ONE, SLASH)], end + 1
        return [Item(MANY, IN_SEGMENT)], end

    return items_of(pattern, stars)
