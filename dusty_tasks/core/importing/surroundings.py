"""What an import may know of this machine: which files are there, and which of them are in git checkouts. Values and callables, no effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dusty_tasks.core.importing.reading import Read


class Checkout(NamedTuple):
    """A git checkout of this machine."""

    folder: str
    """Absolute."""
    repo: str
    """As a spec names it."""


class Owned(NamedTuple):
    """A service whose code a person named: --own NAME=REPO:MOUNT."""

    repo: str
    mount: str


class Surroundings(NamedTuple):
    """What is asked of this machine."""

    specs: str
    """The absolute folder that specs are written to."""
    read: Read
    kind_of: Callable[[str], str]
    """`file`, `folder`, or '' for nothing there."""
    files_in: Callable[[str], list[str] | None]
    """The files of a folder by their paths in it; None for more than anybody would copy."""
    checkout_of: Callable[[str], Checkout | None]
    """The checkout that a path lies in."""
    is_ignored: Callable[[str], bool]
    """True for a path that git ignores: what is there was made, not written."""
    own: Mapping[str, Owned] = {}
    own_from: Mapping[str, Checkout] = {}
    """Checkouts by the name of their folder."""
