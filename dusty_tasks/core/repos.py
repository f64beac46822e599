"""Repo strings and repo ids (spec-language 1.4)."""
from __future__ import annotations

from typing import NamedTuple


class Repo(NamedTuple):
    """A repo as a spec names it."""

    written: str
    """As the spec spells it: the key of `repo_overrides`."""
    id: str
    """The URL without scheme, user, port and `.git`: `github.com/org/x`, `src/x`."""
    url: str
    """What git clones; '' for a local-path repo, which is used where it is."""
    local_path: str = ""
    """The folder of a local-path repo, else ''."""

    @property
    def short_name(self) -> str:
        return self.id.rsplit("/", 1)[-1]
