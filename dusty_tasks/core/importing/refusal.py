"""What Compose itself would refuse to read."""

from __future__ import annotations

from dusty_tasks.core.text.problems import Place


class Refused(ValueError):
    """A Compose file that cannot be read: where, what, and at most one hint."""

    def __init__(self, place: Place, what: str, hint: str = "") -> None:
        super().__init__(f"{place}: {what}")
        self.place, self.what, self.hint = place, what, hint
