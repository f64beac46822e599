"""The docs as a site: built strictly (each link and heading that a page names is there), and their examples are what they say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.cli.parsing import parse
from dusty_tasks.core.of_verbs.explanation import files_of
from dusty_tasks.verbs.table import BY_NAME, meant

ROOT = Path(__file__).resolve().parent.parent
HOWTO = (ROOT / "docs/howto.md").read_text()
BLOCKS = re.findall(r"```yaml\n(# \w+/.*?)```", HOWTO, re.DOTALL)


def test_the_site_builds_without_a_warning_and_can_be_searched(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="requirements-dev.txt is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "WARNING" not in done.stderr, (
        done.stdout + done.stderr
    )  # --quiet would count no warning
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert pages <= {path.stem for path in tmp_path.glob("*.html")}
    assert "Postgres with data" in next((tmp_path / "search").glob("search_index.js*")).read_text()


@pytest.mark.parametrize("block", BLOCKS, ids=[block.split("\n", 1)[0] for block in BLOCKS])
def test_the_specs_of_a_howto_have_no_problem(block: str, tmp_path: Path) -> None:
    for path, text in files_of(block).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    session.forget()
    _specs, problems = session.read_whole_specs(str(tmp_path))
    assert list(map(str, problems)) == []


@pytest.mark.parametrize("page", ["index.md", "howto.md"])
def test_the_commands_of_a_page_are_commands(page: str) -> None:
    typed = re.findall(r"^    (?:\./)?dusty (.+)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    assert typed
    for words in typed:
        name, *rest = shlex.split(words, comments=True)
        parse(BY_NAME[meant(name)[0]], rest)
