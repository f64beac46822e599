"""What doit itself says while it runs: nothing but the failures, each as its own sentence on stderr.

Steps print what they do; an up-to-date step is silent, and so is the name of a running one.
"""

from __future__ import annotations

import sys
from typing import Any

from doit.exceptions import TaskError, UnmetDependency
from doit.reporter import ConsoleReporter

from dusty_tasks.console import warn


class Quiet(ConsoleReporter):
    """A doit reporter for people: no task names, no `<stdout>` blocks, no traceback for what a user can cause."""

    desc = "failures only, each in its own words"

    def __init__(self, outstream: Any, options: Any) -> None:
        super().__init__(outstream, options)
        self.is_bug = False

    def execute_task(self, task: Any) -> None:
        """Nothing: the step says what it does."""

    def skip_uptodate(self, task: Any) -> None:
        """Nothing: a no-op is one line, the receipt."""

    def add_failure(self, task: Any, fail: Any) -> None:
        """Print a failure once; what failed only because of another failure is not said again."""
        if isinstance(fail, UnmetDependency):
            return
        if type(fail) is TaskError and fail.traceback:
            self.is_bug = True
            print(fail.get_msg(), file=sys.stderr)
            return
        warn(str(fail.message))

    def complete_run(self) -> None:
        """End with 3 after a bug; doit's own errors (a cycle, a lost file) are still said."""
        for message in self.runtime_errors:
            print(message, file=sys.stderr)
        if self.is_bug:
            raise SystemExit(3)
