"""Recorded screens: one folder a situation, tests/screens/<behaviour>/, in it all there is to know.

    show.py           prints the situation, from recorded values or from a run of Dusty; it is run with the repo's root on its path
    80.txt, 120.txt   what a terminal of so many columns and 24 lines then holds, what scrolled out first

Every screen is made on a real pty. `--bless` rewrites the texts with what came out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal_screen import Screen, on_terminal

ROOT = Path(__file__).resolve().parent.parent
SCREENS = ROOT / "tests/screens"
SITUATIONS = sorted(path.parent.name for path in SCREENS.glob("*/show.py"))
WIDTHS = (80, 120)


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}:{SCREENS}",
        "DUSTY_HOME": str(home / "dusty-home"),
        "HOME": "/home/ada",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }


def argv(situation: str) -> list[str]:
    return [sys.executable, "-X", "utf8", str(SCREENS / situation / "show.py")]


def shown(situation: str, columns: int, home: Path, **more: str) -> Screen:
    with on_terminal(argv(situation), columns, environment={**environment(home), **more}) as program:
        program.read()
        return program.screen


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_screen(situation: str, columns: int, bless: bool, tmp_path: Path) -> None:
    screen = shown(situation, columns, tmp_path)
    path = SCREENS / situation / f"{columns}.txt"
    if bless:
        path.write_text(screen.text)
        return
    assert screen.text == path.read_text()
    assert not screen.is_alternate and not screen.is_cursor_hidden


@pytest.mark.parametrize("situation", SITUATIONS)
def test_in_a_pipe_and_without_colours_no_code_is_sent(situation: str, tmp_path: Path) -> None:
    for more in ({"NO_COLOR": "1", "FORCE_HYPERLINK": "1"}, {"TERM": "dumb", "FORCE_HYPERLINK": "1"}):
        assert not shown(situation, 80, tmp_path, **more).colours
    piped = subprocess.run(
        argv(situation),
        env={**environment(tmp_path), "FORCE_HYPERLINK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "\x1b" not in piped.stdout + piped.stderr and piped.stdout + piped.stderr


def test_there_are_situations_enough_to_mean_something() -> None:
    assert len(SITUATIONS) >= 12
