"""A repo of the stack as the run phase knows it: what sync copies, for whom, and what it must leave in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class RepoEntry(NamedTuple):
    """One of `repos` in `state/wanted.json`."""

    id: str
    written: str = ""
    """As the specs write it."""
    url: str = ""
    """Where a managed one is cloned from, or ''."""
    local_path: str = ""
    """The folder that the specs name, or ''."""
    used_by: tuple[str, ...] = ()
    """Names of the apps with its code in their containers."""
    lib_of: Mapping[str, Sequence[str]] = {}  # never changed
    """App name -> the names of the libs of that app whose repo it is."""
    lib_repos: Mapping[str, Sequence[str]] = {}  # never changed
    """Lib name -> the ids of the repos of this lib and of all libs it depends on: sync writes a digest per lib."""
    mounts: tuple[tuple[str, str, str], ...] = ()
    """Path below the copy, container, and asset key or '', of all that containers mount there: sync leaves it in place (core/code/copies.MountPoint)."""

    def to_json(self) -> dict[str, Any]:
        """Its JSON form: field names as keys, tuples as lists."""
        return {**self._asdict(), "used_by": list(self.used_by), "mounts": [list(point) for point in self.mounts]}


def from_json(data: Mapping[str, Any]) -> RepoEntry:
    """The inverse of RepoEntry.to_json; keys of later versions may be missing. Raises KeyError, TypeError or ValueError on another form."""
    if not isinstance(data["id"], str):
        raise TypeError("a repo has a text as its id")
    return RepoEntry(
        **{
            **data,
            "used_by": tuple(data.get("used_by") or ()),
            "mounts": tuple((path, container, asset) for path, container, asset in data.get("mounts") or ()),
        }
    )
