"""Jinja2 as Dusty uses it: templates are values, every name must be known, and lines keep their origin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from dusty_tasks.core.artifacts.traced import Artifact, Marks


class Templates:
    """Templates by name, compiled on first use."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)

    @cached_property
    def _environment(self) -> Any:
        import jinja2

        environment = jinja2.Environment(
            loader=jinja2.DictLoader(self.texts),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters.update(shell=shell_quoted, nginx=nginx_quoted)
        return environment

    def render(self, name: str, **variables: Any) -> Artifact:
        """The text of template `name`, and the origins that it marked with `origin(…)`."""
        marks = Marks()
        return marks.taken_out(self._environment.get_template(name).render(origin=marks.origin, **variables))


def shell_quoted(text: str) -> str:
    """One word of the POSIX shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def nginx_quoted(text: str) -> str:
    """One single-quoted parameter of an nginx config: a page on one line. `$` stays what it is: a variable."""
    one_line = re.sub(r"\s*\n\s*", "", text)
    return "'" + one_line.replace("\\", "\\\\").replace("'", "\\'") + "'"
