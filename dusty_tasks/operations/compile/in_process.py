"""Compile in this process, without doit: the same steps, each skipped where its inputs and what it left are as they were."""

from __future__ import annotations

import gc
import json
from typing import Any

from dusty_tasks import session
from dusty_tasks.effects.doors.files import read_bytes, write_if_changed
from dusty_tasks.operations.compile.steps import compile_steps, compiling

KEPT = "compiled.json"
"""In state/: what each step's inputs and outputs were when it ended here last. doit keeps its own."""


def compile_now() -> tuple[str, ...]:
    """Make the artifacts of what is active; what was written or removed, by its path below build/. Raises Failure."""
    path = session.paths().kept(KEPT)
    kept = before = _read(path)
    try:
        for step in compile_steps():
            if step.checked.is_as_left(kept.get(step.name, {})):
                continue
            kept = {name: values for name, values in kept.items() if name != step.name}
            step.act()
            kept[step.name] = step.checked.left()
    finally:
        gc.unfreeze()  # The steps leave what they made out of later collections, which a process with many runs cannot.
        if kept != before:
            write_if_changed(path, json.dumps(kept).encode())
    return tuple(compiling().changed)


def _read(path: str) -> dict[str, dict[str, Any]]:
    """A cache: lost or damaged, each step is done once more."""
    try:
        found = json.loads(read_bytes(path) or b"{}")
        return {str(name): dict(values) for name, values in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
