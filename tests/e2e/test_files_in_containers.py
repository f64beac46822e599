"""Files of the specs repo in services, and folders of one repo in several apps: copied, and a change restarts who sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stacks import SmallStack, changes

MONO = """\
repo: {folder}/code/mono
mount: {{{name}: /srv, shared.txt: /etc/shared.txt}}
image: busybox:1
commands: {{always: [exec httpd -f -p 80 -h /srv]}}
"""


def read(rig: Any, name: str, path: str) -> str:
    return rig.run(["docker", "exec", f"dusty_{name}_1", "cat", path]).stdout


def test_changed_files_restart_those_who_see_them(rig: Any, tmp_path: Path) -> None:
    stack = SmallStack(tmp_path, rig.home)
    conf = stack.folder / "specs/conf"
    (conf / "site").mkdir(parents=True)
    (conf / "app.conf").write_text("one\n")
    (conf / "site/index.html").write_text("page one\n")
    stack.service("front", more="volumes: ['./conf/app.conf:/etc/app.conf:ro', './conf/site:/site']\n")
    stack.service("other", more="volumes: ['./conf/site:/site']\n")
    for name in ("web", "worker"):
        stack.code("mono", f"{name}/index.html", f"{name}\n")
        stack.spec(f"apps/{name}.yml", MONO.format(folder=tmp_path, name=name))
    stack.code("mono", "shared.txt", "shared one\n")
    stack.bundle("shop", apps="[web, worker]", services="[front, other]")
    rig.dusty("up")
    assert read(rig, "front", "/etc/app.conf") == "one\n" and read(rig, "other", "/site/index.html") == "page one\n"
    assert read(rig, "web", "/srv/index.html") == "web\n" and read(rig, "worker", "/etc/shared.txt") == "shared one\n"
    assert rig.dusty("up").stdout.startswith("up to date")

    (conf / "app.conf").write_text("two\n")
    done = changes(rig.dusty("up").stdout)
    assert any(line.startswith("restarted front (conf/app.conf changed in the specs)") for line in done), done
    assert not any("other" in line for line in done if line.startswith("restarted")), done
    assert read(rig, "front", "/etc/app.conf") == "two\n"
    assert rig.dusty("up").stdout.startswith("up to date")

    stack.code("mono", "worker/index.html", "worker two\n")
    done = [line for line in changes(rig.dusty("up").stdout) if line.startswith("restarted")]
    assert len(done) == 1 and done[0].startswith("restarted worker"), done
    assert rig.dusty("up").stdout.startswith("up to date")
    stack.code("mono", "shared.txt", "shared two\n")
    done = [line for line in changes(rig.dusty("up").stdout) if line.startswith("restarted")]
    assert len(done) == 2, done
    assert read(rig, "web", "/etc/shared.txt") == "shared two\n"
