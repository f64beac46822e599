"""Texts that a pure function made before: the same text comes out with a memo or without, only sooner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

# Python's own, which hashlib falls back to, as `random` uses them: to load OpenSSL takes 3 ms of each start. With much data they are slower,
# so files and images are for hashlib.
if TYPE_CHECKING:
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b

        try:
            from _sha2 import sha256
        except ImportError:  # Python 3.11
            from _sha256 import sha256
    except ImportError:
        from hashlib import blake2b, sha256

__all__ = ["Memo", "blake2b", "digest", "sha256"]


def digest(value: object) -> str:
    """A digest of a value's repr: the same in every process, unless there are sets in it."""
    return sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()


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
