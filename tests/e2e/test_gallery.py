"""The stacks of examples/gallery, started as their READMEs say; images that no registry gives here are made from Debian's packages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import images as rig_images
import pytest
from machine import CACHE, CLEAN_PATH
from shell_blocks import commands_in

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "examples/gallery"
BASE = (
    "base-files",
    "base-passwd",
    "bash",
    "coreutils",
    "dash",
    "findutils",
    "grep",
    "hostname",
    "libc-bin",
    "procps",
    "sed",
    "tar",
)

NPM = """\
#!/bin/sh
# Stands in for npm where no registry answers: Debian's packages.
mkdir -p node_modules && ln -sfn /usr/share/nodejs/* node_modules/
"""
POSTGRES = """\
#!/bin/sh
set -e
data=/var/lib/postgresql/data
as="setpriv --reuid 999 --regid 999 --clear-groups"
grep -q ^postgres: /etc/passwd || echo postgres:x:999:999::/tmp:/bin/sh >>/etc/passwd
mkdir -p $data && chown 999:999 $data && chmod 700 $data
if [ ! -s $data/PG_VERSION ]; then
    $as initdb -D $data -A trust -U "$POSTGRES_USER" >/dev/null
    echo "host all all all trust" >>$data/pg_hba.conf
    echo "CREATE DATABASE $POSTGRES_DB;" | $as postgres --single -D $data postgres >/dev/null
fi
exec $as postgres -D $data -k /tmp -c listen_addresses='*'
"""


def typed(rig, folder: Path, page: Path) -> list[str]:
    """What the commands of a README print, each run at the top of the checkout as its reader would."""
    home = folder / "home"
    home.mkdir()
    path = f"{ROOT}:{CLEAN_PATH}"
    printed = []
    for line in [line for block in commands_in(page) for line in block]:
        # There is no terminal here: the questions are answered by --yes.
        answered = re.sub(r"^(dusty (?:setup|up)\b.*)", r"\1 --yes", line)
        env = {"HOME": str(home), "DUSTY_HOME": str(rig.home), "PATH": path}
        printed.append(rig.run(["sh", "-ec", answered], cwd=ROOT, env=env).stdout)
    return printed


def eventually(ask: Callable[[], object], wanted: object, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while (found := ask()) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.1)


def made(rig, folder: Path, packages: tuple[str, ...], images: Mapping[str, tuple[dict[str, str], str]]) -> None:
    """Images from Debian's packages: by name the programs in /usr/local/bin, and the lines of a Dockerfile below them."""
    base = f"gallery-{folder.name.lower()}:base"
    rig.machine.load_image(rig_images.archive(CACHE, (*BASE, *packages)), base)
    for name, (programs, lines) in images.items():
        context = folder / re.sub(r"\W", "-", name)
        (context / "bin").mkdir(parents=True)
        for program, text in programs.items():
            (context / "bin" / program).write_text(text)
            (context / "bin" / program).chmod(0o755)
        (context / "Dockerfile").write_text(f"FROM {base}\nCOPY bin/ /usr/local/bin/\n{lines}\n")
        rig.run(["docker", "build", "-q", "-t", name, str(context)])


def test_a_monorepo(rig, tmp_path: Path) -> None:
    page = typed(rig, tmp_path, GALLERY / "monorepo/README.md")[-1]
    assert re.fullmatch(r"ticks: \d+\n", page)
    eventually(lambda: rig.get("http://counter.example.test/")[1] != page, True)
    before = rig.container_ids()
    (tmp_path / "home/mono/code/worker/count.py").write_text(
        "print('idle', flush=True)\nimport time\ntime.sleep(1000)\n"
    )
    rig.dusty("up", "--no-pull")
    after = rig.container_ids()
    assert [name for name in before if before[name] != after[name]] == ["dusty_counter-worker_1"]


@pytest.mark.long
def test_node_and_postgres(rig, tmp_path: Path) -> None:
    tools = "RUN for f in /usr/lib/postgresql/*/bin/*; do ln -s $f /usr/local/bin/; done"
    made(
        rig,
        tmp_path,
        ("nodejs", "node-pg", "postgresql", "util-linux"),
        {
            "node:22-bookworm-slim": ({"npm": NPM}, ""),
            "postgres:17": ({"serve": POSTGRES}, f'{tools}\nENTRYPOINT ["serve"]'),
        },
    )
    page = typed(rig, tmp_path, GALLERY / "node-postgres/README.md")[-1]
    assert page == "Notes:\n- Buy milk\n"
    rig.dusty("down")
    rig.dusty("up", "--no-pull")
    assert rig.get("http://notes.example.test/") == (200, page), "the data outlives the containers"


@pytest.mark.long
def test_go_and_a_queue(rig, tmp_path: Path) -> None:
    made(
        rig,
        tmp_path,
        ("golang-1.19-go",),
        {"golang:1.23-bookworm": ({}, "RUN ln -s /usr/lib/go-1.19/bin/go /usr/local/bin/go")},
    )
    added, _ = typed(rig, tmp_path, GALLERY / "go-queue/README.md")[-2:]
    assert added == "added hello\n"
    eventually(lambda: rig.get("http://jobs.example.test/")[1], "last done: olleh\n")
