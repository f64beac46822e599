"""Artifacts as text that knows where each of its lines comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.specs.model import Origin
from dusty_tasks.core.text.memo import digest


class Span(NamedTuple):
    """Lines `first` to `last` of an artifact (from 1), the key they hold ('' outside of YAML), and what put them there."""

    first: int
    last: int
    key: str
    origin: Origin


def spans_from_json(data: Iterable[Any]) -> tuple[Span, ...]:
    """Spans again, from what json made of them."""
    return tuple(Span(first, last, key, Origin(file, tuple(path))) for first, last, key, (file, path) in data)


class Artifact(NamedTuple):
    text: str
    spans: tuple[Span, ...] = ()


class Traced(NamedTuple):
    """The spans of one artifact or of several, for whoever needs to look at them only if they are new."""

    key: str
    """Another one for other spans."""
    files: Sequence[str]
    """The spec files that they lead to."""
    spans: Callable[[], Mapping[str, Sequence[Span]]]
    """By artifact."""


def traced(artifacts: Mapping[str, Artifact]) -> Traced:
    """Artifacts that were just rendered."""
    spans = {path: artifact.spans for path, artifact in artifacts.items()}
    return Traced(digest(spans), sorted({file for found in spans.values() for file in files_of(found)}), lambda: spans)


def files_of(spans: Iterable[Span]) -> list[str]:
    """The spec files that spans lead to, sorted; settings have none."""
    return sorted({span.origin.file for span in spans} - {""})


# Control characters are refused anywhere in a spec (docs/specs.md), so a mark can be nothing but a mark.
_MARK = re.compile("\0([0-9]*)\0")


class Marks:
    """Origins noted while a template is rendered, and found again in what came out.

    In a template, `{{ origin(file, key, …) }}` begins a span at its line, which lasts to the next mark; `{{ origin() }}`
    only ends the one before.
    """

    def __init__(self) -> None:
        self._origins: list[Origin] = []

    def origin(self, file: str | None = None, *path: str | int | Sequence[str | int]) -> str:
        """The mark for a spec key (`file` '' for a setting); parts of the key path may be lists themselves."""
        if file is None:
            return "\0\0"
        parts = ((part,) if isinstance(part, (str, int)) else part for part in path)
        self._origins.append(Origin(file, tuple(key for part in parts for key in part)))
        return f"\0{len(self._origins) - 1}\0"

    def taken_out(self, marked: str) -> Artifact:
        """The text without its marks, and the spans that they stood for."""
        parts = _MARK.split(marked)
        texts, numbers = parts[::2], parts[1::2]
        spans, line = [], 1 + texts[0].count("\n")
        for number, text in zip(numbers, texts[1:], strict=True):
            first, line = line, line + text.count("\n")
            if number:
                spans.append(
                    Span(
                        first,
                        max(first, line if text[-1:] not in ("\n", "") else line - 1),
                        "",
                        self._origins[int(number)],
                    )
                )
        return Artifact("".join(texts), tuple(spans))


Origins = dict[str, Origin]
"""Key in an artifact (`services.web.ports[0]`) -> what put the value there."""
