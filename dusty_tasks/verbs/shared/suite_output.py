"""Where the output of test suites goes, and what `dusty test --json` says of them at the end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from dusty_tasks.console import has_colour
from dusty_tasks.verbs.shared.printed import Printed

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost
    from dusty_tasks.operations.suites.run import SuiteResult


class Output:
    """Our own streams; of several suites at once, line by line after the suite's name; beside a document, all of it on stderr."""

    def __init__(
        self, suite_names: Sequence[str], host: DockerHost, *, is_shared: bool, has_document: bool = False
    ) -> None:
        from dusty_tasks.core.of_verbs.log_lines import prefixes

        self.is_shared, self._env = is_shared, host.engine_environment()
        self._lock = threading.Lock()
        self._prefixes = prefixes(suite_names, has_colour()) if is_shared else dict.fromkeys(suite_names, b"")
        self.printed = {name: Printed(self._prefixes[name], self._lock) for name in suite_names if has_document}
        """By suite; empty if there is no document."""

    def attach(self, suite_name: str) -> Callable[[Sequence[str]], int]:
        """What runs the attached `docker start` of this suite."""
        from dusty_tasks.effects.doors.process import run_attached, run_by_lines

        if printed := self.printed.get(suite_name):
            return lambda argv: run_by_lines(argv, printed.hear, printed.hear, env=self._env)
        if not self.is_shared:
            return lambda argv: run_attached(argv, env=self._env)
        return lambda argv: self._prefixed(argv, self._prefixes[suite_name])

    def _prefixed(self, argv: Sequence[str], prefix: bytes) -> int:
        from dusty_tasks.console import binary_stream
        from dusty_tasks.effects.doors.process import run_by_lines

        def writer(out: BinaryIO) -> Callable[[bytes], None]:
            def write(line: bytes) -> None:
                with self._lock:
                    out.write(prefix + line.removesuffix(b"\n") + b"\n")
                    out.flush()

            return write

        return run_by_lines(argv, writer(binary_stream(sys.stdout)), writer(binary_stream(sys.stderr)), env=self._env)


def facts_of(
    target_name: str, results: Iterable[SuiteResult], output: Output, warnings: Sequence[str]
) -> dict[str, Any]:
    """How suites ended, as in schemas/output/test.json."""
    suites = [
        {
            "name": result.suite_name,
            "result": "failed" if result.code else "passed",
            "exit_code": result.code,
            "seconds": round(result.seconds, 2),
            "reused": result.is_reused,
            "results": result.results_path,
            "printed": output.printed[result.suite_name].lines,
        }
        for result in results
    ]
    code = max((suite["exit_code"] for suite in suites), default=0)
    return {"ok": code == 0, "exit_code": code, "target": target_name, "suites": suites, "warnings": [*warnings]}
