"""What an engine's or Compose's error at the start of a container means, and what the last lines of a program tell."""

from __future__ import annotations

import re
from typing import NamedTuple

from dusty_tasks.core.history.cause import CauseKind


class Told(NamedTuple):
    """A kind of cause, and the words for it."""

    kind: CauseKind
    words: str


_PORT = re.compile(r"(?:Bind for|listen tcp4?|listen udp4?)\s+\[?([0-9a-fA-F.:]+?)\]?:(\d+)\b")
_EXECUTED = re.compile(r'exec: \\?"([^"\\]+)\\?"')
_COMMAND_LACKS = re.compile(r"executable file not found|no such file or directory|not found in \$PATH", re.IGNORECASE)
_FORMAT = re.compile(r"exec format error", re.IGNORECASE)
_TAKEN = re.compile(r"port is already allocated|address already in use|EADDRINUSE", re.IGNORECASE)
_NO_IMAGE = re.compile(
    r"no such image|pull access denied|manifest (?:for .*|unknown.*) (?:not found|unknown)|manifest unknown"
    r"|repository does not exist|cannot be pulled|unable to find image|failed to resolve reference",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b|database or disk is full|\bdisk (?:is )?full\b"
    r"|errno[ =:]*28\b|not enough space on the (?:disk|device)|file system full",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"(?:^|[:\s'\"`])([\w./+-]+)['\"`]?: (?:command )?not found\s*$|can't open '?([\w./+-]+)'?|: ([\w./+-]+): No such file or directory"
)


def told_by_error(error: str) -> Told | None:
    """What an error at the start of a container says; None for an empty one."""
    text = " ".join(error.split())
    if not text:
        return None
    if _TAKEN.search(text):
        found = _PORT.search(text)
        port = f"port {found.group(2)} at {found.group(1)}" if found else "a port that it publishes"
        return Told(CauseKind.PORT_TAKEN, f"it cannot start: {port} is already in use")
    if _FORMAT.search(text):
        return Told(
            CauseKind.BAD_IMAGE,
            "it cannot start: its command was built for another processor architecture (exec format error)",
        )
    if _NO_IMAGE.search(text):
        return Told(CauseKind.BAD_IMAGE, f"its image cannot be pulled: {_last_part(text)}")
    command = _EXECUTED.search(text)
    if command and _COMMAND_LACKS.search(text):
        return Told(CauseKind.MISSING_COMMAND, f"it cannot start: its image has no command {command.group(1)}")
    if command and re.search("permission denied", text, re.IGNORECASE):
        return Told(CauseKind.MISSING_COMMAND, f"it cannot start: its command {command.group(1)} is not executable")
    if _FULL.search(text):
        return Told(CauseKind.DISK_FULL, f"it cannot start: the Docker host's disk is full ({_last_part(text)})")
    return Told(CauseKind.CANNOT_START, f"it cannot start: {_last_part(text)}")


def line_of_full_disk(printed: str) -> str:
    """The last line that says that a disk is full; '' if none does."""
    return _last_line(printed, _FULL)


def line_of_taken_port(printed: str) -> str:
    """The last line that says that a port is taken; '' if none does."""
    return _last_line(printed, _TAKEN)


def is_other_processor(printed: str) -> bool:
    """True if a program was refused because it is made for another processor."""
    return bool(_FORMAT.search(printed))


def missing_command(printed: str) -> str:
    """The command that a shell did not find, by its last words; '' if they name none."""
    for line in reversed(printed.splitlines()):
        found = _NOT_FOUND.search(line)
        if found:
            return next(group for group in found.groups() if group)
    return ""


def _last_line(printed: str, pattern: re.Pattern[str]) -> str:
    return next((line.strip() for line in reversed(printed.splitlines()) if pattern.search(line)), "")


def _last_part(text: str) -> str:
    """The end of a chain of errors, which says what happened: `a failed: b failed: no such device` -> `b failed: no such device`."""
    parts = text.removesuffix(": unknown").split(": ")
    return ": ".join(parts[-2:])[:300]
