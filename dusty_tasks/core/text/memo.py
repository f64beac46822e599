"""Texts that a pure function made before: the same text comes out with a memo or without, only sooner."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping


def digest(value: object) -> str:
    """A digest of a value's repr: the same in every process, unless there are sets in it."""
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()


class Memo:
    """Texts by a digest of all that they were made from."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self.known = known or {}
        self.used: dict[str, str] = {}
        """What was asked for: the next run's `known`."""

    def text(self, key: str, make: Callable[[], str]) -> str:
        """What `make` returns, made anew only if `key` is: a digest of all that `make` looks at."""
        text = self.known.get(key)
        if text is None:
            text = make()
        self.used[key] = text
        return text
