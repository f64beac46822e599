"""The section of the hosts file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dusty_tasks.core.artifacts.templates import Templates
from dusty_tasks.core.artifacts.traced import Artifact, Span
from dusty_tasks.core.settings.slices import HostsSettings
from dusty_tasks.core.specs.model import Origin

BEGIN, END = "# BEGIN section for Dusty", "# END section for Dusty"


class HostName(NamedTuple):
    """A host_name, and the place that asks for it."""

    name: str
    file: str
    position: int


class HostsSlice(NamedTuple):
    names: tuple[HostName, ...]
    """In order of the routes; one may come more than once."""
    settings: HostsSettings


def joined(sections: Iterable[str]) -> str:
    """One section with the lines of all, each once."""
    lines = dict.fromkeys(line for text in sections for line in text.splitlines() if line not in (BEGIN, END))
    return "\n".join([BEGIN, *lines, END, ""])


def render_hosts(of: HostsSlice, _templates: Templates) -> Artifact:
    """A line for each address of each distinct host_name, in order of first use, between the two markers."""
    lines, spans = [BEGIN], []
    seen: set[str] = set()
    for name, file, position in of.names:
        if name not in seen:
            seen.add(name)
            first = len(lines) + 1
            lines += [f"{address} {name}" for address in of.settings.hosts_addresses]
            spans.append(Span(first, len(lines), name, Origin(file, ("host_forwarding", position, "host_name"))))
    return Artifact("\n".join([*lines, END, ""]), tuple(spans))
