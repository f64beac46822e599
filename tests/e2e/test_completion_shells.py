"""TAB in the shells themselves: fish and zsh really offer the names (bash is tried among the fast tests)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.known_specs import keep_documents

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ("bundle", "shop", {}),
    ("bundle", "my bundle", {}),
    ("app", "web", {"scripts": [{"name": "reset"}, {"name": "load"}]}),
]

ZSH = r"""
zmodload zsh/zpty
zpty -b shell zsh -f
zpty -w shell "PS1=; autoload -Uz compinit; compinit -u -D; source <(dusty completion zsh); bindkey '^I' complete-word; echo REA''DY"
zpty -r shell printed '*READY*'
zpty -n -w shell "$1"$'\t'
zpty -r shell printed "*$2*"
"""


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """`dusty` on PATH, and a DUSTY_HOME whose specs were read once."""
    keep_documents(tmp_path / "home", DOCUMENTS)
    program = tmp_path / "bin/dusty"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dusty_tasks "$@"\n')
    program.chmod(0o755)
    return {
        **os.environ,
        "HOME": str(tmp_path),
        "DUSTY_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "TERM": "xterm",
    }


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("dusty bundles activate ", ["my bundle", "shop"]),
        ("dusty scripts web r", ["reset"]),
        ("dusty vers", ["version\tshow the versions of Dusty and of what it uses"]),
        ("dusty cp /etc/hostnam", ["/etc/hostname"]),
    ],
    ids=str,
)
def test_fish_offers_what_fits(surroundings: dict[str, str], typed: str, wanted: list[str]) -> None:
    ended = subprocess.run(
        ["fish", "-c", "dusty completion fish | source; complete -C $argv[1]", typed],
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout.splitlines() == wanted


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("dusty bundles activate m", r"my\\ bundle"),
        ("dusty scripts web r", "web reset"),
        ("dusty vers", "dusty version"),
        ("dusty cp /etc/hostnam", "/etc/hostname"),
    ],
    ids=str,
)
def test_zsh_completes_the_word(surroundings: dict[str, str], typed: str, completed: str) -> None:
    subprocess.run(
        ["zsh", "-f", "-c", ZSH, "zsh", typed, completed],
        env=surroundings,
        check=True,
        timeout=60,
        stdout=subprocess.DEVNULL,
    )
