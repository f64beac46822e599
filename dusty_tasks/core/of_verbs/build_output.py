"""What a builder prints, read line by line: which step it is at, and which one failed with which last lines.

Two builders print differently: BuildKit (`#6 [web 3/3] RUN make`, `#6 0.25 output`, `#6 ERROR: …`) runs steps side by side and numbers
each line; the former one (`Step 3/3 : RUN make`, output, `The command … returned a non-zero code: 2`) runs one after the other.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

KEPT = 30
"""Last lines of a failed step that are shown."""

_BUILDKIT = re.compile(r"#(\d+) (.*)")
_OUTPUT = re.compile(r"\d+\.\d+ ?(.*)")
_TITLE = re.compile(r"\[(?:(\S+) )?(?:(\S+) )?(\d+)/(\d+)\] (.*)")
_CLASSIC = re.compile(r"Step (\d+)/(\d+) : (.*)")
_CLASSIC_NOISE = re.compile(
    r" ---> |Removing intermediate container |Successfully (?:built|tagged) |Sending build context "
)
_STATUS = re.compile(r"(?:exit code|non-zero code): (\d+)")


class Step(NamedTuple):
    """One step of a build."""

    title: str
    """`RUN make`"""
    number: str
    """`3 of 5`, or '' for what is none of the Dockerfile's lines."""
    name: str = ""
    """What is built, where the builder says so: the container."""

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.name, f"step {self.number}" if self.number else "")))
        return f"{where}: {self.title}" if where else self.title


class FailedStep(NamedTuple):
    step: Step
    status: int | None
    """Of the command that failed; None where the step failed otherwise."""
    reason: str
    """What the builder said of it."""
    last_lines: tuple[str, ...]


class BuildOutput:
    """The lines so far."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._lines: dict[str, deque[str]] = {}
        self._errors: dict[str, str] = {}
        self._current = ""
        self._last_words = ""
        """Of the former builder, on stderr: it may be read before the step that it is about, which is the last one that began."""

    def read(self, line: str) -> Step | None:
        """Take in one line; the step that begins with it, if one does that a person wrote."""
        numbered, classic = _BUILDKIT.match(line), _CLASSIC.match(line)
        if numbered:
            return self._read_numbered(numbered[1], numbered[2])
        if classic:
            self._current = classic[1]
            return self._begin(classic[1], Step(classic[3].strip(), f"{classic[1]} of {classic[2]}"))
        if " returned a non-zero code: " in line:
            self._last_words = line
        elif self._current and not _CLASSIC_NOISE.match(line):
            self._add(self._current, line)
        return None

    def _read_numbered(self, key: str, rest: str) -> Step | None:
        title, output = _TITLE.match(rest), _OUTPUT.match(rest)
        if title and key not in self._steps:
            # `[web 3/3]`; with stages `[web base 3/3]`, or `[base 3/3]` where a single image is built.
            return self._begin(key, Step(title[5], f"{title[3]} of {title[4]}", title[1] or ""))
        if rest.startswith("[") and key not in self._steps:
            self._steps[key] = Step(rest.partition("] ")[2] or rest, "")
        elif output:
            self._add(key, output[1])
        elif rest.startswith("ERROR: "):
            self._errors[key] = rest.removeprefix("ERROR: ")
        return None

    def _begin(self, key: str, step: Step) -> Step:
        self._steps[key] = step
        return step

    def _add(self, key: str, text: str) -> None:
        # A progress bar draws over itself: its last state is what a person would have seen.
        self._lines.setdefault(key, deque(maxlen=KEPT)).append(text.rstrip("\r").rpartition("\r")[2])

    def failed(self) -> FailedStep | None:
        """The step that failed; None if none did, or the builder gave up for another reason. Those that it cancelled therefore do not count."""
        errors = {**self._errors, **({self._current: self._last_words} if self._last_words else {})}
        for key, reason in errors.items():
            if key in self._steps and reason.lower() not in ("canceled", "context canceled"):
                status = _STATUS.search(reason)
                lines = list(self._lines.get(key, ()))
                while lines and not lines[-1].strip():
                    lines.pop()
                return FailedStep(self._steps[key], int(status[1]) if status else None, reason, tuple(lines))
        return None


def failure_text(failed: FailedStep) -> str:
    """The failed step for a person, its last lines below."""
    how = f"exited with status {failed.status}" if failed.status is not None else f"failed: {failed.reason}"
    lines = "".join(f"\n    {line}" for line in failed.last_lines)
    printed = f"; its last lines:{lines}" if lines else ", and it printed nothing" if failed.status is not None else ""
    return f"{failed.step} {how}{printed}"
