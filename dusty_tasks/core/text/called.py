"""The name by which the program was called: what every command in a message begins with (`./dusty up`, `dusty up`, `doit up`)."""

from __future__ import annotations


class Called:
    """Stands in an f-string for the name: f"{DUSTY} up". main.py sets `name` before anything is said."""

    name = "dusty"

    def __str__(self) -> str:
        return self.name


DUSTY = Called()
PLAIN = "dusty"
"""The name in what is kept and read later, perhaps by somebody who calls the program otherwise: records, the proxy's pages."""


def in_called_name(text: str) -> str:
    """A text that was written before the name was known, with `{dusty}` where the name belongs."""
    return text.replace("{dusty}", DUSTY.name)
