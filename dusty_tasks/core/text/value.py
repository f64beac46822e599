"""What frozen dataclasses of many fields inherit in place of generated methods: to generate those takes a start of Dusty 4 ms."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


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
