"""What differs between the mapping a container was started with and the one it should have now, as words with key paths."""

from __future__ import annotations

from typing import Any, NamedTuple

from dusty_tasks.core.text.namespace import RECREATE_LABEL

KeyPath = tuple[str | int, ...]

NOT_IN_THE_CONTAINER = frozenset({"depends_on"})
"""Keys that order the start and are no part of the container: a change of theirs recreates nothing."""
ONCE: KeyPath = ("commands", "once")
"""Stands for all that runs once in the life of a container: `once`, and the install lines of libs."""
SECRET = frozenset({"environment"})
"""Values under these keys are never printed."""


SAME = {"user": {"root": "0"}}
"""Values by key that mean the same to a container as another one."""


class Difference(NamedTuple):
    path: KeyPath
    """Below the container's entry in the Compose file."""
    what: str


def mapping_differences(
    before: dict[str, Any], now: dict[str, Any], ignored: frozenset[str] = NOT_IN_THE_CONTAINER
) -> list[Difference]:
    """Each difference that calls for a new container, in key order of `now`, then what is gone."""
    differences: list[Difference] = []
    for key in [*now, *(key for key in before if key not in now)]:
        if key not in ignored and _meant(key, before.get(key)) != _meant(key, now.get(key)):
            differences += _of_key(key, before.get(key), now.get(key))
    return differences


def _meant(key: str, value: Any) -> Any:
    return SAME[key].get(value, value) if key in SAME else value


def _of_key(key: str, before: Any, now: Any) -> list[Difference]:
    if key == "labels":
        return _of_labels(before or {}, now or {})
    if isinstance(before or {}, dict) and isinstance(now or {}, dict):
        return _of_mappings(key, before or {}, now or {})
    if isinstance(before or [], list | tuple) and isinstance(now or [], list | tuple):
        return _of_lists(key, list(before or []), list(now or []))
    return [Difference((key,), _changed(key, before, now))]


def _of_labels(before: dict[str, Any], now: dict[str, Any]) -> list[Difference]:
    """`dusty.recreate` stands for what cannot be seen in the mapping: say it as the user knows it."""
    differences = _of_mappings("labels", before, now)
    return [
        Difference(ONCE, "`once` or the install lines of a lib changed")
        if difference.path == ("labels", RECREATE_LABEL)
        else difference
        for difference in differences
    ]


def _of_mappings(key: str, before: dict[str, Any], now: dict[str, Any]) -> list[Difference]:
    names = [*now, *(name for name in before if name not in now)]
    return [
        Difference((key, name), _entry(key, name, name in before, name in now, before.get(name), now.get(name)))
        for name in names
        if (name in before) != (name in now) or before.get(name) != now.get(name)
    ]


def _entry(key: str, name: str, was: bool, is_now: bool, before: Any, now: Any) -> str:
    if not was:
        return f"{key} {name} is new"
    if not is_now:
        return f"{key} {name} is gone"
    return f"{key} {name} changed" if key in SECRET else _changed(f"{key} {name}", before, now)


def _of_lists(key: str, before: list[Any], now: list[Any]) -> list[Difference]:
    singular = key.removesuffix("s")
    new = [
        Difference((key, i), f"{singular} {_short(item)} is new") for i, item in enumerate(now) if item not in before
    ]
    gone = [Difference((key,), f"{singular} {_short(item)} is gone") for item in before if item not in now]
    return new + gone or [Difference((key,), f"{key} are in another order")]


def _changed(what: str, before: Any, now: Any) -> str:
    if before is None:
        return f"{what} is new: {_short(now)}"
    return f"{what} is gone" if now is None else f"{what} {_short(before)} -> {_short(now)}"


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "…"
