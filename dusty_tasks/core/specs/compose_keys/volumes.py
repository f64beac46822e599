"""Compose keys of volumes: where in a container they may be, and what of this machine they may show. Pure."""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.specs.compose_keys.known import OWN_TARGETS
from dusty_tasks.core.specs.compose_keys.translation import Rule, Translation
from dusty_tasks.core.specs.compose_values import (
    VOLUME_TYPES,
    completed,
    is_well_typed,
    named_volumes,
    of_this_machine,
    volume_of,
)
from dusty_tasks.core.specs.rules import Wrong
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.safe import unsafe_part

_FOLDER_OF_THE_REPO = "`mount` shows folders of the app's repo; /persist/… keeps data on the Docker host; a service can mount files of the specs"


def _volumes(translation: Translation, value: Any) -> None:
    translation.compose["volumes"] = entries = list(value) if isinstance(value, list) else []
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if not isinstance(entry, (str, dict)) or not is_well_typed(entry, VOLUME_TYPES):
            continue
        try:
            entry = _from_the_specs(translation, entry)
            source, target = volume_of(entry)
            if source.startswith(".") and translation.role != "service":
                raise Wrong(Code.RELATIVE_VOLUME, of_this_machine(source)[0], _FOLDER_OF_THE_REPO)
            _check_target(translation, target, first.setdefault(target, index), index)
            entries[index] = completed(entry) if isinstance(entry, dict) else entry
        except Wrong as wrong:
            translation.say(("volumes", index), wrong.code, wrong.what, wrong.hint)


def _from_the_specs(translation: Translation, entry: Any) -> Any:
    """A volume of a service as written, its source beginning with ./ where a long form can mean nothing but a path. Raises Wrong."""
    if translation.role != "service":
        return entry
    source = str(entry.get("source", "")) if isinstance(entry, dict) else entry.rpartition(":")[0].partition(":")[0]
    is_relative = "/" in source and source[0] not in "/.~" and not unsafe_part(source)
    if isinstance(entry, dict) and entry.get("type") == "bind" and source and source[0] not in "/.~":
        return {**entry, "source": f"./{source}"}
    if is_relative:
        raise Wrong(
            Code.RELATIVE_VOLUME,
            of_this_machine(source)[0],
            f"./{source} for a file of the specs repo; /persist/… keeps data on the Docker host",
        )
    return entry


def _check_target(translation: Translation, target: str, first: int, index: int) -> None:
    """Where in the container a volume may be; `first` is the index of the first volume that is there."""
    for own in OWN_TARGETS[translation.role]:
        if target == own or target.startswith(own + "/"):
            raise Wrong(Code.RESERVED_PATH, f"{own} is needed by Dusty itself", "another path in the container")
    written = translation.value["volumes"]
    if written[first] != written[index]:
        line = translation.document.place((*translation.base, "volumes", first)).line
        raise Wrong(Code.GIVEN_TWICE, f"{target} is given twice; first at line {line}", "another path in the container")


def _volume_driver(translation: Translation, value: Any) -> None:
    translation.volume_driver = str(value)


def finish(translation: Translation) -> None:
    """What needs more than one key: a driver is of named volumes."""
    if translation.volume_driver and not named_volumes(translation.compose):
        translation.warn("volume_driver", Code.VOLUME_DRIVER, "there is no named volume for this driver", "")


RULES: dict[str, Rule] = {
    "volumes": _volumes,
    "volume_driver": _volume_driver,
}
