"""The pages of all codes: one on a terminal, all in docs/errors.md."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.explained_containers import OF_CONTAINERS
from dusty_tasks.core.of_verbs.explained_files import OF_FILES
from dusty_tasks.core.of_verbs.explained_together import TOGETHER
from dusty_tasks.core.of_verbs.explanation import Explanation
from dusty_tasks.core.text.called import PLAIN, in_called_name
from dusty_tasks.core.text.codes import Code

_HEAD = f"""\
# Errors

Generated from the codes by `python -m dusty_tasks.cli.error_pages`; do not edit.

Every problem that Dusty finds in specs or settings has a code; `{PLAIN} explain` with that code prints its part of this page. A code keeps its meaning
for good. In the examples, a comment at the start of a line names the file."""


def explanations() -> dict[Code, Explanation]:
    """That of each code, in order of codes."""
    found = {**OF_FILES, **OF_CONTAINERS, **TOGETHER}
    return {code: found[code] for code in Code}


def as_text(code: Code) -> str:
    """The page of a code for a terminal."""
    title, text, wrong, right = explanations()[code]
    parts = [f"{code}: {title}", in_called_name(text.replace("`", ""))]
    parts += [f"Wrong:\n\n{_indented(wrong)}", f"Right:\n\n{_indented(right)}"] if wrong else []
    return "\n\n".join(parts)


def as_page() -> str:
    """docs/errors.md: all codes."""
    parts = [_HEAD]
    for code, (title, text, wrong, right) in explanations().items():
        parts.append(f"## {code}: {title}\n\n{text.replace('{dusty}', PLAIN)}")
        if wrong:
            parts.append(f"Wrong:\n\n```yaml\n{wrong.strip()}\n```\n\nRight:\n\n```yaml\n{right.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip().splitlines())
