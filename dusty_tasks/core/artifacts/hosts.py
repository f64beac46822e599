"""The section of the hosts file."""

from __future__ import annotations

from dusty_tasks.core.artifacts.traced import Artifact, Span
from dusty_tasks.core.specs.model import Origin
from dusty_tasks.core.stack.model import Stack, file_of

BEGIN, END = "# BEGIN section for Dusty", "# END section for Dusty"


def render_hosts(stack: Stack, address: str) -> Artifact:
    """build/hosts: one line for each distinct host_name, in order of first use, between the two markers."""
    lines, spans = [BEGIN], []
    seen: set[str] = set()
    for route in stack.routes:
        if route.host_name not in seen:
            seen.add(route.host_name)
            lines.append(f"{address} {route.host_name}")
            origin = Origin(file_of(stack, route.app_name), ("host_forwarding", route.index, "host_name"))
            spans.append(Span(len(lines), len(lines), route.host_name, origin))
    return Artifact("\n".join([*lines, END, ""]), tuple(spans))
