"""The templates of templates/."""

from __future__ import annotations

from functools import cache

from dusty_tasks import resources
from dusty_tasks.core.artifacts.templates import Templates


@cache
def read_templates() -> Templates:
    """All templates, by their name below templates/."""
    folder = resources.folder("templates")
    return Templates(
        {
            str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    )
