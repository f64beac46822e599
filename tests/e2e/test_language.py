"""What specs can say beyond an app with commands, against a real engine: one stack in which each word does what docs/specs.md tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from stacks import PORT, SmallStack, changes

BARE = """\
set -e
folder=$(mktemp -d)
docker export $(docker create --name bare busybox:1 true) | tar -x -C "$folder"
docker rm bare >/dev/null
rm "$folder/etc/passwd" "$folder/etc/group"
tar -c -C "$folder" . | docker import --change 'CMD ["/bin/httpd", "-f", "-p", "80", "-h", "/code"]' - bare:1
rm -r "$folder"
"""
"""An image without /etc/passwd, which has a command of its own."""


@pytest.fixture
def stack(rig, tmp_path: Path) -> SmallStack:
    rig.run(["sh", "-c", BARE])
    stack = SmallStack(tmp_path, rig.home, config=f"assets: {{KEY: {{from: [cat, {tmp_path}/key]}}}}\n")
    code = f"repo: {tmp_path}/code/own\nmount: /code\n"
    route = "host_forwarding: [{host_name: %s.test, host_port: 8080, container_port: 80}]\n"
    stack.code("own", "index.html", "hello from own\n")
    stack.code("own", "image/Dockerfile", "FROM busybox:1\nARG WORD\nRUN echo $WORD >/word\n")
    stack.spec("vars.yml", "TOKEN: {secret: true}\n")
    own = f"{code}image: bare:1\ncompose: {{environment: {{URL: 'x://${{{{TOKEN}}}}'}}}}\n"
    stack.spec("apps/own.yml", f"{own}assets: [{{name: KEY, path: /run/key}}]\n{route % 'own'}")
    stack.spec("apps/plain.yml", 'image: bare:1\ncommands: {always: ["id -u >/tmp/user", "exec sleep 100000"]}\n')
    stack.spec("apps/_built.yml", f"{code}build: {{context: image, args: {{WORD: built}}}}\n")
    for name in ("one", "two"):
        stack.spec(f"apps/{name}.yml", "extends: _built\ncommands: {always: [exec sleep 100000]}\n")
    stack.spec("services/_served.yml", "image: busybox:1\ncommand: [httpd, -f, -p, '80', -h, /www]\n")
    assets = "[{name: KEY, path: /www/index.html}, {name: MORE, path: /www/more, required: false}]"
    stack.spec("services/mail.yml", f"extends: _served\ndepends_on: [seed]\nassets: {assets}\n{route % 'mail'}")
    stack.service("seed")
    stack.bundle("shop", apps="[own, plain, one, two]", services="[mail]")
    (tmp_path / "key").write_text("first\n")
    return stack


def test_a_stack_of_every_kind_of_container(rig, stack: SmallStack) -> None:
    failed = rig.dusty("up", check=False)
    assert failed.returncode == 1 and "the variable TOKEN has no value" in failed.stderr
    rig.dusty("vars", "set", "TOKEN", "hidden1")
    (stack.folder / "key").rename(stack.folder / "away")
    failed = rig.dusty("up", check=False)
    assert failed.returncode == 2 and "asset KEY: cat exited with status 1: " in failed.stderr
    (stack.folder / "away").rename(stack.folder / "key")
    done = rig.dusty("up").stdout
    assert "read asset KEY from cat" in done
    assert done.count("built image") == 1, "what is built from the same is built once"
    assert rig.get(f"http://own.test:{PORT}/") == (200, "hello from own\n")
    assert rig.get(f"http://mail.test:{PORT}/") == (200, "first\n")
    assert rig.get(f"http://mail.test:{PORT}/more") == (200, ""), "one that is not set is an empty file"
    inside = {
        "own": "cat /run/key; id -u; echo $URL",
        "plain": "cat /tmp/user",
        "two": "cat /word",
        "mail": "stat -c '%a %u' /www/index.html",
    }
    assert {
        name: rig.run(["docker", "exec", f"dusty_{name}_1", "sh", "-c", line]).stdout for name, line in inside.items()
    } == {"own": "first\n0\nx://hidden1\n", "plain": "0\n", "two": "built\n", "mail": "600 0\n"}
    assert "dusty_seed_1" in rig.container_ids()
    assert rig.dusty("shell", "plain", "id", "-u").stdout == "0\n", "an image needs no /etc/passwd"
    assert rig.dusty("up", "--no-pull").stdout.startswith("up to date: 0 changes")

    before = rig.container_ids()
    (stack.folder / "key").write_text("second\n")
    rig.dusty("assets", "set", "KEY", str(stack.folder / "key"))
    done = rig.dusty("up").stdout
    assert sorted(line.split()[1].rstrip(":") for line in changes(done)[1:]) == ["mail", "own"], done
    assert rig.get(f"http://mail.test:{PORT}/") == (200, "second\n")
    assert rig.run(["docker", "exec", "dusty_own_1", "cat", "/run/key"]).stdout == "second\n"
    after = rig.container_ids()
    assert sorted(name for name in before if before[name] != after[name]) == ["dusty_mail_1", "dusty_own_1"]

    rig.dusty("vars", "set", "TOKEN", "hidden2")
    planned = rig.dusty("plan").stdout
    done = rig.dusty("up").stdout
    assert [line.split()[:2] for line in changes(done)] == [["recreated", "own"]], done
    assert "environment URL changed" in planned and "environment URL changed" in done and "apps/own.yml:4:" in done
    shown = rig.run(
        ["docker", "inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", "dusty_own_1"]
    ).stdout
    assert "URL=x://hidden2\n" in shown
    rig.dusty("dump", str(stack.folder / "dump.tgz"))
    rig.run(["sh", "-c", f"mkdir {stack.folder}/dump; tar -xf {stack.folder}/dump.tgz -C {stack.folder}/dump"])
    found = rig.run(["grep", "-rlE", "hidden[12]", str(rig.home), str(stack.folder / "dump")]).stdout.split()
    assert sorted(found) == [f"{rig.home}/secrets/TOKEN", f"{rig.home}/state/env/own.env"]
    rig.run(["sh", "-c", f"! git --git-dir {rig.home}/config.git log --all -p | grep hidden"])
    rig.dusty("up", "--no-pull")
    after = rig.container_ids()

    override = rig.home / "overrides/services/mail.yml"
    override.parent.mkdir(parents=True)
    override.write_text("environment: {MINE: only}\n")
    before = after
    done = rig.dusty("up").stdout
    assert [line.split()[:2] for line in changes(done)] == [["recreated", "mail"]] and f"{override}:1:" in done
    after = rig.container_ids()
    assert [name for name in before if before[name] != after[name]] == ["dusty_mail_1"]
    assert f"your overrides: {override}" in rig.dusty("status").stdout
    assert "recreate mail" in rig.dusty("plan", "--no-overrides").stdout
