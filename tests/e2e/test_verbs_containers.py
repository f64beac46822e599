"""logs, shell, scripts and cp on real containers."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from stacks import SmallStack

ROOT = Path(__file__).resolve().parents[2]
CHATTY = "trap 'exit 0' TERM; i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo chatty $i; done; echo to-stderr >&2; sleep 100000 & wait"


def up_in(rig, folder: Path) -> SmallStack:
    stack = SmallStack(folder, rig.home)
    stack.service("cache", command=CHATTY)
    stack.app(
        "web",
        services="[cache]",
        more="""scripts:
  - {name: args, description: Shows its arguments, command: ['for a in "$@"; do echo "[$a]"; done; pwd; true']}
  - {name: fails, command: ["exit 7 #"]}
  - {name: in_fi, command: ['if [ $# -gt 0 ]; then for a in "$@"; do echo "<$a>"; done; fi']}
""",
    )
    rig.dusty("up")
    return stack


@pytest.fixture
def up(rig, standing):
    """web and cache, up; web has scripts."""
    return standing(lambda folder: up_in(rig, folder))


def test_logs_of_one_and_of_all(rig, up):
    assert rig.dusty("logs", "cache").stdout.splitlines() == ["chatty 1", "chatty 2", "chatty 3"]
    assert rig.dusty("logs", "cache").stderr == "to-stderr\n"
    done = rig.dusty("logs", "--tail", "1", "cache", "web")
    assert (done.stdout + done.stderr).count("cache | ") == 1
    done = rig.dusty("logs")
    out, err = ([line.split(maxsplit=2) for line in text.splitlines()] for text in (done.stdout, done.stderr))
    assert (
        ["cache", "|", "chatty 1"] in out
        and ["cache", "|", "to-stderr"] in err
        and ["cache", "|", "to-stderr"] not in out
    )


def test_following_ends_with_its_reader_and_keeps_up_with_ten_thousand_lines_a_second(rig, up):
    rig.dusty(
        "shell", "cache", "sh", "-c", "i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); done > /proc/1/fd/1"
    )
    printed = rig.run(
        ["sh", "-c", f"DUSTY_HOME={rig.home} {ROOT}/dusty logs -f cache web | grep -m 1 -n 'line 29999$'"]
    ).stdout
    assert int(printed.split(":")[0]) >= 30000
    assert rig.run(["sh", "-c", "ps ax | grep '[d]ocker logs' || true"]).stdout == ""


def following(rig, *words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "DUSTY_HOME": str(rig.home), "HOME": "/root"}
    return subprocess.Popen(
        rig.machine.argv([str(ROOT / "dusty"), "logs", "-f", *words]),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    """Nothing waits for what it started itself, which may hold its pipes a while longer."""
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


def lines_until(process: subprocess.Popen[str], end: str) -> list[str]:
    """What it prints, up to the line that ends so."""
    seen: list[str] = []
    for line in process.stdout:
        seen.append(line.rstrip("\n"))
        if seen[-1].endswith(end):
            return seen
    raise AssertionError(f"{end!r} is not in {seen}: {process.stderr.read()}")


def test_following_goes_on_over_restarts_and_recreations_with_their_causes(rig, up):
    chatty = "echo life of $(hostname) begins; exec httpd -f -p 80 -h /code"
    up.app("web", always=chatty, services="[cache]")
    rig.dusty("up")
    one, all_of_them = following(rig, "web"), following(rig)
    try:
        lines_until(one, "begins")
        lines_until(all_of_them, "begins")
        up.code("web", "index.html", "new page\n")
        rig.dusty("up")
        for process, before in ((one, ""), (all_of_them, "web                | ")):
            marker, line = lines_until(process, "begins")[-2:]
            assert marker == f"{before}-- web restarted: repo web: index.html changed --" and line.startswith(
                f"{before}life of "
            )
        up.app("web", image="busybox:2", always=chatty, services="[cache]")
        rig.dusty("up")
        for process in (one, all_of_them):
            assert "-- web recreated: image busybox:1 -> busybox:2 --" in lines_until(process, "begins")[-2]
        rig.dusty("restart", "--no-sync", "web")
        for process in (one, all_of_them):
            assert "-- web restarted: dusty restart --" in lines_until(process, "begins")[-2]
        rig.run(["docker", "restart", "-t", "0", "dusty_web_1"])
        for process in (one, all_of_them):
            assert "-- web restarted: not by this Dusty --" in lines_until(process, "begins")[-2]
        rig.dusty("stop")
        assert one.wait(30) == 0 and all_of_them.wait(30) == 0
    finally:
        for process in (one, all_of_them):
            end(process)


def test_following_tells_what_the_engine_restarts(rig, up):
    up.app("loops", always="echo try; sleep 1; exit 5", more="compose: {restart: always}\n")
    up.bundle("shop", apps="[web, loops]")
    rig.dusty("up", check=False)
    process = following(rig, "loops")
    try:
        seen = lines_until(process, "-- loops restarted: it exited with status 5 --")
        assert lines_until(process, "try") and seen
    finally:
        end(process)


def test_a_reader_that_goes_early_ends_it_in_silence(rig, up):
    ended = rig.run(["sh", "-c", f"DUSTY_HOME={rig.home} {ROOT}/dusty logs cache web | head -n 1"])
    assert ended.stdout.count("\n") == 1 and ended.stderr in ("", "cache | to-stderr\n")


def test_shell_passes_words_stdin_and_status(rig, up):
    assert rig.dusty("shell", "web", "printf", "%s|", "a b", "--help", "").stdout == "a b|--help||"
    assert rig.dusty("shell", "web", "sh", "-c", "exit 9", check=False).returncode == 9
    assert rig.dusty("shell", "web", input="echo from stdin\nexit 3\n", check=False).stdout == "from stdin\n"


def test_shell_gives_a_real_terminal_where_there_is_one(rig, up):
    leader, follower = pty.openpty()
    argv = rig.machine.argv(
        ["env", f"DUSTY_HOME={rig.home}", "HOME=/root", "TERM=xterm", str(ROOT / "dusty"), "shell", "web"]
    )
    with subprocess.Popen(argv, stdin=follower, stdout=follower, stderr=follower, start_new_session=True) as shell:
        os.close(follower)
        os.write(leader, b"tty && echo is-a-$((40+2)); exit 6\n")
        assert shell.wait(30) == 6
    printed = b""
    try:
        while chunk := os.read(leader, 4096):
            printed += chunk
    except OSError:
        pass  # how the end of a terminal reads on Linux
    os.close(leader)
    assert b"is-a-42" in printed and b"/dev/pts/" in printed


def test_the_proxy_has_a_shell_too_and_a_stopped_container_has_none(rig, up):
    assert rig.dusty("shell", "dustyInternalNginx", "nginx", "-v").returncode == 0
    rig.dusty("stop", "web")
    ended = rig.dusty("shell", "web", "true", check=False)
    assert ended.returncode == 1 and "web is not running" in ended.stderr


def test_scripts_run_in_the_mount_with_their_arguments(rig, up):
    assert rig.dusty("scripts", "web").stdout.splitlines() == [
        "script  description",
        "args    Shows its arguments",
        "fails",
        "in_fi",
    ]
    ended = rig.dusty("scripts", "web", "args", "a b", "-n", "", "x=1")
    assert ended.stdout.splitlines() == ["[a b]", "[-n]", "[]", "[x=1]", "/code"] and ended.stderr == ""
    assert rig.dusty("script", "web", "fails", check=False).returncode == 7
    ended = rig.dusty("scripts", "--json", "web", "args", "a b")
    facts = json.loads(ended.stdout)
    assert facts["ok"] and facts["printed"] == ["[a b]", "/code"] and ended.stderr.splitlines() == ["[a b]", "/code"]
    assert rig.dusty("scripts", "web", "in_fi", "a b", "*").stdout == "<a b>\n<*>\n"
    assert rig.dusty("scripts", "web", "in_fi").stdout == ""


def test_a_script_that_changed_since_up_is_said(rig, up):
    (up.folder / "specs/apps/web.yml").write_text(
        (up.folder / "specs/apps/web.yml").read_text().replace("exit 7", "exit 8")
    )
    rig.dusty("compile")
    ended = rig.dusty("scripts", "web", "fails", check=False)
    assert ended.returncode == 7 and "pending changes" in ended.stderr


@pytest.fixture
def tree(tmp_path):
    """A folder with all that a copy must keep."""
    source = tmp_path / "tree"
    (source / "sub").mkdir(parents=True)
    (source / "sub/run").write_text("#!/bin/sh\n")
    (source / "sub/run").chmod(0o751)
    (source / "ü b").write_text("unicode")
    (source / "link").symlink_to("sub/run")
    (source / "out").symlink_to("/etc/hostname")
    os.chown(source / "ü b", 1234, 1234)
    return source


def test_there_and_back_keeps_names_modes_and_links(rig, up, tree, tmp_path):
    rig.dusty("cp", str(tree), "web:/new/parents/tree")
    owners = rig.dusty(
        "shell", "web", "sh", "-c", "stat -c '%U %a' /new/parents/tree/* /new/parents/tree/sub/run"
    ).stdout
    assert {line.split()[0] for line in owners.splitlines()} == {"root"} and "root 751" in owners
    rig.dusty("cp", "web:/new/parents/tree", str(tmp_path / "back"))
    assert sorted(path.name for path in (tmp_path / "back").iterdir()) == sorted(path.name for path in tree.iterdir())
    assert (tmp_path / "back/sub/run").stat().st_mode & 0o777 == 0o751
    assert os.readlink(tmp_path / "back/out") == "/etc/hostname" and (tmp_path / "back/ü b").read_text() == "unicode"


def test_between_containers_and_into_a_stopped_one(rig, up, tree):
    rig.dusty("cp", str(tree), "web:/tree")
    rig.dusty("stop", "cache")
    rig.dusty("cp", "web:/tree/", "cache:/srv/copy")
    rig.run(["docker", "start", "dusty_cache_1"])
    assert rig.dusty("shell", "cache", "cat", "/srv/copy/ü b").stdout == "unicode"


def test_a_merge_deletes_nothing_on_either_side(rig, up, tree):
    rig.dusty("shell", "web", "sh", "-c", "mkdir -p /tree/sub && echo mine > /tree/sub/mine && echo old > '/tree/ü b'")
    rig.dusty("cp", str(tree), "web:/tree")
    assert rig.dusty("shell", "web", "sh", "-c", "cat /tree/sub/mine; cat '/tree/ü b'").stdout == "mine\nunicode"
    ended = rig.dusty("cp", str(tree / "ü b"), "web:/tree/sub", check=False)
    assert (
        ended.returncode == 0
        and rig.dusty("shell", "web", "cat", "/tree/sub/ü b", "/tree/sub/mine").stdout == "unicodemine\n"
    )
    rig.dusty("shell", "web", "sh", "-c", "mkdir -p /clash/run/kept")
    ended = rig.dusty("cp", str(tree / "sub"), "web:/clash", check=False)
    assert ended.returncode != 0 and rig.dusty("shell", "web", "ls", "/clash/run").stdout == "kept\n"


def test_nothing_is_left_in_cp(rig, up, tree):
    rig.dusty("cp", str(tree), "web:/tree")
    assert list((rig.home / "host/cp/web").iterdir()) == []


def test_broken_specs_are_no_hindrance(rig, up, tree):
    up.spec("apps/web.yml", "{")
    assert rig.dusty("shell", "web", "echo", "fine").stdout == "fine\n"
    assert rig.dusty("scripts", "web", "args", "x").stdout.startswith("[x]")
    assert rig.dusty("logs", "cache").returncode == 0
    assert rig.dusty("cp", "web:/code/index.html", str(tree / "copy")).returncode == 0


def test_a_copy_arrives_where_the_engine_cannot_put_it_or_is_refused(rig, up, tree, tmp_path):
    up.app("web", services="[cache]", more="compose: {tmpfs: [/scratch], volumes: ['data:/data']}\n")
    rig.dusty("up")
    (tree / "sub/above").symlink_to("../../../../../etc/hostname")
    (tree / "zz-last").write_text("after the link")
    rig.dusty("cp", str(tree), "web:/scratch/deep/tree")
    rig.dusty("cp", str(tree), "web:/data/tree")
    shown = rig.dusty(
        "shell",
        "web",
        "sh",
        "-c",
        "ln -s /scratch/deep /lnk; cd /scratch/deep/tree && cat 'ü b' zz-last && stat -c %a sub/run && readlink sub/above; "
        "cd /data/tree && cat zz-last && readlink sub/above",
    ).stdout
    assert shown == "unicodeafter the link751\n../../../../../etc/hostname\nafter the link../../../../../etc/hostname\n"
    rig.dusty("cp", str(tree / "zz-last"), "web:/lnk/by-link")
    assert rig.dusty("shell", "web", "cat", "/scratch/deep/by-link").stdout == "after the link"
    rig.dusty("cp", "web:/scratch/deep", str(tmp_path / "back"))
    assert (tmp_path / "back/tree/ü b").read_text() == "unicode" and (
        tmp_path / "back/tree/sub/run"
    ).stat().st_mode & 0o777 == 0o751
    # What a hostile container has to offer: more than any disk, devices, a way out, a FIFO.
    rig.dusty(
        "shell",
        "web",
        "sh",
        "-c",
        "mkdir /bad && cd /bad && truncate -s 100G big && mknod disk b 8 0 && mknod zero c 1 5 && mkfifo fifo && "
        "ln -s ../../.. up && ln -s /etc/passwd abs && truncate -s 3G /thin && echo end >> /thin",
    )
    rig.run(["sh", "-c", "mkdir -p /run/small && mount -t tmpfs -o size=20m tmpfs /run/small"])
    for word in ("web:/bad/big", "web:/bad"):
        ended = rig.dusty("cp", word, "/run/small/copy", check=False, timeout=60)
        assert (
            ended.returncode == 1 and "is larger than what is free" in ended.stderr and "Traceback" not in ended.stderr
        ), ended.stderr
    assert rig.run(["sh", "-c", "find /run/small -name '.dusty*' -o -name big; umount /run/small"]).stdout == ""
    rig.dusty("shell", "web", "rm", "/bad/big")
    ended = rig.dusty("cp", "web:/bad", str(tmp_path / "bad"))
    assert {path.name for path in (tmp_path / "bad").iterdir()} == {"fifo", "up", "abs"} and ended.stderr.count(
        "not copied"
    ) == 2
    assert (
        rig.dusty("cp", "web:/dev/zero", str(tmp_path / "zero")).stderr.count("not copied") == 1
        and not (tmp_path / "zero").exists()
    )
    rig.dusty("cp", "web:/proc/1/status", str(tmp_path / "status"))
    assert (tmp_path / "status").read_text().startswith("Name:")
    rig.dusty("cp", str(tree / "zz-last"), "web:/dev/shm/there")
    assert rig.dusty("shell", "web", "cat", "/dev/shm/there").stdout == "after the link"
    for path in ("/proc/there", "/sys/there"):
        assert rig.dusty("cp", str(tree / "zz-last"), f"web:{path}", check=False).returncode == 2
    assert "/scratch (tmpfs) is not in the copy" in rig.dusty("cp", "web:/", str(tmp_path / "all")).stderr
    rig.dusty("stop", "web")
    for source, destination in (
        (tree / "zz-last", "web:/scratch/k"),
        (tree / "zz-last", "web:/lnk/k"),
        ("web:/scratch", tmp_path / "none"),
    ):
        ended = rig.dusty("cp", str(source), str(destination), check=False)
        assert ended.returncode == 1 and "web:/scratch (tmpfs) is there only while web runs" in ended.stderr
