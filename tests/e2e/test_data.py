"""`dusty data` on real containers: what is saved and put back, and that a kill harms nothing."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from stacks import SmallStack

ROOT = Path(__file__).resolve().parents[2]
WRITES = "trap 'exit 0' TERM; while :; do date +%N > /data/now; sleep 0.05; done"


def up_in(rig: Any, folder: Path) -> SmallStack:
    """db keeps a folder and a volume, web mounts the folder too; cache keeps nothing."""
    stack = SmallStack(folder, rig.home)
    hooks = "data: {before: ['[ ! -e /tmp/no ] || cat /tmp/no', '[ ! -e /tmp/no ]', 'echo before >> /tmp/ran'], after: ['echo after >> /tmp/ran']}"
    stack.service("db", command=WRITES, more=f"volumes: ['/persist/shop/db:/data', 'store:/store']\n{hooks}\n")
    stack.service("reader", more="volumes: ['/persist/shop/db:/seen:ro']\n")
    stack.bundle("shop", services="[db, reader, cache]")
    rig.dusty("up")
    return stack


@pytest.fixture
def up(rig: Any, standing: Any) -> SmallStack:
    return standing(lambda folder: up_in(rig, folder))


def inside(rig: Any, script: str, name: str = "db") -> str:
    return rig.run(["docker", "exec", f"dusty_{name}_1", "sh", "-c", script]).stdout.strip()


def fill(rig: Any, word: str) -> None:
    inside(
        rig,
        f"rm -rf /data/* /store/*; mkdir -p /data/sub; echo {word} > '/data/a file'; echo {word} > /store/.hidden; "
        f"chown -R 70:71 /data/sub; ln -s /nowhere /store/link; chmod 710 /store",
    )


def kept(rig: Any) -> str:
    return inside(
        rig, "cat '/data/a file' /store/.hidden; stat -c %u:%g /data/sub; readlink /store/link; stat -c %a /store"
    )


def word_of(word: str) -> str:
    return f"{word}\n{word}\n70:71\n/nowhere\n710"


def states(rig: Any) -> dict[str, str]:
    shown = rig.run(["docker", "ps", "-a", "--format", "{{.Names}} {{.State}}"]).stdout
    return dict(line.split() for line in shown.splitlines())


def test_what_is_saved_comes_back_with_owners_modes_and_links_and_the_rest_goes_on(rig: Any, up: SmallStack) -> None:
    fill(rig, "old")
    before = rig.container_ids()
    said = rig.dusty("data", "save", "one").stdout
    assert said.startswith("saved db, reader as one in ") and "a full copy" in said
    assert rig.container_ids() == before, "they were paused for the copy, and are the same"
    assert inside(rig, "cat /tmp/ran") == "before\nafter"
    inside(rig, "echo it is busy > /tmp/no")
    done = rig.dusty("data", "save", "two", check=False)
    assert (
        done.returncode == 2 and "data.before of db exited with status 1" in done.stderr and "it is busy" in done.stderr
    )
    inside(rig, "rm /tmp/no")
    assert inside(rig, "cat /tmp/ran") == "before\nafter\nafter", "it goes on, and was told so"
    shown = rig.dusty("disk").stdout
    assert re.search(r"persist +\.snapshots .*dusty data lists them", shown), shown
    told = json.loads(rig.dusty("data", "--json").stdout)
    assert [(each["name"], each["services"], each["how"]) for each in told] == [("one", ["db", "reader"], "copy")]
    fill(rig, "new")
    assert "there is already a snapshot one" in rig.dusty("data", "save", "one", check=False).stderr
    refused = rig.dusty("data", "restore", "one", check=False)
    assert refused.returncode == 1 and "no terminal to ask on" in refused.stderr
    assert kept(rig) == word_of("new")
    assert "restored db, reader from one" in rig.dusty("data", "restore", "one", "--yes").stdout
    assert kept(rig) == word_of("old")
    after = rig.container_ids()
    assert after["dusty_cache_1"] == before["dusty_cache_1"], "who keeps nothing of it is left alone"
    assert [each["name"] for each in json.loads(rig.dusty("data", "--json").stdout)] == ["one"]
    assert rig.dusty("up").stdout.startswith("up to date")

    said = rig.dusty("data", "reset", "db", "--yes").stdout
    assert "emptied the data of db; removed db, reader" in said or "removed reader, db" in said
    rig.dusty("up")
    assert inside(rig, "ls -A /store; ls /data") == "now"
    rig.dusty("data", "restore", "before-restore", "--yes")
    assert kept(rig) == word_of("old")
    assert "removed one" in rig.dusty("data", "remove", "one", "--yes").stdout
    assert rig.dusty("data").stdout == "there are no snapshots\n"
    assert rig.run(["ls", "-A", f"{rig.home}/host/persist/.snapshots"]).stdout == ""


def test_what_cannot_be_is_refused_with_its_reason(rig: Any, up: SmallStack) -> None:
    for words, said in (
        (["save", "../x"], "letters, digits"),
        (["save", "before-restore"], "what the last restore replaced"),
        (["save", "x", "cache"], "cache keeps nothing below /persist"),
        (["save", "x", "nosuch"], 'no app or service named "nosuch"'),
        (["restore", "nosuch"], 'there is no snapshot "nosuch"'),
        (["restore"], "needs the name of a snapshot"),
        (["remove", "nosuch"], 'there is no snapshot "nosuch"'),
    ):
        done = rig.dusty("data", *words, check=False)
        assert done.returncode == 1 and said in done.stderr, (words, done.stderr)
    rig.dusty("config", "set", "data.keep", "0")
    assert "more than the 0 GiB of the setting data.keep" in rig.dusty("data", "save", "x", check=False).stderr
    rig.dusty("config", "unset", "data.keep")
    # A container put a link where a folder was.
    persist = f"{rig.home}/host/persist"
    rig.run(
        ["sh", "-c", f"mkdir -p /root/secret/db && mv {persist}/shop /root/shop && ln -s /root/secret {persist}/shop"]
    )
    done = rig.dusty("data", "save", "x", "reader", check=False)
    rig.run(["sh", "-c", f"rm {persist}/shop && mv /root/shop {persist}/shop; rm -rf /root/secret"])
    assert done.returncode == 2 and "is behind a link" in done.stderr


def killed_after(rig: Any, seconds: float, *words: str) -> None:
    """`dusty data words…`, and kill -9 of it alone so much later."""
    argv = rig.machine.argv(["env", f"DUSTY_HOME={rig.home}", str(ROOT / "dusty"), "data", *words])
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        time.sleep(seconds)
        rig.run(["pkill", "-9", "-f", "dusty_tasks data|dusty data"], check=False)
        running.send_signal(signal.SIGKILL)
        running.wait()


@pytest.mark.parametrize("moments", [4, pytest.param(100, marks=pytest.mark.long)])
def test_a_kill_leaves_snapshots_whole_or_absent_and_the_data_as_it_was_or_as_it_was_saved(
    rig: Any, up: SmallStack, moments: int
) -> None:
    fill(rig, "old")
    inside(rig, "head -c 20000000 /dev/zero > /data/big; head -c 5000000 /dev/zero > /store/big")
    began = time.monotonic()
    rig.dusty("data", "save", "whole")
    took = time.monotonic() - began
    for moment in range(moments):
        killed_after(rig, took * (0.3 + 0.7 * moment / moments), "save", f"try{moment}")
        rig.run(
            [
                "sh",
                "-c",
                "for i in $(seq 100); do docker ps --format '{{.State}}' | grep -qv running || exit 0; sleep 0.1; done; exit 1",
            ]
        )
        for each in json.loads(rig.dusty("data", "--json").stdout):
            folder = f"{rig.home}/host/persist/.snapshots/{each['name']}"
            assert rig.run(["stat", "-c", "%s", f"{folder}/persist/shop/db/big"]).stdout == "20000000\n"
        assert kept(rig) == word_of("old")

        fill(rig, "new")
        inside(rig, "echo x > /data/big")
        killed_after(rig, took * (0.3 + 1.2 * moment / moments), "restore", "whole", "--yes")
        if rig.dusty("up", check=False).returncode:
            assert "finished the interrupted restore" in rig.dusty("data", "restore", check=False).stdout
            rig.dusty("up")
        found = kept(rig)
        assert found in (word_of("old"), word_of("new"))
        is_old = found == word_of("old")
        assert inside(rig, "stat -c %s /data/big") == ("20000000" if is_old else "2"), "all of it, or nothing"
        rig.dusty("data", "restore", "whole", "--yes")
        assert kept(rig) == word_of("old")


def test_a_user_who_is_not_root_saves_and_restores_with_the_engines_help(rig: Any, tmp_path: Path) -> None:
    if rig.run(["id", "dev"], check=False).returncode:
        rig.run(["useradd", "-m", "-s", "/bin/sh", "dev"])
    rig.run(
        [
            "sh",
            "-c",
            "getent group docker >/dev/null || groupadd docker; usermod -aG docker dev; chgrp docker /run/docker.sock",
        ]
    )
    stack = SmallStack(tmp_path, rig.home, config="hosts: {mode: 'off'}\n")
    stack.service("db", command=WRITES, more="volumes: ['/persist/shop/db:/data', 'store:/store']\n")
    stack.bundle("shop", services="[db]")
    rig.run(["chown", "-R", "dev", str(tmp_path)])
    subprocess.run(["chmod", "a+rx", *tmp_path.parents], check=False, capture_output=True)
    rig.dusty("up", user="dev")
    fill(rig, "old")
    rig.dusty("data", "save", "one", "--stop", user="dev")
    fill(rig, "new")
    rig.dusty("data", "restore", "one", "--yes", user="dev")
    assert kept(rig) == word_of("old")
    assert [each["name"] for each in json.loads(rig.dusty("data", "--json", user="dev").stdout)] == ["one"]
    rig.dusty("data", "remove", "one", "--yes", user="dev")
