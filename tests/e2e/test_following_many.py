"""`dusty logs -f` of twenty containers: one process, on this machine and through ssh."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COUNT = 20
MOST = 120 << 10
"""KiB that the follower and all that it started may take; a `docker logs` for each container took 490 MB."""


def start_many(machine) -> None:
    """Containers that look like those of a stack, each with two lines."""
    machine.run(
        [
            "sh",
            "-c",
            f"""
        for n in $(seq {COUNT}); do
            docker run -d --network none --label com.docker.compose.project=dusty --label dusty.kind=service --label dusty.name=c$n --name dusty_c${{n}}_1 \
                busybox:1 sh -c "echo hello $n; echo trouble $n >&2; sleep 1000" >/dev/null
        done""",
        ]
    )


def taken(rig) -> tuple[int, list[str]]:
    """KiB that the followers and their descendants hold in memory, and what those are."""
    rows = [line.split(None, 3) for line in rig.run(["ps", "axo", "pid,ppid,rss,args"]).stdout.splitlines()[1:]]
    family = {
        row[0] for row in rows if any(f"{how} -f" in row[3] for how in ("tasks logs", "dusty logs", "tasks timeline"))
    }
    for row in rows:
        if row[1] in family:
            family.add(row[0])
    return sum(int(row[2]) for row in rows if row[0] in family), [row[3] for row in rows if row[0] in family]


@pytest.fixture(params=["local", "ssh"])
def many(request, rig) -> Iterator:
    """The machine that the containers are on."""
    far = request.getfixturevalue("ssh_host") if request.param == "ssh" else None
    rig.home.mkdir(parents=True)
    (rig.home / "config.yml").write_text(
        f"host: {{kind: ssh, ssh: {far.login}, address: {far.address}}}\n" if far else "bundles: []\n"
    )
    start_many(far or rig)
    yield far or rig


@pytest.mark.long
@pytest.mark.timeout(240)
def test_following_twenty_takes_one_process(rig, many):
    env = {**os.environ, "DUSTY_HOME": str(rig.home), "HOME": "/root"}
    process = subprocess.Popen(
        rig.machine.argv([str(ROOT / "dusty"), "logs", "-f"]),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out = {process.stdout.readline().split("|")[1].strip() for _ in range(COUNT)}
        err = {process.stderr.readline().split("|")[1].strip() for _ in range(COUNT)}
        assert out == {f"hello {n}" for n in range(1, COUNT + 1)} and err == {
            f"trouble {n}" for n in range(1, COUNT + 1)
        }
        for n in (1, COUNT):
            many.run(["docker", "exec", f"dusty_c{n}_1", "sh", "-c", f"echo more {n} > /proc/1/fd/1"])
            assert process.stdout.readline().split("|")[1].strip() == f"more {n}"
        size, names = taken(rig)
        print(f"{size} KiB: {names}")
        assert not any("docker logs" in name or "dial-stdio" in name for name in names) and size < MOST, (size, names)
        many.run(["sh", "-c", "docker kill $(docker ps -q) >/dev/null"])
        assert process.wait(60) == 0, process.stderr.read()
    finally:
        process.kill()
        process.wait()


@pytest.mark.long
@pytest.mark.timeout(240)
def test_the_timeline_of_twenty_takes_one_process_and_tells_of_each_end(rig, many):
    process = subprocess.Popen(
        rig.machine.argv([str(ROOT / "dusty"), "timeline", "-f", "--since", "10m"]),
        env={**os.environ, "DUSTY_HOME": str(rig.home), "HOME": "/root"},
        stdout=subprocess.PIPE,
        text=True,
    )

    def until(wanted: set[str]) -> None:
        """Read until each of these ends a line."""
        while wanted:
            line = process.stdout.readline().rstrip("\n")
            assert line, wanted
            wanted -= {text for text in wanted if line.endswith(text)}

    numbers = range(1, COUNT + 1)
    try:
        until({f"c{n}".ljust(3) + f" | {word} {n}" for n in numbers for word in ("hello", "trouble")})
        for n in (1, COUNT):
            many.run(["docker", "exec", f"dusty_c{n}_1", "sh", "-c", f"echo more {n} > /proc/1/fd/1"])
            until({f" | more {n}"})
        many.run(["sh", "-c", "docker kill -s HUP dusty_c7_1"])
        size, names = taken(rig)
        print(f"{size} KiB: {names}")
        assert not any("docker logs" in name or "dial-stdio" in name for name in names) and size < MOST, (size, names)
        many.run(["sh", "-c", "docker kill $(docker ps -q) >/dev/null"])
        killed = "exited with status 137: killed by `docker kill` (SIGKILL), or by another program through the engine"
        until({f"c{n}".ljust(3) + f" * {killed}" for n in numbers if n != 7})
        many.run(["docker", "start", "dusty_c1_1"])
        until({"c1  * started", "c1  | trouble 1"})
    finally:
        process.kill()
        process.wait()
