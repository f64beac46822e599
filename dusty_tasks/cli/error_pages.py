"""docs/errors.md, made from the codes: `python -m dusty_tasks.cli.error_pages` rewrites it."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.error_pages import as_page
from dusty_tasks.resources import PACKAGE

PATH = PACKAGE.parent / "docs" / "errors.md"


def main() -> None:
    """Rewrite the page."""
    PATH.write_text(as_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
