"""Commands for a machine whose login shell may be anybody's: sh, csh, fish. Pure."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterable

BEGIN = "dusty: begin"
"""Printed right before a command's own output: what comes earlier is the login shell's."""
_TOLD_APART = re.compile(r"[\n\r!\\]")
"""Within single quotes csh ends at a newline and looks for history behind `!`; a backslash is something else to fish than to sh."""


def command_for_any_shell(argv: Iterable[str]) -> str:
    """One line that every login shell takes for the same words."""
    joined = shlex.join(argv)
    if not _TOLD_APART.search(joined):
        return joined
    encoded = base64.b64encode(f"exec {joined}".encode("utf-8", "surrogateescape")).decode()
    return f"""exec sh -c 'eval "$(echo {encoded} | base64 -d)"'"""


def with_begin(command: str) -> str:
    """The command, which says where its output begins."""
    return f"echo {shlex.quote(BEGIN)}; {command}"


def own_output(printed: str) -> tuple[str, str]:
    """(what the command printed, what the login shell had printed before it)."""
    before, found, own = printed.partition(f"{BEGIN}\n")
    return (own, before) if found else (printed, "")
