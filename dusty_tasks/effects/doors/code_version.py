"""Which code of ours a cache was written by."""

from __future__ import annotations

from functools import cache

from dusty_tasks import resources
from dusty_tasks.core.text.memo import digest
from dusty_tasks.effects.doors.file_states import tree_states


@cache
def code_version() -> str:
    """Changes with all that decides what specs and settings mean and what is made of them: core, templates and schemas, by file state.

    A cache whose key holds it is never read by other code than wrote it, whatever moves to another module.
    """
    folders = (str(resources.PACKAGE / "core"), str(resources.folder("templates")), str(resources.folder("schemas")))
    return digest([state for folder in folders for state in tree_states(folder) if not state[0].endswith(".pyc")])
