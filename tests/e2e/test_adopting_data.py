"""`dusty disk adopt`: the data of a former stack goes on in the service that its import made."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from stacks import SmallStack

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = """\
services:
  db:
    image: busybox:1
    command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]
    volumes: ["data:/data", "./files:/files"]
volumes: {data: {}}
"""


def inside(rig: Any, script: str, name: str = "dusty_db_1") -> str:
    return rig.run(["docker", "exec", name, "sh", "-c", script]).stdout.strip()


def test_what_a_compose_project_left_goes_on_after_its_import(rig: Any, tmp_path: Path) -> None:
    former = tmp_path / "former"
    (former / "files").mkdir(parents=True)
    (former / "compose.yml").write_text(COMPOSE)
    rig.run(["docker", "compose", "-p", "former", "-f", str(former / "compose.yml"), "up", "-d"])
    inside(
        rig, "mkdir /data/sub; echo former > /data/sub/a; chown -R 70:70 /data/sub; echo file > /files/f", "former-db-1"
    )

    rig.dusty("import", "-f", str(former / "compose.yml"), "--into", str(tmp_path / "specs"), check=False)
    bundles = [path.stem for path in (tmp_path / "specs/bundles").iterdir()]
    rig.home.mkdir(parents=True, exist_ok=True)
    config = {"specs_repo": str(tmp_path / "specs"), "bundles": bundles, "hosts": {"mode": "off"}}
    (rig.home / "config.yml").write_text(json.dumps(config))
    rig.dusty("up")
    inside(rig, "echo own > /data/own")

    for words, said in (
        (["former_data", "db"], "former-db-1 uses the volume former_data"),
        (["former_dat", "db"], 'there is no volume "former_dat"'),
        (["former_data", "nosuch"], 'no app or service named "nosuch"'),
        (["dusty_data", "db:/data"], "where it is kept already"),
        ([f"{rig.home}/nothing", "db"], "there is no folder"),
        (["former_data", "db:/nowhere"], "db keeps nothing at /nowhere"),
        (["/", "db"], "overlaps with what would be replaced"),
    ):
        done = rig.dusty("disk", "adopt", *words, "--yes", check=False)
        assert done.returncode == 1 and said in done.stderr, (words, done.stderr)
    rig.run(["docker", "compose", "-p", "former", "-f", str(former / "compose.yml"), "down"])
    asked = rig.dusty("disk", "adopt", "former_data", "db", check=False)
    assert asked.returncode == 1 and "no terminal to ask on" in asked.stderr
    assert inside(rig, "cat /data/own") == "own"

    others = rig.run(["docker", "volume", "inspect", "former_data"]).stdout
    said = rig.dusty("disk", "adopt", "former_data", "db", "--yes").stdout
    assert "db has a copy of the volume former_data, which is as it was" in said and "before-adopt" in said
    assert inside(rig, "ls /data; cat /data/sub/a; stat -c %u:%g /data/sub") == "sub\nformer\n70:70"
    assert rig.dusty("up").stdout.startswith("up to date")
    assert rig.run(["docker", "volume", "inspect", "former_data"]).stdout == others
    assert (
        rig.run(["docker", "run", "--rm", "-v", "former_data:/v", "busybox:1", "cat", "/v/sub/a"]).stdout == "former\n"
    )

    rig.dusty("data", "restore", "before-adopt", "--yes")
    assert inside(rig, "ls /data; cat /data/own") == "own\nown", "what it replaced comes back"
    # A folder does as well, also before there is a container, or a volume.
    rig.dusty("stop", "--rm")
    rig.run(["docker", "volume", "rm", "dusty_data"])
    said = rig.dusty("disk", "adopt", str(former / "files"), "db:/data", "--yes").stdout
    assert "up starts db with it" in said and "before-adopt" not in said
    assert "was not created" not in rig.dusty("up").stderr
    assert inside(rig, "cat /data/f") == "file"
    assert json.loads((rig.home / "host/persist/.dusty/volumes.json").read_text()).keys() == {"dusty_data"}


@pytest.mark.long
def test_a_killed_adoption_leaves_the_old_data_or_the_new_and_the_source_as_it_was(rig: Any, tmp_path: Path) -> None:
    stack = SmallStack(tmp_path, rig.home, config="hosts: {mode: 'off'}\n")
    stack.service("db", more="volumes: ['/persist/db:/data', 'store:/store']\n")
    stack.bundle("shop", services="[db]")
    rig.dusty("up")
    look = ["docker", "run", "--rm", "-v", "former:/v", "busybox:1", "sh", "-c"]
    rig.run([*look, "echo former > /v/word; head -c 20000000 /dev/urandom > /v/big"])
    sums = rig.run([*look, "md5sum /v/*; ls -A /v"]).stdout
    begun = time.monotonic()
    rig.dusty("disk", "adopt", "former", "db:/store", "--yes")
    took = time.monotonic() - begun
    seen = set()
    for moment in range(24):
        target = ("/store", "/data")[moment % 2]
        inside(rig, f"rm -rf {target}/*; echo own > {target}/word")
        argv = [
            "env",
            f"DUSTY_HOME={rig.home}",
            str(ROOT / "dusty"),
            "disk",
            "adopt",
            "former",
            f"db:{target}",
            "--yes",
        ]
        with subprocess.Popen(rig.machine.argv(argv), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            time.sleep(took * (0.3 + 0.7 * moment / 24))
            rig.run(["pkill", "-9", "-f", "dusty_tasks disk|dusty disk"], check=False)
            running.kill()
        if rig.dusty("up", check=False).returncode:
            assert "finished the interrupted restore" in rig.dusty("data", "restore", check=False).stdout
            rig.dusty("up")
        found = inside(rig, f"cat {target}/word; ls -A {target}")
        assert found in ("own\nword", "former\nbig\nword"), (moment, target, found)
        seen.add(found)
        assert rig.run([*look, "md5sum /v/*; ls -A /v"]).stdout == sums, "the source is only read"
    rig.dusty("data", "remove", "before-adopt", "--yes")
    assert len(seen) == 2 and rig.run(["ls", "-A", f"{rig.home}/host/persist/.snapshots"]).stdout == ""
