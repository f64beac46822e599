"""What containers made outlives every sync, or is named, kept and brought back: with the real engine, whose mounts a sync could take away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stacks import SmallStack
from sync_stack import SyncStack, listing

MOUNTS = {"node_modules": "dep", "data": "row", "anonymous": "x", "tmp": "t", "lib/common/build": "b"}
"""Mount point below the app's copy -> a file that the test puts there, in the container."""
COUNT = "echo run >>/persist-count/once; mkdir -p /code/vendor; echo v >/code/vendor/v; echo m >/code/made; echo deep >/code/node_modules/dep"
MORE = """\
assets: [{name: KEY, path: /code/conf/key.pem, required: false}]
compose:
    volumes: [/persist/nm:/code/node_modules, named:/code/data, /code/anonymous, /persist/count:/persist-count, /persist/own.conf:/code/own.conf,
              /persist/b:/code/lib/common/build]
    tmpfs: [/code/tmp]
"""


@pytest.fixture
def stack(rig, tmp_path):
    """An app that mounts everything there is below its copy, and whose `once` leaves files in it; a second app uses the same copy."""
    stack = SmallStack(tmp_path, rig.home, config="hosts: {mode: 'off'}\n")
    for file, text in ((".gitignore", "vendor/\n*.log\n"), ("own.conf", "of the repo\n"), ("f", "1\n")):
        stack.code("web", file, text)
    stack.code("common", "c.sh", "c\n")
    stack.spec(
        "libs/common.yml",
        f"repo: {tmp_path}/code/common\nmount: /code/lib/common\ninstall: ['echo run >>/persist-count/install']\n",
    )
    always = "cat /code/vendor/v && exec httpd -f -p 80 -h /code"
    stack.spec(
        "apps/web.yml",
        f"""\
repo: {tmp_path}/code/web
mount: /code
image: busybox:1
commands: {{once: [{json.dumps(COUNT)}], always: [{json.dumps(always)}]}}
depends: {{libs: [common]}}
{MORE}""",
    )
    stack.spec(
        "apps/other.yml",
        f"repo: {tmp_path}/code/web\nmount: /srv\nimage: busybox:1\ncommands: {{always: ['exec sleep 100000']}}\n",
    )
    stack.bundle("shop", apps="[web, other]")
    path = rig.home / "host/persist/own.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("of the mount\n")
    return stack


def shell(rig, command: str, name: str = "web") -> str:
    return rig.run(["docker", "exec", f"dusty_{name}_1", "sh", "-c", command]).stdout


def mounts(rig) -> dict[str, str]:
    """What the running container sees at its mount points; the engine's own view of what is mounted."""
    seen = shell(rig, "cut -d' ' -f5 /proc/self/mountinfo").split()
    return {
        point: shell(rig, f"cat /code/{point}/{file} 2>/dev/null || true").strip()
        for point, file in MOUNTS.items()
        if f"/code/{point}" in seen
    }


def count(rig, what: str) -> int:
    path = rig.home / "host/persist/count" / what
    return len(path.read_text().splitlines()) if path.exists() else 0


def copy(rig, stack) -> Path:
    return rig.home / "host/persist/repos" / f"{stack.folder}/code/web"[1:]


def test_no_sync_takes_away_what_is_mounted_below_a_copy(rig, stack):
    rig.run(["sh", "-c", f"echo secret >{stack.folder}/key"])
    rig.dusty("assets", "set", "KEY", f"{stack.folder}/key")
    rig.dusty("up")
    for point, file in MOUNTS.items():
        shell(rig, f"echo kept >/code/{point}/{file}")
    wanted = dict.fromkeys(MOUNTS, "kept")
    assert mounts(rig) == wanted
    for number, words in enumerate(
        (
            ("sync",),
            ("sync", "--checksum"),
            ("restart", "--repo", "web"),
            ("up",),
            ("config", "set", "sync.delete", "all"),
            ("sync",),
        )
    ):
        stack.code("web", "f", f"edit {number}\n")
        stack.code("web", "own.conf", f"of the repo, edit {number}\n")
        rig.dusty(*words)
        if words[0] in ("restart", "up"):
            shell(rig, "echo kept >/code/anonymous/x; echo kept >/code/tmp/t")
        assert mounts(rig) == wanted, words
        assert shell(rig, "cat /code/own.conf /code/conf/key.pem") == "of the mount\nsecret\n", words
    assert shell(rig, "cat /srv/own.conf", "other") == "of the repo, edit 5\n"
    # The stack is stopped, its specs lose a volume, and nobody brought it up since: its container still has the mount point.
    rig.dusty("config", "set", "sync.delete", "unignored")
    shell(rig, "mkdir -p /code/vendor; echo v >/code/vendor/v")
    stack.spec("apps/web.yml", (stack.folder / "specs/apps/web.yml").read_text().replace("named:/code/data, ", ""))
    stack.code("web", "f", "another edit\n")
    rig.dusty("sync")
    assert mounts(rig) == wanted
    rig.dusty("stop")
    stack.code("web", "f", "one more edit\n")
    rig.dusty("sync")
    rig.run(["docker", "start", "dusty_web_1"])
    assert {**mounts(rig), "tmp": "kept"} == wanted, "a tmpfs does not outlive its container's end"


def test_what_once_made_stays_or_is_made_again_and_what_is_deleted_is_told(rig, stack):
    rig.dusty("up")
    assert (count(rig, "once"), count(rig, "install")) == (1, 1)
    # Made by `once`, ignored by git: it stays. Made in a shell, not ignored: it goes by name, is kept, and comes back.
    shell(rig, "mkdir -p /code/db; echo 1 >/code/db/1.sql; echo 2 >/code/db/2.sql; rm /code/made")
    stack.code("web", "f", "2\n")
    done = rig.dusty("up")
    assert (
        "    deleted, made on the Docker host: db/1.sql\n    deleted, made on the Docker host: db/2.sql\n"
        in done.stdout
    )
    assert shell(rig, "cat /code/vendor/v; ls /code/db 2>&1 || true").startswith("v\n") and (
        count(rig, "once"),
        count(rig, "install"),
    ) == (1, 1)
    rig.dusty("sync", "web", "--restore")
    assert shell(rig, "cat /code/db/1.sql /code/db/2.sql") == "1\n2\n"
    assert "db/1.sql was created on the Docker host" in rig.dusty("status", "-v").stdout
    rig.dusty("sync", "web", "--pull", "db")
    assert (stack.folder / "code/web/db/2.sql").read_text() == "2\n"
    assert rig.dusty("up").returncode == 0
    # The copy is wiped, its receipt lost, its source another one of the same content: `once` and the installs run again.
    for number, wipe in enumerate(
        (f"rm -rf {copy(rig, stack)}", f"rm -rf {rig.home}/host/persist/repos/.receipts"), start=2
    ):
        rig.run(["sh", "-c", wipe])
        rig.dusty("up")
        assert count(rig, "once") == number and shell(rig, "cat /code/vendor/v") == "v\n"
        assert rig.dusty("up").stdout.startswith("up to date")
    assert count(rig, "install") == 2, "the lib's receipt was lost, its copy was not wiped"
    rig.run(["cp", "-a", f"{stack.folder}/code/web", f"{stack.folder}/twin"])
    rig.dusty("repos", "override", "web", f"{stack.folder}/twin")
    rig.dusty("up")
    assert count(rig, "once") == 4 and rig.dusty("up").stdout.startswith("up to date")
    rig.dusty("restart", "web")
    assert count(rig, "once") == 4


def test_an_app_that_fails_after_a_sync_deleted_files_is_told_which(rig, stack):
    spec = (stack.folder / "specs/apps/web.yml").read_text()
    stack.spec("apps/web.yml", spec.replace("cat /code/vendor/v", "cat /code/made"))
    rig.dusty("up")
    stack.code("web", "f", "2\n")
    done = rig.dusty("up", check=False)
    assert done.returncode == 2 and "deleted what was created on the Docker host in web: made" in done.stderr
    again = rig.dusty("up", check=False)
    assert again.returncode == 2 and "in web: made" in again.stderr, "as often as it fails"
    rig.dusty("sync", "web", "--restore")
    assert "in web: made" not in rig.dusty("up").stderr
    disk = rig.dusty("disk").stdout
    assert ".dusty" in disk
    kept = json.loads(rig.dusty("disk", "--json").stdout)["kept"]
    assert kept == [], "restored: nothing is left of it"


def test_what_root_left_in_a_copy_is_kept_for_a_user_who_is_not_root(rig, tmp_path):
    if rig.run(["id", "dev"], check=False).returncode:
        rig.run(["useradd", "-m", "-s", "/bin/sh", "dev"])
    rig.run(
        [
            "sh",
            "-c",
            "getent group docker >/dev/null || groupadd docker; usermod -aG docker dev; chgrp docker /run/docker.sock",
        ]
    )
    stack = SyncStack(rig, tmp_path, user="dev")
    source = stack.repo("web", {"a.py": "a", "shared/b.py": "b"})
    stack.sync()
    left = "mkdir -p /w/made/deep; echo x >/w/made/deep/file; chmod 600 /w/made/deep/file; chmod 700 /w/made; chown -R 0:0 /w/shared; echo y >/w/shared/b.py"
    rig.run(["docker", "run", "--rm", "-v", f"{stack.copy('web')}:/w", "busybox:1", "sh", "-c", left])
    (source / "shared/b.py").write_text("changed")
    done = stack.sync()
    assert (
        "made on the Docker host: made/deep/file" in done.stdout
        and "changed on the Docker host: shared/b.py" in done.stdout
    )
    assert set(listing(rig, stack.copy("web"))) == {"a.py", "shared/b.py"}
    (folder,) = list((stack.home / "host/persist/.dusty/kept" / str(source)[1:]).iterdir())
    assert set(listing(rig, str(folder))) == {"made/deep/file", "shared/b.py"}
    stack.sync("--restore")
    assert set(listing(rig, stack.copy("web"))) == {"a.py", "shared/b.py", "made/deep/file"}


def test_the_same_over_ssh(rig, ssh_host, tmp_path):
    stack = SyncStack(rig, tmp_path, {"host": {"kind": "ssh", "ssh": ssh_host.login, "address": ssh_host.address}})
    source = stack.repo("web", {"a.py": "a", ".gitignore": "*.log\n"}, mounts=[["nm", "web", ""]])
    stack.sync()
    copy = stack.copy("web", "/")
    ssh_host.run(
        ["sh", "-c", f"cd {copy}; mkdir nm made; echo x >x.log; printf 'odd' >'made/new\nline'; echo there >a.py"]
    )
    ssh_host.run(
        [
            "docker",
            "run",
            "-d",
            "--name",
            "dusty_mounted_1",
            "-v",
            f"{copy}:/app",
            "-v",
            "/app/nm",
            "busybox:1",
            "sleep",
            "1000",
        ]
    )
    ssh_host.run(["docker", "exec", "dusty_mounted_1", "sh", "-c", "echo kept >/app/nm/m"])
    (source / "a.py").write_text("edited here")
    done = stack.sync()
    assert (
        "made on the Docker host: made/new\\nline" in done.stdout and "changed on the Docker host: a.py" in done.stdout
    )
    assert ssh_host.run(["docker", "exec", "dusty_mounted_1", "cat", "/app/nm/m"]).stdout == "kept\n"
    assert set(listing(ssh_host, copy)) == {"a.py", ".gitignore", "x.log"}
    assert "web 2" in rig.dusty("disk", check=False).stdout
    stack.sync("--restore")
    assert ssh_host.run(["cat", f"{copy}/a.py"]).stdout == "there\n"
    stack.sync("web", "--pull", "made")
    assert (source / "made/new\nline").read_text() == "odd"
    ssh_host.run(["docker", "rm", "-f", "dusty_mounted_1"])
