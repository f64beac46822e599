"""`dusty dev` on one stack: what each edit does to each container, and what a broken spec, a second `up` and ^C do not."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from kills import restart_engine
from stacks import SERVE, SmallStack

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0
FEW_WATCHES = [
    "unshare",
    "-U",
    "--map-root-user",
    "sh",
    "-c",
    'echo 5 >/proc/sys/user/max_inotify_watches && exec "$@"',
    "sh",
]
"""A program after it has but five inotify watches."""
HANDS_ON = "trap 'echo got HUP >>/code/signals.made' HUP; while :; do sleep 0.1; done"


class Dev:
    """`dusty dev` in the machine, and the lines that it has printed."""

    def __init__(self, rig, *words: str, before: Sequence[str] = ()) -> None:
        env = {"DUSTY_HOME": str(rig.home), "HOME": "/root", "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(
            rig.machine.argv([*before, str(ROOT / "dusty"), "dev", *words]),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.rig = rig
        self.lines: list[str] = []
        self._new: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._new.put(line.rstrip("\n"))

    def until(self, pattern: str) -> str:
        """The next line that matches."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._new.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"waited for {pattern!r}, got:\n" + "\n".join(self.lines)) from None
            self.lines.append(line)
            if re.search(pattern, line):
                return line

    def next(self, pattern: str) -> str:
        """The next line that matches; no other change of code was told of before it."""
        before = len(self.lines)
        found = self.until(pattern)
        assert not [line for line in self.lines[before:-1] if re.search(r": \d+ files?\b", line)]
        return found

    def rest(self) -> list[str]:
        """The lines that nobody waited for, once it has ended."""
        self._reader.join()
        return list(self._new.queue)

    def interrupt(self) -> int:
        self.rig.run(["pkill", "-INT", "-f", "dusty_tasks dev"])
        return self.process.wait(20)


@pytest.fixture
def stack(rig, tmp_path) -> SmallStack:
    stack = SmallStack(tmp_path, rig.home)
    stack.spec(
        "libs/common.yml",
        f"repo: {tmp_path}/code/common\nmount: /common\ninstall: [echo installed]\n"
        "reload: [{paths: ['*.md'], do: none}, {do: restart}]\n",
    )
    stack.code("common", "lib.txt", "one")
    stack.app("web", services="[cache]", more="reload: [{paths: [static], do: none}, {paths: [conf], do: recreate}]\n")
    (tmp_path / "specs/apps/web.yml").write_text(
        (tmp_path / "specs/apps/web.yml").read_text().replace("depends: {", "depends: {libs: [common], ")
    )
    stack.app("hands", always=HANDS_ON, more="reload: {signal: HUP}\n")
    hands = tmp_path / "specs/apps/hands.yml"
    hands.write_text("".join(line for line in hands.read_text().splitlines(True) if "host_forwarding" not in line))
    stack.app("builder", always=SERVE, more='reload: {run: ["cat index.html >built.made"]}\n')
    stack.bundle("shop", apps="[web, hands, builder]")
    for name in ("web", "hands", "builder"):
        stack.code(name, ".gitignore", "*.made\n")
    return stack


def wait_for(holds) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=Dev", "-c", "user.email=dev@example.com"]
    subprocess.run(["git", *identity, "-C", str(folder), *words], check=True, capture_output=True)


def started(rig) -> dict[str, str]:
    return rig.container_ids()


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_a_day_with_dev(stack, rig, tmp_path) -> None:
    dev = Dev(rig)
    try:
        dev.until(r"^watching 4 repos and the specs")
        at_first = started(rig)

        # `none`: the copy is all, and nothing is owed.
        stack.code("web", "static/a.css", "new")
        dev.until(r"^web: 1 file, visible \d+ ms$")
        assert rig.get("http://web.test:8080/static/a.css") == (200, "new")
        # a signal reaches the app and not the shell that runs it
        stack.code("hands", "x.py", "1")
        dev.until(r"^hands: 1 file, visible \d+ ms, sent HUP, served \d+ ms$")
        # commands
        stack.code("builder", "index.html", "fresh")
        dev.until(r"^builder: 1 file, visible \d+ ms, ran its commands")
        assert rig.get("http://builder.test:8080/built.made") == (200, "fresh")
        assert changed(at_first, started(rig)) == set()
        copies = f"{rig.home}/host/persist/repos/{str(tmp_path)[1:]}/code"
        wait_for(Path(f"{copies}/hands/signals.made").exists)
        assert "Docker read" in rig.dusty("up", "--no-pull").stdout
        assert changed(at_first, started(rig)) == set()

        # a save by rename, with a backup and a swap file, is one restart of one container
        for name, text in ((".index.html.swp", "s"), ("index.html~", "old"), ("4913", "")):
            stack.code("web", name, text)
        (tmp_path / "code/web/4913").unlink()
        stack.code("web", "tmp123", "<p>two</p>")
        os.replace(tmp_path / "code/web/tmp123", tmp_path / "code/web/index.html")
        dev.until(r"^web: 1 file, visible \d+ ms, restarted, served (\d+ ms|[\d.]+ s)$")
        assert rig.get("http://web.test:8080/") == (200, "<p>two</p>")
        at_second = started(rig)
        assert changed(at_first, at_second) == {"dusty_web_1"}
        # swap files alone are nothing: the next that is said is about the next edit
        stack.code("web", ".index.html.swo", "s")
        copied = Path(f"{copies}/web/.index.html.swo")
        wait_for(copied.exists)
        # a burst: a build that writes for a while, and a branch switch
        for number in range(20):
            stack.code("web", f"build/{number}.js", str(number))
            time.sleep(0.05)
        dev.next(r"^web: 20 files, visible .*, restarted, served")
        assert changed(at_second, started(rig)) == {"dusty_web_1"}
        git(tmp_path / "code/web", "init", "-q")
        git(tmp_path / "code/web", "add", "-A")
        git(tmp_path / "code/web", "commit", "-qm", "one")
        git(tmp_path / "code/web", "switch", "-qc", "many")
        for number in range(5000):
            stack.code("web", f"many/{number // 100}/{number}.js", str(number))
        dev.next(r"^web: 5000 files, visible .*, restarted, served")
        git(tmp_path / "code/web", "add", "-A")
        git(tmp_path / "code/web", "commit", "-qm", "many")
        at_second = started(rig)
        git(tmp_path / "code/web", "switch", "-q", "-")
        dev.next(r"^web: 5000 files, visible .*, restarted, served")
        assert changed(at_second, started(rig)) == {"dusty_web_1"}
        for number in range(20):
            (tmp_path / f"code/web/build/{number}.js").write_text("edited")
        dev.next(r"^web: 20 files, visible .*, restarted, served")
        at_second = started(rig)
        git(tmp_path / "code/web", "stash", "-q")
        dev.next(r"^web: 20 files, visible .*, restarted, served")
        at_third = started(rig)
        assert changed(at_second, at_third) == {"dusty_web_1"}

        # a lib, in the app that mounts it, by its own rules: the last one installs it again
        installed = rig.run(["docker", "logs", "dusty_web_1"]).stdout.count("installed")
        stack.code("common", "README.md", "words")
        dev.until(r"^web: 1 file of common, visible \d+ ms$")
        stack.code("common", "lib.txt", "two")
        dev.until(r"^web: 1 file of common, visible \d+ ms, restarted, served")
        at_fourth = started(rig)
        assert changed(at_third, at_fourth) == {"dusty_web_1"}
        assert rig.run(["docker", "logs", "dusty_web_1"]).stdout.count("installed") == installed + 1
        # recreated by path
        stack.code("web", "conf/a", "x")
        dev.until(r"^recreate web: ")
        dev.until(r"^\d+ changes? made in")
        assert changed(at_fourth, started(rig)) == {"dusty_web_1"}

        # a broken spec leaves the stack as it is, the next good save heals
        before = started(rig)
        spec = tmp_path / "specs/apps/builder.yml"
        text = spec.read_text()
        spec.write_text(text.replace("mount:", "muont:"))
        dev.until(r"apps/builder.yml:2:1: .*muont")
        dev.until(r"^the stack is unchanged; the next save tries again")
        assert started(rig) == before
        spec.write_text(text + "compose: {environment: {A: '1'}}\n")
        dev.until(r"^recreate builder: .*A")
        dev.until(r"^\d+ changes? made in")
        assert changed(before, started(rig)) == {"dusty_builder_1"}

        # and so with config.yml, where the next good save needs no change
        config = rig.home / "config.yml"
        good = config.read_text()
        config.write_text(f"{good}sync: {{exclude: [broken\n")
        dev.until(r"config.yml:\d+:\d+: the \[ that opens here is not closed")
        dev.until(r"^the stack is unchanged; the next save tries again")
        stack.code("web", "static/b.css", "the last good stack goes on")
        dev.until(r"^web: 1 file, visible \d+ ms$")
        config.write_text(f"{good}# fixed\n")
        dev.until(r"^fixed: the stack needs no change")

        # what crashes is said with its last lines, and the next save is not kept waiting
        web = tmp_path / "specs/apps/hands.yml"
        web.write_text(
            web.read_text().replace("reload: {signal: HUP}", "reload: restart\ncompose: {environment: {B: '1'}}")
        )
        dev.until(r"^\d+ changes? made in")
        for one in range(3):
            stack.code("hands", "x.py", str(one))
            dev.until(r"^hands: 1 file, visible \d+ ms, restarted")

        # a source that is gone, and back; the engine restarted
        (tmp_path / "code/builder").rename(tmp_path / "code/away")
        dev.next(r"^builder: .*code/builder cannot be watched: .*; a sync follows when it is there again$")
        stack_of = started(rig)
        (tmp_path / "code/away/index.html").write_text("edited while away")
        (tmp_path / "code/away").rename(tmp_path / "code/builder")
        dev.until(r"^builder: .*code/builder is there again$")
        dev.until(r"^builder: 1 file, visible .*, ran its commands")
        assert started(rig) == stack_of
        restart_engine(rig)
        dev.until(r"; dev continues once it answers again$")
        dev.until(r"^the Docker engine answers again: bringing up what it stopped$")
        dev.until(r"^\d+ changes? made in|up to date")
        stack.code("web", "index.html", "<p>after the engine</p>")
        dev.until(r"^web: 1 file, visible .*, restarted, served")

        assert rig.dusty("sync", "--verify").stdout.count("source and copy are equal") == 4
        assert "up to date" in rig.dusty("sync").stdout
        running = started(rig)
        assert dev.interrupt() == 130
        assert started(rig) == running
        assert "up to date: 0 changes" in rig.dusty("up", "--no-pull").stdout

        # without inotify watches it says so in a line, and looks for edits itself
        dev = Dev(rig, before=FEW_WATCHES)
        dev.until(r"^watching 4 repos and the specs")
        dev.until(
            r"^.*: no inotify watches are left \(user.max_inotify_watches = 5; .*\); changes are looked for every few seconds instead$"
        )
        stack.code("web", "index.html", "<p>without watches</p>")
        dev.until(r"^web: 1 file, visible .*, restarted, served")
        assert rig.get("http://web.test:8080/") == (200, "<p>without watches</p>")
        assert len([line for line in dev.lines if "inotify" in line]) == 1
        assert dev.interrupt() == 130
    finally:
        if dev.process.poll() is None:
            dev.interrupt()
        print("\n".join(dev.lines))


def signal_relay(rig, name: str) -> None:
    rig.run(["pkill", f"-{name}", "-f", "bench/live --relay"], check=False)


def test_a_line_that_falls_silent_is_noticed_and_healed(rig, ssh_host, tmp_path) -> None:
    """A relay that stops passing anything on is what a network that drops packets is: nothing ends the connection."""
    known = "/root/.ssh/known_hosts"
    before = rig.run(["cat", known]).stdout
    rig.run(["sh", "-c", f"sed 's/^[^ ]*/[127.0.0.1]:2222/' {known} >{known}.more && cat {known}.more >>{known}"])
    relay = subprocess.Popen(rig.machine.argv([sys.executable, str(ROOT / "bench/live"), "--relay", ssh_host.address]))
    stack = SmallStack(
        tmp_path, rig.home, config=f"host: {{kind: ssh, ssh: 'root@127.0.0.1:2222', address: {ssh_host.address}}}\n"
    )
    dev = Dev(rig, "--yes")
    try:
        dev.until(r"^watching \d+ repos? and the specs")
        stack.code("web", "index.html", "one")
        dev.until(r"^web: 1 file, visible .*, restarted, served")
        signal_relay(rig, "STOP")
        began = time.monotonic()
        stack.code("web", "index.html", "two")
        dev.until(r"127.0.0.1")
        assert time.monotonic() - began < 35  # 15 s without an answer, and 10 s for a connection that nobody answers
        signal_relay(rig, "CONT")
        dev.until(r"^web: .*restarted, served")
        assert rig.get("http://web.test:8080/") == (200, "two")
        stack.code("web", "index.html", "three")
        dev.until(r"^web: 1 file, visible .*, restarted, served")
        assert "source and copy are equal" in rig.dusty("sync", "--verify").stdout
    finally:
        signal_relay(rig, "CONT")
        if dev.process.poll() is None:
            dev.interrupt()
        print("\n".join(dev.lines))
        relay.kill()
        relay.wait()
        rig.run(["sh", "-c", f'printf %s "$1" >{known}', "sh", before])


@pytest.mark.long
def test_an_edit_waits_for_a_line_that_was_cut(rig, ssh_host, tmp_path) -> None:
    stack = SmallStack(
        tmp_path, rig.home, config=f"host: {{kind: ssh, ssh: {ssh_host.login}, address: {ssh_host.address}}}\n"
    )
    dev = Dev(rig, "--yes")
    try:
        dev.until(r"^watching \d+ repos? and the specs")
        stack.code("web", "index.html", "one")
        dev.until(r"^web: 1 file, visible .*, restarted, served")
        ssh_host.set_link("down")
        try:
            stack.code("web", "index.html", "two")
            dev.until(r"ssh|connection|reached")
        finally:
            ssh_host.set_link("up")
        dev.until(r"^web: .*restarted, served")
        assert rig.get("http://web.test:8080/") == (200, "two")
        stack.code("web", "index.html", "three")
        dev.until(r"^web: 1 file, visible .*, restarted, served")
        assert "source and copy are equal" in rig.dusty("sync", "--verify").stdout
    finally:
        if dev.process.poll() is None:
            dev.interrupt()
        print("\n".join(dev.lines))
