"""Texts that a pure function made before: the same text comes out with a memo or without, only sooner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dusty_tasks.core.text.digests import sha256

Slice = TypeVar("Slice")


def digest(value: object) -> str:
    """A digest of a value's repr: the same in every process, unless there are sets in it."""
    return sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()


def cut(kind: type[Slice], whole: object) -> Slice:
    """The slice `kind`, a NamedTuple or a dataclass, of a value that has attributes of the same names.

    Whoever gets a slice in place of the whole can look at nothing else, so the digest of the slice covers all that he makes.
    """
    names: Any = getattr(kind, "_fields", None) or getattr(kind, "__dataclass_fields__", ())
    return kind(**{name: getattr(whole, name) for name in names})


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
