"""What became of each key of each service: a row with the Compose file's line, for people and for programs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum
from typing import Any, NamedTuple

from dusty_tasks.core.text.problems import Place


class Outcome(Enum):
    """What became of a key, the best first."""

    SAME = "same"
    OWN_WAY = "own way"
    BENT = "bent"
    LOST = "lost"


ORDER = list(Outcome)


class Row(NamedTuple):
    """One key of one service; of what stands at the top of the file, `service` is ''."""

    service: str
    key: str
    place: Place
    outcome: Outcome
    rules: tuple[str, ...] = ()
    """The rules of docs/import.md that say how it is written instead."""
    why: str = ""
    hint: str = ""

    @property
    def name(self) -> str:
        return f"{self.service}.{self.key}" if self.service else self.key

    def to_json(self) -> dict[str, Any]:
        """In a stable form."""
        return {
            "service": self.service,
            "key": self.key,
            "file": self.place.file,
            "line": self.place.line,
            "outcome": self.outcome.value,
            "rules": list(self.rules),
            "why": self.why,
            "hint": self.hint,
        }


class Report:
    """The rows of an import in the making."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}

    def begin(self, service: str, key: str, place: Place) -> None:
        """A key, which is the same until something else is said."""
        self._rows.setdefault((service, key), Row(service, key, place, Outcome.SAME))

    def say(self, service: str, key: str, outcome: Outcome, rule: str = "", why: str = "", hint: str = "") -> None:
        """What became of a part of a key: the worst counts, and all is told."""
        row = self._rows.get((service, key)) or Row(service, key, Place(""), Outcome.SAME)
        worst = max(row.outcome, outcome, key=ORDER.index)
        rules = tuple(dict.fromkeys([*row.rules, *([rule] if rule else [])]))
        self._rows[service, key] = row._replace(
            outcome=worst, rules=rules, why=_joined(row.why, why), hint=_joined(row.hint, hint)
        )

    def outcome(self, service: str, key: str) -> Outcome | None:
        row = self._rows.get((service, key))
        return row.outcome if row else None

    def rows(self) -> list[Row]:
        """In the order of the files."""
        return sorted(self._rows.values(), key=lambda row: (row.place.file, row.place.line, row.service, row.key))


def _joined(one: str, other: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, [*one.split("; "), other]))) if one or other else ""


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """Outcome -> how many rows, the best first."""
    found = Counter(row.outcome for row in rows)
    return {outcome.value: found[outcome] for outcome in Outcome}
