"""The benchmarks run outside of ./check; that they still find what they import is seen here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = sorted(
    path for path in (Path(__file__).parent.parent / "bench").iterdir() if not path.suffix and path.is_file()
)


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.name)
def test_a_bench_starts(bench: Path) -> None:
    done = subprocess.run([sys.executable, bench, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage:")
