"""What values of Compose keys may look like, as Compose itself reads them: what it would refuse is a problem of the spec.

Each rule is as those of core/specs/rules: it takes a value, raises Wrong, and lets a value of another type through. Held against
the real program by tests/core/specs/test_as_compose_judges.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dusty_tasks.core.specs.rules import Wrong
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.safe import shown

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_BYTES = re.compile(r"-?[0-9]+|[0-9]+(?:\.[0-9]+)? ?(?:[bB]|[kKmMgGtTpP](?:[iI]?[bB])?)?")
_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|ms|s|m|h))+)")
_PULL_POLICY = re.compile(
    r"always|never|missing|if_not_present|build|daily|weekly|every_(?:[0-9]+(?:\.[0-9]+)?[wdhms])+"
)
_HEALTH_FORMS = ("CMD", "CMD-SHELL", "NONE")
_VOLUME_TYPES = ("bind", "volume", "tmpfs", "npipe", "cluster", "image")


def check_whole_number(value: Any) -> None:
    """A whole number, in quotes or not."""
    _in_range(value, None, None)


def check_count(value: Any) -> None:
    """A whole number from 0 up."""
    _in_range(value, 0, None)


def check_percent(value: Any) -> None:
    """A whole number from 0 to 100."""
    _in_range(value, 0, 100)


def check_oom_score(value: Any) -> None:
    """What the kernel takes as oom_score_adj."""
    _in_range(value, -1000, 1000)


def _in_range(value: Any, least: int | None, most: int | None) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return
    if not _WHOLE.fullmatch(str(value)):
        raise Wrong(Code.COMPOSE_VALUE, f"{shown(value)} is not a whole number")
    if (least is not None and int(value) < least) or (most is not None and int(value) > most):
        raise Wrong(
            Code.OUT_OF_RANGE,
            f"{shown(value)} is out of range",
            f"from {least}" + (f" to {most}" if most is not None else " up"),
        )


def check_number(value: Any) -> None:
    """A number, in quotes or not."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise Wrong(Code.COMPOSE_VALUE, f"{shown(value)} is not a number", "for example 0.5")


def check_bytes(value: Any) -> None:
    """An amount of memory: bytes, or a number with a unit."""
    if isinstance(value, str) and not _BYTES.fullmatch(value):
        raise Wrong(
            Code.BYTE_SIZE, f"{shown(value)} is not a size", "bytes, or a number with b, k, m or g, for example 512m"
        )


def check_memory(value: Any) -> None:
    """An amount of memory that is one."""
    check_bytes(value)
    if isinstance(value, str) and value.startswith("-"):
        raise Wrong(Code.BYTE_SIZE, f"{shown(value)} is not a size", "for example 512m")


def check_ssh_key(value: Any) -> None:
    """What the builder may use of ssh."""
    if isinstance(value, str) and value != "default" and "=" not in value:
        raise Wrong(Code.COMPOSE_VALUE, f"{shown(value)} is not a key of ssh", "default, or id=path")


def check_duration(value: Any) -> None:
    """A time as Go writes it."""
    if isinstance(value, str) and not _DURATION.fullmatch(value):
        hint = f"{value}s" if _NUMBER.fullmatch(value) else "a number with ms, s, m or h, for example 1m30s"
        raise Wrong(Code.DURATION, f"{shown(value)} is not a time", hint)


def check_pull_policy(value: Any) -> None:
    """When an image is pulled."""
    if isinstance(value, str) and not _PULL_POLICY.fullmatch(value):
        raise Wrong(
            Code.COMPOSE_VALUE,
            f"{shown(value)} is not a pull policy",
            "always, never, missing, build, daily, weekly or every_12h",
        )


def check_command_words(value: Any) -> None:
    """A command as one text: Compose splits it into words as a shell would."""
    import shlex

    if not isinstance(value, str):
        return
    try:
        shlex.split(value)
    except ValueError as error:
        raise Wrong(
            Code.SHELL_WORDS, f"{shown(value)} cannot be split into words: {str(error).lower()}", "close the quote"
        ) from None


def check_health_test(value: Any) -> None:
    """A healthcheck's test as a list says first what it is."""
    if isinstance(value, list) and value and value[0] not in _HEALTH_FORMS:
        raise Wrong(
            Code.COMPOSE_VALUE,
            f"{shown(value[0])} is not a kind of test",
            'a list begins with "CMD", "CMD-SHELL" or "NONE"',
        )


def check_extra_host(value: Any) -> None:
    """A name and its address."""
    if isinstance(value, str) and not re.fullmatch(r"[^:=]+[:=].+", value):
        raise Wrong(
            Code.COMPOSE_VALUE,
            f"{shown(value)} is not a name with its address",
            "name:address, for example db.test:10.0.0.2",
        )


def check_device(value: Any) -> None:
    """A device: source, target and what may be done with it."""
    if isinstance(value, str) and "=" not in value and not 1 <= len(value.split(":")) <= 3:
        raise Wrong(Code.COMPOSE_VALUE, f"{shown(value)} is not a device", "for example /dev/ttyUSB0:/dev/ttyUSB0:rwm")


def check_volume_type(value: Any) -> None:
    """What a volume is."""
    if isinstance(value, str) and value not in _VOLUME_TYPES:
        raise Wrong(Code.COMPOSE_VALUE, f"{shown(value)} is not a type of volume", "bind, volume or tmpfs")


COMPOSE_FORMATS: dict[str, Callable[[Any], None]] = {
    "whole_number": check_whole_number,
    "count": check_count,
    "percent": check_percent,
    "oom_score": check_oom_score,
    "number": check_number,
    "bytes": check_bytes,
    "memory": check_memory,
    "ssh_key": check_ssh_key,
    "duration": check_duration,
    "pull_policy": check_pull_policy,
    "command_words": check_command_words,
    "health_test": check_health_test,
    "extra_host": check_extra_host,
    "device": check_device,
    "volume_type": check_volume_type,
}
"""The `format` words of schemas/compose.json."""
