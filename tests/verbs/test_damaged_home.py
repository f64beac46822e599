"""Files of Dusty's own that are not what it left: healed or named, with a way out; nothing hangs, nothing is a bug."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import json_outputs
import pytest
from chosen import SPECS

ROOT = Path(__file__).resolve().parents[2]
HANG = 60


def fill_folder(path: Path) -> None:
    path.mkdir()
    (path / "theirs").write_text("theirs")


DAMAGES: dict[str, Callable[[Path, bytes], object]] = {
    "emptied": lambda path, _data: path.write_bytes(b""),
    "cut": lambda path, data: path.write_bytes(data[: len(data) // 2]),
    "random": lambda path, _data: path.write_bytes(
        bytes((31 * number * number + 7 * number) % 251 for number in range(300))
    ),
    "null": lambda path, _data: path.write_text("null"),
    "nested": lambda path, _data: path.write_text("[[{}]]"),
    "a folder": lambda path, _data: (path.unlink(), fill_folder(path)),
    "an empty folder": lambda path, _data: (path.unlink(), path.mkdir()),
    "a pipe": lambda path, _data: (path.unlink(), os.mkfifo(path)),
    "a link to a device": lambda path, _data: (path.unlink(), path.symlink_to("/dev/zero")),
    "a link to itself": lambda path, _data: (path.unlink(), path.symlink_to(path)),
}


class Home:
    """A compiled DUSTY_HOME that is put back after each damage."""

    def __init__(self, folder: Path) -> None:
        self.path, self._kept, specs = folder / "home", folder / "kept", folder / "specs"
        for name, text in SPECS.items():
            (specs / name).parent.mkdir(parents=True, exist_ok=True)
            (specs / name).write_text(
                "\n".join(line[8:] if line.startswith("        ") else line for line in text.splitlines())
            )
        self.path.mkdir()
        (self.path / "config.yml").write_text(f"specs_repo: {specs}\n")
        for words in (["bundles", "activate", "shop"], ["compile"], ["compile"], ["status"]):
            ended = self.dusty(*words)
            assert ended.returncode == (2 if words == ["status"] else 0), ended.stderr  # there is no engine
        shutil.copytree(self.path, self._kept, symlinks=True)
        self.files = sorted(
            str(path.relative_to(self.path))
            for path in self.path.rglob("*")
            if path.is_file() and "config.git" not in path.parts
        )

    def dusty(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "DUSTY_HOME": str(self.path), "DOCKER_HOST": "unix:///nowhere/docker.sock"}
        ended = subprocess.run(
            [sys.executable, "-m", "dusty_tasks", *words],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=HANG,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        json_outputs.checked(words, ended.stdout)
        return ended

    def restore(self) -> None:
        shutil.rmtree(self.path)
        shutil.copytree(self._kept, self.path, symlinks=True)

    def faults(self, file: str, damage: str) -> list[str]:
        """What does not hold with `file` damaged so."""
        self.restore()
        path = self.path / file
        DAMAGES[damage](path, path.read_bytes())
        found = []
        for words in (("compile",), ("status",), ("config", "set", "up.wait", "45")):
            what = f"{file} {damage}, {' '.join(words)}"
            try:
                ended = self.dusty(*words)
            except subprocess.TimeoutExpired:
                found.append(f"{what}: hangs")
                continue
            if ended.returncode not in (0, 1, *((2,) if words == ("status",) else ())) or "Traceback" in ended.stderr:
                found.append(f"{what}: ended with {ended.returncode}: {ended.stderr}")
            elif words == ("status",) and path.name != "config.yml":
                continue
            elif ended.returncode and path.name not in ended.stderr:
                found.append(f"{what}: does not name it: {ended.stderr}")
            elif ended.returncode and damage.startswith(("a ", "an ")) and "hint: " not in ended.stderr:
                found.append(f"{what}: names no way out: {ended.stderr}")
        if damage == "a folder" and not (path / "theirs").exists():
            found.append(f"{file}: what was in the folder is gone")
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("damaged"))


def test_each_file_damaged_in_some_way_and_in_each_way_some_file(home: Home) -> None:
    ways = list(DAMAGES)
    wrong = [
        fault for number, file in enumerate(home.files) for fault in home.faults(file, ways[number * 3 % len(ways)])
    ]
    assert not wrong, "\n".join(wrong)
    assert len(home.files) > 20


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_file_damaged_in_each_way(home: Home) -> None:
    wrong = [fault for file in home.files for damage in DAMAGES for fault in home.faults(file, damage)]
    assert not wrong, "\n".join(wrong)
