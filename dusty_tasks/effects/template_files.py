"""The templates of templates/, read as values."""
from __future__ import annotations

from functools import cache

from dusty_tasks import resources


@cache
def read_templates() -> dict[str, str]:
    """Name below templates/ -> text."""
    folder = resources.folder("templates")
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*")) if path.is_file()}
