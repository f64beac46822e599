"""What `dusty cp` copies where: the words understood, the path of the copy, and what an archive's entries become."""

from __future__ import annotations

import posixpath
from typing import NamedTuple


class End(NamedTuple):
    """One end of a copy."""

    container: str
    """The name of an app or service; '' for this machine."""
    path: str
    """As written, without trailing slashes (but for `/`)."""
    ends_in_slash: bool


def end_of(word: str) -> End:
    """A word of `cp`: `name:/absolute/path` is in a container, anything else is here. Raises ValueError with a sentence."""
    if not word:
        raise ValueError("the path is empty")
    name, colon, path = word.partition(":")
    is_local = not colon or "/" in name or not name or name.startswith((".", "~"))
    if is_local:
        return End("", word.rstrip("/") or "/", word.endswith("/"))
    if not path.startswith("/"):
        raise ValueError(
            f"{word}: the path in a container must be absolute, for example {name}:/{path or 'tmp/file'} "
            f"(a file here whose name has a colon is written ./{word})"
        )
    clean = posixpath.normpath(path)
    return End(name, "/" + clean.lstrip("/"), path.endswith("/"))


def copy_path(source_name: str, source_is_folder: bool, destination: str, ends_in_slash: bool, found: str) -> str:
    """The path of the copy itself. `found` is what stands at the destination: folder, file, or '' for nothing.

    A file goes into a folder under its own name; a folder becomes, or merges into, the destination. Raises ValueError.
    """
    if not source_is_folder:
        into = found == "folder" or ends_in_slash
        if ends_in_slash and found == "file":
            raise ValueError(f"{destination} is a file, not a folder")
        return posixpath.join(destination, source_name) if into else destination
    if found == "file":
        raise ValueError(f"{destination} is a file, and a folder cannot be copied onto it")
    return destination


def renamed(entry_name: str, root_name: str, copy_name: str) -> str:
    """The name of an archive's entry with its first component `root_name` replaced by `copy_name` ('' drops it).

    Raises ValueError for an entry that is not below `root_name`, or leads upwards.
    """
    parts = [part for part in entry_name.strip("/").split("/") if part not in ("", ".")]
    if ".." in parts or (root_name and (not parts or parts[0] != root_name)):
        raise ValueError(f"{entry_name} would land outside the destination")
    rest = parts[1:] if root_name else parts
    return posixpath.join(copy_name, *rest) if rest else copy_name
