"""`dusty sync` as a user types it, on a local Docker host with the real rsync."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.operations.sync_room import Room, tree, write


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_all_repos_or_the_named_ones(room: Room) -> None:
    for name in ("web", "api", "lib"):
        room.repo(name)
    done = room.dusty("sync", "web", str(room.sources / "api"))
    assert done.returncode == 0
    assert {line.split(":")[0] for line in done.stdout.splitlines()} == {"synced web", "synced api"}
    done = room.dusty("sync")
    assert done.stdout.splitlines()[-1] == "2 repos are up to date" and "synced lib" in done.stdout


def test_a_program_reads_what_became_of_each_repo(room: Room) -> None:
    for name in ("web", "api"):
        room.repo(name)
    room.dusty("sync", "web")
    write(room.sources / "web/new\nname", "1")
    (room.sources / "api").rename(room.sources / "gone")
    done = room.dusty("sync", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["ok"], found["exit_code"]) == (1, False, 1)
    api, web = sorted(found["repos"], key=lambda row: str(row["name"]))
    assert (web["status"], web["changed"], web["problem"]) == ("synced", ["new\\nname"], "")
    assert (api["status"], api["changed"]) == ("failed", []) and api["problem"]
    assert "synced web" in done.stderr
    done = room.dusty("sync", "web", "--json", "--verify")
    assert done.returncode == 1 and done.stderr.startswith("--json goes with a plain sync\n")


@pytest.mark.parametrize("words", [("sync", "wbe"), ("sync:wbe",)], ids=" ".join)
def test_an_unknown_repo_gets_did_you_mean_and_nothing_is_synced(room: Room, words: tuple[str, ...]) -> None:
    room.repo("web")
    done = room.dusty(*words)
    assert (done.returncode, done.stderr) == (1, 'no repo named "wbe"\n    hint: did you mean "web"?\n')
    assert not room.copy("web").exists()


def test_what_is_active_now_is_synced_whatever_was_compiled(room: Room, tmp_path: Path) -> None:
    room.repo("compiled")
    room.compiled()
    for name in ("web", "api"):
        source = room.repo(name)
        write(
            tmp_path / f"specs/apps/{name}.yml",
            f"repo: {source}\nmount: /code\nimage: busybox:1\ncommands: {{always: []}}\n",
        )
        write(tmp_path / f"specs/bundles/{name}.yml", f"apps: [{name}]\n")
    write(room.home / "config.yml", f"specs_repo: {tmp_path}/specs\nbundles: [web]\n")
    done = subprocess.run(room.argv("sync"), env=room.env(), capture_output=True, text=True, check=False)
    assert (done.returncode, [line.split(":")[0] for line in done.stdout.splitlines()]) == (0, ["synced web"])
    write(tmp_path / "specs/apps/web.yml", "broken: [")
    done = subprocess.run(room.argv("sync"), env=room.env(), capture_output=True, text=True, check=False)
    assert (done.returncode, [line.split(":")[0] for line in done.stdout.splitlines()]) == (0, ["synced compiled"])


def test_with_nothing_active_there_is_nothing_to_sync(room: Room, tmp_path: Path) -> None:
    write(tmp_path / "specs/bundles/web.yml", "services: []\n")
    write(room.home / "config.yml", f"specs_repo: {tmp_path}/specs\n")
    done = subprocess.run(room.argv("sync"), env=room.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("No bundles are activated")


def test_before_anything_was_compiled(room: Room) -> None:
    done = subprocess.run(room.argv("sync"), env=room.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no specs repo is configured" in done.stderr


def test_failures_are_all_reported_and_the_worst_code_counts(room: Room) -> None:
    room.repo("web")
    for name in ("gone", "lost"):
        subprocess.run(["rm", "-r", room.repo(name)], check=True)
    done = room.dusty("sync")
    assert done.returncode == 1 and "synced web" in done.stdout
    assert "each of gone and lost: the source" in done.stderr and "does not exist" in done.stderr


def test_why_names_the_rule(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", ".dustyignore": "/node_modules\n!keep.log\n*.log\n"})
    write(source / "node_modules/m/index.js", "")
    write(source / "keep.log", "")
    cases = {
        "a.py": "a.py: synced (no rule excludes it)",
        "keep.log": "keep.log: synced: rule !keep.log (.dustyignore:2)",
        "x.log": "x.log: excluded: rule *.log (.dustyignore:3)",
        "node_modules/m/index.js": "node_modules/m/index.js: excluded, because node_modules/ is, and excluded folders are not entered: "
        "rule /node_modules (.dustyignore:1)",
        ".git/HEAD": ".git/HEAD: excluded, because .git/ is, and excluded folders are not entered: rule .git (built in)",
    }
    for path, said in cases.items():
        assert room.dusty("sync", "--why", path, cwd=source).stdout == f"{said}\n"
        assert room.dusty("sync", "--why", f"{source}/{path}").stdout == f"{said}\n"
        assert room.dusty("sync", "web", "--why", path).stdout == f"{said}\n"
    done = room.dusty("sync", "--why", "/etc/passwd")
    assert done.returncode == 1 and "in none of the repos" in done.stderr


def test_why_tells_of_what_only_a_copy_can_have_whether_it_stays(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", ".gitignore": "# made\nnode_modules/\n"}, mounts=[["data", "web", ""]])
    cases = {
        "node_modules/m/x": "stays: git ignores it: node_modules/ (.gitignore:2)",
        "data/x": "stays: web mounts something there",
        "made": "is deleted by a sync",
    }
    for path, said in cases.items():
        assert (
            room.dusty("sync", "--why", path, cwd=source).stdout == f"{path}: not in {source}; in the copy it {said}\n"
        )


def test_what_a_sync_took_out_comes_back_into_the_copy_or_into_the_source(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", "sub/b.py": "b"})
    room.repo("api")
    room.dusty("sync")
    assert room.dusty("sync", "--restore").returncode == 1
    for name in ("one", "two"):
        write(room.copy("web") / "made" / name, name)
    write(source / "a.py", "changed")
    done = room.dusty("sync", "web")
    assert (
        "deleted, made on the Docker host: made/one\n" in done.stdout
        and "deleted, made on the Docker host: made/two\n" in done.stdout
    )
    done = room.dusty("sync", "--restore")
    assert done.returncode == 0 and done.stdout.startswith("restored web: 2 files of ") and "--pull" in done.stdout
    assert (room.copy("web") / "made/one").read_text() == "one"
    for words, cwd in ((("web", "--pull", "made/one"), room.sources), (("--pull", "../made/two"), source / "sub")):
        done = room.dusty("sync", *words, cwd=cwd)
        assert done.returncode == 0 and done.stdout.startswith(f"fetched 1 file of web into {source}\n"), done
    assert (source / "made/one").read_text() == "one" and (source / "made/two").read_text() == "two"
    done = room.dusty("sync", "web", "--pull", "nowhere")
    assert done.returncode == 1 and "neither in the copy" in done.stderr
    done = room.dusty("sync", "--pull", "nowhere")
    assert done.returncode == 1 and "in none of the repos" in done.stderr
    assert room.dusty("sync", "web", "--pull", "../../etc/passwd").returncode == 1


def test_verify_compares_by_content_and_changes_nothing(room: Room) -> None:
    source = room.repo("web")
    room.dusty("sync")
    assert room.dusty("sync", "--verify").stdout == "web: source and copy are equal\n"
    write(source / "a.py", "other")
    write(room.copy("web") / "made", "m")
    before = tree(room.copy("web"))
    done = room.dusty("sync", "--verify")
    assert done.returncode == 1
    assert done.stdout == "web: 1 differ, 1 are only in the copy\n    differs: a.py\n    only in the copy: made\n"
    assert tree(room.copy("web")) == before


def test_two_repos_of_one_short_name_are_called_by_their_ids(room: Room) -> None:
    ids = []
    for name in ("a", "b"):
        (room.sources / name).mkdir()
        ids.append(str(room.repo(f"{name}/web"))[1:])
    done = room.dusty("sync")
    assert all(f"synced {repo_id}: 2 changed" in done.stdout for repo_id in ids)
    assert room.dusty("sync", "--verify", ids[0]).stdout == f"{ids[0]}: source and copy are equal\n"


def test_checksum_and_allow_empty_reach_the_sync(room: Room) -> None:
    source = room.repo("web", {"a.py": "a"})
    room.dusty("sync")
    assert "synced web: 0 changed" in room.dusty("sync", "--checksum").stdout
    (source / "a.py").unlink()
    done = room.dusty("sync")
    assert done.returncode == 1 and "--allow-empty" in done.stderr
    assert "1 deleted" in room.dusty("sync", "--allow-empty").stdout


def test_progress_shows_rsyncs_own(room: Room) -> None:
    room.repo("web", {"a.py": "a" * 100000})
    assert "100%" in room.dusty("sync", "--progress").stdout


class Watching:
    """`dusty sync --watch`, whose lines are read as they come."""

    def __init__(self, room: Room, *words: str, before: Sequence[str] = (), **named) -> None:
        room.compiled()
        self.process = subprocess.Popen(
            [*before, *room.argv("sync", "--watch", *words)],
            env=room.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="surrogateescape",
            **named,
        )

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def until(self, text: str) -> list[str]:
        """The lines up to the one that holds `text`."""
        lines = []
        timer = threading.Timer(60, self.process.kill)
        timer.start()
        for line in self.process.stdout:
            lines.append(line)
            if text in line:
                timer.cancel()
                return lines
        raise AssertionError(f"no {text!r} in {lines}")

    def interrupt(self) -> tuple[int, str]:
        """^C: the exit code, and what was said after it."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20), self.process.stdout.read()


def test_watch_syncs_once_per_burst_and_ignores_what_is_excluded(room: Room) -> None:
    source = room.repo("web", {"a.py": "a", ".dustyignore": "*.log\n/build/\n"})
    with Watching(room) as watch:
        assert "synced web: 2 changed" in watch.until("\n")[0]
        assert watch.until("\n") == ["watching 1 repo; press ^C to stop\n"]
        for number in range(20):
            write(source / f"f{number}", "x")
        assert "synced web: 20 changed" in watch.until("\n")[0]
        write(source / "build/x.py", "x")
        write(source / "x.log", "x")
        write(source / "a.py", "changed")
        assert "synced web: 1 changed" in watch.until("\n")[0]
        write(source / ".dustyignore", "*.log\n")
        assert "synced web: 2 changed" in watch.until("\n")[0]
        write(source / "build/x.py", "not excluded any more")
        assert "synced web: 1 changed" in watch.until("\n")[0]
        assert watch.interrupt() == (130, "interrupted\n")
    assert (room.copy("web") / "a.py").read_text() == "changed"
    assert (room.copy("web") / "build/x.py").read_text() == "not excluded any more"


def test_watch_follows_no_link_and_takes_any_name(room: Room) -> None:
    source = room.repo("web")
    (source / "all").symlink_to("/")
    with Watching(room) as watch:
        watch.until("watching 1 repo")
        with open(os.fsencode(source) + b"/caf\xe9", "w") as file:
            file.write("x")
        watch.until("synced web: 1 changed")
        before = os.times()
        write(source / "a.py", "changed")
        watch.until("synced web: 1 changed")
        assert watch.interrupt() == (130, "interrupted\n")
        spent = os.times()
    assert spent.children_user - before.children_user < 20
    assert os.path.exists(os.fsencode(room.copy("web")) + b"/caf\xe9") and (room.copy("web") / "all").is_symlink()


def test_watch_goes_on_without_watches_and_says_so_in_one_line(room: Room) -> None:
    limited = [
        "unshare",
        "-U",
        "--map-root-user",
        "sh",
        "-c",
        'echo 5 >/proc/sys/user/max_inotify_watches; exec "$@"',
        "sh",
    ]
    if subprocess.run([*limited[:3], "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    source = room.repo("web")
    for name in "abcdefgh":
        write(source / name / "x", "x")
    with Watching(room, before=limited) as watch:
        assert watch.until("watching 1 repo")
        said = watch.until("\n")[0]
        assert (
            said.startswith("web: no inotify watches are left (user.max_inotify_watches = 5;")
            and "every few seconds" in said
        )
        write(source / "h/x", "an edit")
        watch.until("synced web: 1 changed")
        assert watch.interrupt() == (130, "interrupted\n")


def test_watch_follows_what_its_sources_become(room: Room, tmp_path: Path) -> None:
    source = room.repo("web")
    room.repo("api")
    with Watching(room) as watch:
        watch.until("watching 2 repos")
        source.rename(tmp_path / "away")
        watch.until(f"web: {source} cannot be watched: it is gone")
        write(source / "a.py", "another repo at the same place")
        watch.until("synced web: 1 changed, 1 deleted")
        write(source / "a.py", "and an edit of it")
        watch.until("synced web: 1 changed")
        # An override is followed, and so is its end.
        write(room.home / "config.yml", f"repo_overrides: {{{source}: {tmp_path}/away}}\n")
        watch.until(f"synced web: 2 changed, 0 deleted, from {tmp_path}/away (override)")
        write(tmp_path / "away/b.py", "an edit of the override")
        watch.until("synced web: 1 changed")
        write(source / "a.py", "nobody looks here any more")
        write(room.home / "config.yml", "sync: {exclude: [broken\n")
        watch.until("still watching")
        write(tmp_path / "away/b.py", "another edit of the override")
        watch.until("synced web: 1 changed")
        write(tmp_path / "away/b.py", "and the watch goes on after it has noted that one in the journal")
        watch.until("synced web: 1 changed")
        write(room.home / "config.yml", "sync: {exclude: [b.py]}\n")
        watch.until(f"from {source} (local)")
        room.repo("lib")
        room.compiled()
        watch.until("synced lib")
        write(room.sources / "lib/a.py", "an edit of a repo that is new in the stack")
        watch.until("synced lib: 1 changed")
        assert watch.interrupt() == (130, "interrupted\n")


def test_a_sync_that_failed_is_tried_again_without_another_edit(room: Room) -> None:
    source = room.repo("web", {"a.py": "a"})
    with Watching(room) as watch:
        watch.until("watching 1 repo")
        (source / "a.py").unlink()
        watch.until("--allow-empty")
        subprocess.run(["rm", "-r", room.copy("web") / "a.py"], check=True)
        watch.until("synced web: 0 changed")
        assert watch.interrupt() == (130, "interrupted\n")


def test_a_watch_whose_reader_has_gone_ends(room: Room) -> None:
    room.repo("web")
    with Watching(room) as watch:
        watch.until("watching 1 repo")
        watch.process.stdout.close()
        assert watch.process.wait(20) == 141


def test_nothing_to_watch_is_the_users_to_mend(room: Room) -> None:
    subprocess.run(["rm", "-r", room.repo("web")], check=True)
    done = room.dusty("sync", "--watch")
    assert done.returncode == 1 and "does not exist" in done.stderr and "no source to watch" in done.stderr


def test_sub_tasks_run_only_for_what_changed(room: Room) -> None:
    web = room.repo("web")
    room.repo("api")
    assert "synced web" in room.dusty("sync:web").stdout
    assert room.dusty("sync:web").stdout == ""
    assert "synced web: 0 changed" in room.dusty("sync:web", "--checksum", "sync:web").stdout
    assert "synced api" in room.doit("sync").stdout
    write(web / "a.py", "changed")
    assert room.doit("sync").stdout == f"synced web: 1 changed, 0 deleted, from {web} (local)\n"
    assert room.doit("sync").stdout == ""
    subprocess.run(["rm", "-rf", room.home / "host"], check=True)
    assert "synced web" in room.dusty("sync:web").stdout


def test_plain_doit_says_how_a_repo_is_named(room: Room) -> None:
    room.repo("web")
    for words in (("sync", "web"), ("sync", "--checksum", "web"), ("run", "sync", "web")):
        done = room.doit(*words)
        assert (done.returncode, done.stderr) == (1, "doit takes web for a task: doit sync:web, or dusty sync web\n")
    assert not room.copy("web").exists()
    assert "synced web" in room.doit("sync", "sync:web").stdout


def test_an_edit_after_the_sub_task_was_judged_is_not_lost(room: Room) -> None:
    """The fingerprint in the receipt is of the time before the copy: what is edited later is stale."""
    source = room.repo("web")
    room.doit("sync")
    write(source / "a.py", "later")
    assert "synced web" in room.doit("sync").stdout
    assert (room.copy("web") / "a.py").read_text() == "later"


def test_file_names_that_are_terminal_codes_are_spelt_out(room: Room) -> None:
    source = room.repo("web")
    room.dusty("sync")
    room.dusty("sync", "--verify")
    for name in ("\x1b]0;owned\x07", "a\nrestarted db: all fine", "\udc9b2J"):
        (source / name).write_text("new")
    said = []
    for words in (("sync", "--verify"), ("sync", "--progress"), ("sync", "--why", "\x1b]0;owned\x07")):
        done = room.dusty(*words)
        said += [done.stdout, done.stderr]
    assert {*"".join(said)}.isdisjoint({"\x1b", "\x07", "\x9b"}) and "restarted db" in said[0]
    assert not any(line.startswith("restarted") for text in said for line in text.splitlines())
    write(source / "later", "x")
    (source / "a\nrestarted db: all fine").write_text("newer")
    assert next(iter(room.stale().values())) == r"a\nrestarted db: all fine changed and 1 more"
