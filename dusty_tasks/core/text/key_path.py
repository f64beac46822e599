"""Where something stands inside a file of the user's."""

from __future__ import annotations

from collections.abc import Sequence

from dusty_tasks.core.text.safe import shown

CONFIG_FILE = "config.yml"
"""The settings, as messages and origins name their file."""

KeyPath = tuple[str | int, ...]
"""A key inside one file, for example ('host_forwarding', 0, 'host_name')."""


def path_text(path: KeyPath) -> str:
    """A key path as messages spell it: `host_forwarding[0].host_name`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            plain = key if key and key.isprintable() and not set(key) & set(" .[]:") else shown(key)
            text += f".{plain}" if text else plain
    return text


def key_text(path: Sequence[str | int]) -> str:
    """A key path of an artifact as `trace` takes it: `services.web.ports[0]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
