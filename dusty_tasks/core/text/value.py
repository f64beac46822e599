"""Values of many fields: slices cut out of them, and what their classes inherit in place of generated methods, which take a start of Dusty 4 ms."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

Slice = TypeVar("Slice")


class Value:
    """Compared and shown by its fields, as `@dataclass` does it; for `@dataclass(frozen=True, slots=True, repr=False, eq=False)`."""

    __slots__ = ()

    def __repr__(self) -> str:
        of: Any = self
        shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(of) if field.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        return other.__class__ is self.__class__ and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))


def _values(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in value.__dataclass_fields__)


def cut(kind: type[Slice], whole: object) -> Slice:
    """The slice `kind`, a NamedTuple or a dataclass, of a value that has attributes of the same names.

    Whoever gets a slice in place of the whole can look at nothing else, so the digest of the slice covers all that he makes.
    """
    names: Any = getattr(kind, "_fields", None) or getattr(kind, "__dataclass_fields__", ())
    return kind(**{name: getattr(whole, name) for name in names})
