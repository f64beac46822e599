"""Files of Dusty's own, here and on the Docker host, that are not what it left: one `up` heals or names them, and no container is made anew."""

from __future__ import annotations

import re

import pytest
from stacks import PORT, SmallStack

DAMAGES = {
    "emptied": ': > "$1"',
    "cut": 'head -c "$(($(stat -c %s "$1") / 2))" "$1" > "$1.half"; cat "$1.half" > "$1"; rm "$1.half"',
    "random": 'head -c 300 /dev/urandom > "$1"',
    "a folder": 'rm -f "$1"; mkdir "$1"; touch "$1/theirs"',
    "a pipe": 'rm -f "$1"; mkfifo "$1"',
    "a link to a device": 'rm -f "$1"; ln -s /dev/zero "$1"',
}
WHERE = (
    "state",
    "build",
    "locks",
    "host/persist/repos/.receipts",
    "host/persist/dustyNginx",
    "host/persist/dusty_assets",
    "host/command_files",
)
STARTED = "host/persist/.dusty/started.json"
"""Without it and its spare nobody knows what containers were made of: they are made anew (docs/architecture.md)."""


@pytest.fixture
def running(rig, tmp_path) -> SmallStack:
    stack = SmallStack(tmp_path, rig.home)
    stack.app("web", services="[cache]", more="assets: [{name: KEY, path: /etc/key}]\n")
    (tmp_path / "key").write_text("key\n")
    rig.dusty("assets", "set", "KEY", str(tmp_path / "key"))
    rig.dusty("up")
    rig.dusty("status")
    return stack


def files(rig) -> list[str]:
    found = rig.run(["sh", "-c", 'cd "$0" && find "$@" -type f', str(rig.home), *WHERE]).stdout.split("\n")
    return sorted(
        path
        for path in [*found, "host/persist/.dusty/owner.json"]
        if path and not re.search(r"\.orig\d*$|\.log$|\.broken", path)
    )


def ids(rig) -> dict[str, str]:
    return {name: what.split()[0] for name, what in rig.container_ids().items()}


def heal(rig, paths: list[str], damage: str) -> None:
    """Damage these; `up`, and what it names is moved away, until it ends well."""
    what = f"{damage}: {' '.join(paths)}"
    before = ids(rig)
    for path in paths:
        rig.run(["sh", "-c", DAMAGES[damage], "sh", f"{rig.home}/{path}"])
    rig.dusty("status", check=False, timeout=60)
    for _ in range(len(paths) + 1):
        done = rig.dusty("up", check=False, timeout=120)
        if not done.returncode:
            break
        assert done.returncode in (1, 2) and "Traceback" not in done.stderr, (
            f"{what}: {done.returncode} {done.stdout}{done.stderr}"
        )
        named = re.search(r"(/\S+) is a folder", done.stderr)
        assert named and "hint: " in done.stderr, f"{what}: {done.stdout}{done.stderr}"
        rig.run(["rm", "-rf", named[1]])
    assert not done.returncode, f"{what}: {done.stdout}{done.stderr}"
    assert ids(rig) == before, f"{what}: {done.stdout}{done.stderr}"
    assert rig.get(f"http://web.test:{PORT}/") == (200, "hello from web\n"), what
    again = rig.dusty("up")
    assert again.stdout.startswith("up to date"), f"{what}: {again.stdout}{again.stderr}"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_all_of_them_damaged_in_each_way(rig, running):
    for damage in DAMAGES:
        heal(rig, files(rig), damage)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_of_them_damaged_in_each_way(rig, running):
    for path in files(rig):
        for damage in DAMAGES:
            heal(rig, [path], damage)


OTHER_FORMS = {
    "a list": "[]",
    "no record": '{"dusty_web_1": 5}',
    "no mapping": '{"dusty_web_1": {"container_id": "x", "mapping": [], "repos": 1}}',
}


def test_damaged_records_of_what_was_started_cost_no_start(rig, running):
    """There are two of them; with both lost, containers are made anew."""
    before, path = rig.container_ids(), f"{rig.home}/{STARTED}"
    damages = {**DAMAGES, **{name: f"echo '{text}' > \"$1\"" for name, text in OTHER_FORMS.items()}}
    del damages["a folder"]
    for name, damage in damages.items():
        rig.run(["cp", f"{path.removesuffix('.json')}.spare.json", path])
        rig.run(["sh", "-c", damage, "sh", path])
        assert "is running" in rig.dusty("why", "web", timeout=60).stdout, name
        assert rig.dusty("up", timeout=120).stdout.startswith("up to date"), name
        rig.run(["rm", "-f", path])
    assert rig.container_ids() == before
    for damage in ("random", "no mapping"):
        for each in (path, path.replace(".json", ".spare.json")):
            rig.run(["sh", "-c", damages[damage], "sh", each])
        rig.dusty("up", timeout=120)
        assert rig.get(f"http://web.test:{PORT}/")[0] == 200
        assert rig.dusty("up").stdout.startswith("up to date")


def test_a_folder_in_place_of_the_records_stops_up_before_it_touches_a_container(rig, running):
    before = rig.container_ids()
    rig.run(["sh", "-c", DAMAGES["a folder"], "sh", f"{rig.home}/{STARTED}"])
    assert rig.dusty("up").stdout.startswith("up to date"), "its spare tells the same"
    running.code("web", "index.html", "edited\n")
    done = rig.dusty("up", check=False)
    assert done.returncode == 1 and "started.json is a folder" in done.stderr and "hint: " in done.stderr
    assert rig.container_ids() == before
