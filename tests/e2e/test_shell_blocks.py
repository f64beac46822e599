"""The shell blocks of the README and of the tour of the docs, each command run as its reader would type it, on one machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from machine import CLEAN_PATH
from shell_blocks import commands_in

ROOT = Path(__file__).resolve().parents[2]

NOT_HERE = {
    "git clone <this repo> dusty && cd dusty": "the machine has no network, and this is the checkout",
    "dusty setup --specs-repo github.com/acme/specs": "an example of a name; the machine has no network",
    "dusty bundles activate shop": "a bundle of those specs",
    "dusty bundles activate shop && dusty up": "a bundle of those specs",
}
"""Commands that cannot run on a test machine, with the reason."""
INSTEAD = {
    "$EDITOR ~/src/quotes/quotes.py": "echo '# edited' >> ~/src/quotes/quotes.py",
    "dusty up": "dusty up --yes",
    "dusty bundles activate --only example && dusty up": "dusty bundles activate --only example && dusty up --yes",
    "dusty shell board": "dusty shell board true",
}
"""What stands for a command that needs a person."""
UNTIL_STOPPED = ("dusty dev", "dusty logs")
"""Commands that go on until ^C: they get it after some seconds."""
SECONDS = 4


def run(rig, home: Path, line: str) -> str:
    """One command of a page; what it printed."""
    line = line.replace("./dusty", "dusty")
    if line in NOT_HERE:
        return ""
    line = INSTEAD.get(line, line)
    goes_on = line == "dusty dev" or (line.startswith(UNTIL_STOPPED) and " -f" in line)
    if goes_on:
        line = f"timeout --signal INT {SECONDS} {line}"
    env = {"HOME": str(home), "DUSTY_HOME": str(home / ".dusty"), "PATH": f"{ROOT}:{CLEAN_PATH}"}
    done = rig.run(["sh", "-ec", line], cwd=home / "specs", env=env, check=False)
    assert done.returncode in ((0, 124, 130) if goes_on else (0,)), f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.long
def test_each_shell_block_runs(rig, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "specs").mkdir(parents=True)
    readme = [line for block in commands_in(ROOT / "README.md", end="## Tests and benchmarks") for line in block]
    tour = [line for block in commands_in(ROOT / "docs/index.md") for line in block]
    assert len(readme) > 15 and len(tour) > 8
    printed = {line: run(rig, home, line) for line in [*readme, *tour]}
    started = printed["./dusty up --yes"]
    assert "http://board.example.test/" in started
    assert "board" in printed["./dusty status"]
    assert (home / "specs/.schemas/app.json").exists()
    unknown = {*NOT_HERE, *INSTEAD} - {line.replace("./dusty", "dusty") for line in [*readme, *tour]}
    assert not unknown, "what the pages no longer have"
