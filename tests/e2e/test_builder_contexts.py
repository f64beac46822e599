"""What we take for part of a build context is what the real builder takes: random .dockerignore files, each in a real build."""

from __future__ import annotations

import io
import json
import os
import random
import stat
import tarfile
from pathlib import Path

from dusty_tasks.core.code.dockerignore import Ignored, cleaned, read_patterns
from dusty_tasks.effects.engine.build_contexts import entries_of
from tests.e2e.conftest import Rig

FILES = (
    "a",
    "b",
    "A",
    "ab",
    "a.md",
    ".git/x",
    "d/a",
    "d/ab",
    "d/b.md",
    "d/e/a",
    "d/e/b",
    "d/e/f/a.md",
    "e/a",
    "e/d/a",
    "x y/a",
    "[a]",
    "a*",
    "é/a",
    "#h",
    "!n",
    "node_modules/m/i.js",
    "d/node_modules/m",
    "-a",
    "a+b",
    "d.e/a",
    "deep/down/there/keep",
    "deep/down/b",
)
PIECES = (
    "a",
    "b",
    "d",
    "e",
    "f",
    "ab",
    ".md",
    "A",
    "*",
    "*",
    "**",
    "**/",
    "/**",
    "?",
    "/",
    "/",
    "[ab]",
    "[a-e]",
    "[^a]",
    "[*]",
    "[?]",
    "\\a",
    "\\*",
    "\\d",
    "\\w",
    "\\[",
    ".",
    "..",
    " ",
    "é",
    "node_modules",
    "m",
    "+",
    "$",
    "(",
    "{",
    "#",
    "!",
    "deep",
    "down",
    "keep",
    "-",
    ".git",
)
WRITTEN = (
    "",
    "a\n",
    "*\n!d\n",
    "*\n!d/e\n",
    "d\n!d/e/a\n",
    "d/*\n!d/e\n",
    "**/a\n",
    "**\n!**/keep\n",
    "*\n!**/*.md\n",
    "d\n!**/b\n",
    "**/*.md\n!d/e/f\n",
    "/a\n/d/\n",
    "./a\n../b\nd/../e\n",
    "a \n  b\t\n",
    "#a\n #h\n",
    "\ufeffa\n",
    "a\r\nb\r\n",
    "!a\na\n",
    "a\n!a\na\n",
    "A\n",
    "d/e/**\n",
    "d/**/a\n",
    "**d\n",
    "d**\n",
    "*/a\n",
    "*/*\n!*/a\n",
    "?\n",
    "[!a]\n",
    "\\!n\n",
    "! a\n*\n",
    "node_modules\n",
    "**/node_modules/\n",
    "/\n",
    ".\n",
    "d/e\n!d\n",
    "d/e/f\n!d/e\nd\n",
    "deep\n!deep/down/there\n",
    "*\n!deep/*/there/keep\n",
    "Dockerfile\n.dockerignore\n",
    "**/.*\n",
)


def random_ignore_file(chosen: random.Random) -> str:
    lines = []
    for _line in range(chosen.randint(1, 5)):
        text = "".join(chosen.choice(PIECES) for _piece in range(chosen.randint(1, 5)))
        lines.append(chosen.choice(("", "", "", "!", "/")) + text)
    return "\n".join(lines) + "\n"


def is_accepted(text: str) -> bool:
    """False where the builder refuses it: an exception from nothing."""
    return "!" not in map(cleaned, read_patterns(text.encode()))


def write_context(folder: Path, ignore_file: str, name: str = ".dockerignore") -> None:
    for below in FILES:
        (folder / below).parent.mkdir(parents=True, exist_ok=True)
        (folder / below).write_text(below)
    (folder / "empty").mkdir()
    (folder / "link").symlink_to("d")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (folder / name).write_text(ignore_file)


def build_all(rig: Rig, root: Path, ignore_files: list[str]) -> list[set[str]]:
    """What each image holds: files, links, and folders that have nothing in them."""
    for number, text in enumerate(ignore_files):
        write_context(root / str(number), text)
    services = {
        f"s{number}": {"build": {"context": str(root / str(number))}, "image": f"ctx:{number}"}
        for number in range(len(ignore_files))
    }
    (root / "compose.yml").write_text(json.dumps({"services": services}))
    found = []
    for first in range(0, len(ignore_files), 20):
        numbers = range(first, min(first + 20, len(ignore_files)))
        done = rig.run(
            [
                "docker",
                "compose",
                "-f",
                str(root / "compose.yml"),
                "build",
                "--quiet",
                *(f"s{number}" for number in numbers),
            ],
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        archive = root / "images.tar"
        rig.run(["docker", "save", "-o", str(archive), *(f"ctx:{number}" for number in numbers)])
        found += [paths_in(archive, f"ctx:{number}") for number in numbers]
        rig.run(["docker", "rmi", "--force", *(f"ctx:{number}" for number in numbers)])
        archive.unlink()
    return found


def paths_in(archive: Path, image: str) -> set[str]:
    with tarfile.open(archive) as saved:
        manifest = json.load(saved.extractfile("manifest.json"))  # type: ignore[arg-type]
        layers = next(entry["Layers"] for entry in manifest if image in entry["RepoTags"])
        members: dict[str, bool] = {}
        for layer in layers:
            with tarfile.open(fileobj=io.BytesIO(saved.extractfile(layer).read())) as opened:  # type: ignore[union-attr]
                members |= {member.name.rstrip("/"): member.isdir() for member in opened}
    return leaves(members)


def leaves(members: dict[str, bool]) -> set[str]:
    parents = {name.rpartition("/")[0] for name in members}
    return {
        name + "/" * is_folder for name, is_folder in members.items() if name and not (is_folder and name in parents)
    }


def ours(folder: Path, ignore_file: str) -> set[str]:
    members = {
        entry.path: stat.S_ISDIR(entry.mode)
        for entry in entries_of(str(folder), Ignored(read_patterns(ignore_file.encode())))
    }
    return leaves(members)


def test_the_context_is_what_the_builder_takes(rig: Rig, tmp_path: Path) -> None:
    chosen = random.Random(11)
    made = [
        text
        for text in (random_ignore_file(chosen) for _number in range(1000 if os.environ.get("DUSTY_LONG") else 40))
        if is_accepted(text)
    ]
    ignore_files = [*WRITTEN, *made]
    for number, (text, taken) in enumerate(zip(ignore_files, build_all(rig, tmp_path, ignore_files), strict=True)):
        assert ours(tmp_path / str(number), text) == taken, text
