"""Powers: what active specs ask for beyond a container of their own, each of which a person must allow once (docs/security.md).

A power lets a container act on the Docker host itself, or makes Dusty read files of this machine outside the specs repo, the
stack's repos, /persist and the assets. core/powers/rules finds them, operations/machine/trust asks. Imported by every `up`, so it is light.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from dusty_tasks.core.code.repo_entry import RepoEntry


class Power(NamedTuple):
    """One power, as it stands in the specs."""

    holder: str
    """Who gets it: `service db`, `app web`, `suite unit of api`, `repo src/x`, `specs`."""
    key: str
    """The Compose key as Dusty writes it, for example `volumes`."""
    value: str
    """What is asked for, as JSON without quotes around plain strings; very long ones end in a digest."""
    meaning: str
    """A sentence for the person who decides."""
    file: str = ""
    """The spec, relative to the specs repo."""
    path: tuple[str | int, ...] = ()
    """The key there."""

    @property
    def identity(self) -> str:
        """What is allowed once: it names no line and no place in a list, so moved lines ask nothing again."""
        return f"{self.holder}: {self.key}: {self.value}"

    def to_json(self) -> dict[str, Any]:
        """Its form in state/wanted.json, and for machines."""
        return {**self._asdict(), "path": list(self.path)}


class Asked(NamedTuple):
    """What the specs ask for, held against what was allowed."""

    new: tuple[Power, ...]
    """Not allowed yet."""
    allowed: tuple[Power, ...]
    gone: tuple[str, ...]
    """Identities that were allowed and that nothing asks for any more."""


def digest_of(powers: Iterable[Power]) -> str:
    """Sixteen hex digits that stand for exactly these powers, in any order."""
    text = "\n".join(sorted({power.identity for power in powers}))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def held_against(powers: Iterable[Power], allowed: Iterable[str]) -> Asked:
    """Which of `powers` are new, given the identities that were allowed."""
    by_identity = {power.identity: power for power in powers}
    known = list(dict.fromkeys(allowed))
    return Asked(
        tuple(power for identity, power in by_identity.items() if identity not in known),
        tuple(power for identity, power in by_identity.items() if identity in known),
        tuple(identity for identity in known if identity not in by_identity),
    )


def from_json(entries: Iterable[dict[str, Any]]) -> list[Power]:
    """The inverse of Power.to_json, for each of `entries`. Raises KeyError or TypeError on another form."""
    return [Power(**{**entry, "path": tuple(entry["path"])}) for entry in entries]


def power_of_specs_folder(folder: str, configured: str) -> Power:
    """The power of a folder's own specs to take the place of those that are configured (its `dodo.py` makes it a specs repo)."""
    return Power(
        "specs", "folder", folder, f"take the place of {configured}: containers that only those have are removed"
    )


def sent_variable(name: str) -> str:
    """What it means that a variable of the caller's is filled in, where the Docker host is another machine."""
    return f"sends {name} from your environment to the Docker host"


def power_of_private_repo(entry: RepoEntry) -> Power:
    """The power of specs to have a folder that only its owner may read sent to another machine; `entry` is one of wanted.repos."""
    folder = entry.local_path
    return Power(
        f"repo {entry.id}",
        "repo",
        folder,
        f"sends {folder} to the Docker host, a folder that other users of this machine may not read",
    )
