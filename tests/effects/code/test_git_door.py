"""What a git of ours does not do: run what a repo's own configuration names, or show a password."""

from __future__ import annotations

import base64
import glob
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from git_remotes import Remote, git

from dusty_tasks.effects.code import git as git_door
from dusty_tasks.effects.code.clone_updates import update_clone
from dusty_tasks.effects.code.clones import Clone
from dusty_tasks.effects.doors.failures import ToolFailed

pytestmark = pytest.mark.usefixtures("plain_git")
PROGRAMS = {
    "core.fsmonitor": "{evil}",
    "core.sshCommand": "{evil}",
    "core.askPass": "{evil}",
    "core.pager": "{evil}",
    "core.editor": "{evil}",
    "core.alternateRefsCommand": "{evil}",
    "core.hooksPath": "{folder}",
    "filter.evil.clean": "{evil}",
    "filter.evil.smudge": "{evil}",
    "filter.lfs.process": "{evil}",
    "filter.lfs.required": "true",
    "diff.external": "{evil}",
    "diff.evil.textconv": "{evil}",
    "diff.evil.command": "{evil}",
    "merge.evil.driver": "{evil}",
    "merge.verifySignatures": "true",
    "gpg.program": "{evil}",
    "credential.helper": "!{evil}",
    "remote.origin.uploadpack": "{evil}",
    "gc.auto": "1",
    "gc.recentObjectsHook": "{evil}",
    "alias.status": "!{evil}",
    "alias.lfs": "!{evil}",
    "lfs.standalonetransferagent": "evil",
    "lfs.customtransfer.evil.path": "{evil}",
    "protocol.ext.allow": "always",
    "submodule.lib.update": "!{evil}",
    "submodule.recurse": "true",
    "sequence.editor": "{evil}",
    "uploadpack.packObjectsHook": "{evil}",
    "core.attributesFile": "{folder}/attributes",
}
HOOKS = (
    "post-checkout",
    "post-merge",
    "pre-merge-commit",
    "reference-transaction",
    "post-index-change",
    "pre-auto-gc",
    "fsmonitor-watchman",
    "post-rewrite",
    "pre-rebase",
    "post-commit",
    "proc-receive",
    "query-watchman",
)


class Evil:
    """A program that leaves a mark, and repos that ask for it in every way that git knows."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.marks = folder, folder / "marks"
        folder.mkdir()
        self.program = folder / "program"
        self.program.write_text(f'#!/bin/sh\necho "$0 $*" >>{self.marks}\nexec cat\n')
        (folder / "attributes").write_text("* filter=evil diff=evil merge=evil\n")
        self.program.chmod(0o755)

    def infect(self, clone_path: Path, keys: dict[str, str]) -> None:
        for hook in HOOKS:
            for place in (clone_path / ".git/hooks", self.folder):
                place.mkdir(exist_ok=True)
                (place / hook).write_text(self.program.read_text())
                (place / hook).chmod(0o755)
        for key, value in keys.items():
            git(clone_path, "config", key, value.format(evil=self.program, folder=self.folder))
        (clone_path / ".git/info/attributes").write_text("* filter=evil diff=evil merge=evil\n")
        (clone_path / "a.txt").touch()  # so that git looks at the content again

    def seen(self) -> str:
        return self.marks.read_text() if self.marks.exists() else ""


@pytest.fixture
def evil(tmp_path: Path) -> Evil:
    return Evil(tmp_path / "evil")


def test_no_program_of_a_repos_own_configuration_runs(
    remote: Remote, clone_path: Path, evil: Evil, tmp_path: Path
) -> None:
    lib = Remote(tmp_path, name="lib")
    lib.commit("lib.txt")
    remote.git("submodule", "--quiet", "add", "../lib.git", "lib")
    remote.commit("b.bin")
    update_clone(str(clone_path), remote.url, "")
    evil.infect(clone_path, PROGRAMS)
    git(clone_path, "config", f"remote.{remote.url}.uploadpack", evil.program)
    assert "program" in os.popen(f"git -C {clone_path} status 2>&1; cat {evil.marks}").read(), (
        "the trap works: a git by hand runs it"
    )
    evil.marks.unlink()
    assert Clone(str(clone_path)).state() in ("clean", "dirty")
    lib.commit("lib.txt", "two\n")
    remote.git("submodule", "--quiet", "update", "--remote")
    newest = remote.commit("b.bin", "two\n")
    assert update_clone(str(clone_path), remote.url, "").after == newest
    remote.git("commit", "-q", "--amend", "-m", "rewritten")
    remote.git("push", "-q", "--force", "origin", "HEAD")
    remote.commit("c.txt", branch="other")
    assert update_clone(str(clone_path), remote.url, "other").action == "switch"
    (clone_path / "a.txt").write_text("mine\n")
    remote.commit("a.txt", "two\n")
    assert update_clone(str(clone_path), remote.url, "other", is_reset_wanted=True).action == "reset"
    assert Clone(str(clone_path)).state() == "clean"
    assert evil.seen() == ""
    assert (clone_path / "lib/lib.txt").read_text() == "two\n"


def test_what_is_included_or_stands_in_the_worktrees_configuration_is_seen_as_well(
    remote: Remote, clone_path: Path, evil: Evil
) -> None:
    update_clone(str(clone_path), remote.url, "")
    (clone_path / ".git/more").write_text(f'[filter "evil"]\n\tclean = {evil.program}\n')
    git(clone_path, "config", "include.path", "more")
    git(clone_path, "config", "extensions.worktreeConfig", "true")
    git(clone_path, "config", "--worktree", "filter.evil.smudge", evil.program)
    evil.infect(clone_path, {})
    remote.commit(text="two\n")
    assert update_clone(str(clone_path), remote.url, "").action == "forward"
    assert evil.seen() == ""


def test_a_submodules_own_configuration_is_not_obeyed_either(
    remote: Remote, clone_path: Path, evil: Evil, tmp_path: Path
) -> None:
    lib = Remote(tmp_path, name="lib")
    lib.commit("lib.txt")
    remote.git("submodule", "--quiet", "add", "../lib.git", "lib")
    remote.push("lib")
    update_clone(str(clone_path), remote.url, "")
    repo = clone_path / ".git/modules/lib"
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "remote.origin.uploadpack"):
        git(clone_path / "lib", "config", key, evil.program)
    (repo / "info/attributes").write_text("* filter=evil\n")
    lib.commit("lib.txt", "two\n")
    remote.git("submodule", "--quiet", "update", "--remote")
    remote.push("newer")
    assert Clone(str(clone_path)).state() == "clean"
    assert update_clone(str(clone_path), remote.url, "").missing == ()
    git(clone_path, "submodule", "--quiet", "deinit", "--force", "lib")
    evil.marks.unlink(missing_ok=True)
    (clone_path / ".git/dusty-whole").unlink()
    assert update_clone(str(clone_path), remote.url, "").action == "completed"
    assert (clone_path / "lib/lib.txt").read_text() == "two\n"
    assert evil.seen() == ""


def test_the_users_own_configuration_is_obeyed(remote: Remote, clone_path: Path, plain_git: Path, evil: Evil) -> None:
    plain_git.write_text(
        plain_git.read_text()
        + '[filter "upper"]\n\tsmudge = tr a-z A-Z\n\tclean = tr A-Z a-z\n[core]\n\tsshCommand = ssh -i mine\n'
    )
    git_door.forget_surroundings()
    remote.commit(".gitattributes", "*.txt filter=upper\n")
    update_clone(str(clone_path), remote.url, "")
    git(clone_path, "config", "filter.upper.smudge", evil.program)
    remote.commit(text="two\n")
    update_clone(str(clone_path), remote.url, "")
    assert (clone_path / "a.txt").read_text() == "TWO\n" and evil.seen() == ""
    assert git_door._environment()["GIT_SSH_COMMAND"] == "ssh -i mine"


@pytest.mark.parametrize("kind", ["fifo", "device", "huge"])
def test_a_configuration_that_has_no_end_stops_nobody(remote: Remote, clone_path: Path, kind: str) -> None:
    update_clone(str(clone_path), remote.url, "")
    config = clone_path / ".git/config"
    config.unlink()
    if kind == "fifo":
        os.mkfifo(config)
    elif kind == "device":
        config.symlink_to("/dev/zero")
    else:
        config.write_bytes(b"x" * (2 << 20))
    assert Clone(str(clone_path)).state() == "broken"
    assert update_clone(str(clone_path), remote.url, "").note.startswith("the broken clone was set aside as")


def test_a_repo_of_another_users_is_not_looked_into(
    remote: Remote, clone_path: Path, monkeypatch: pytest.MonkeyPatch, plain_git: Path
) -> None:
    update_clone(str(clone_path), remote.url, "")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert Clone(str(clone_path)).state() == "of another user"
    plain_git.write_text(plain_git.read_text() + f"[safe]\n\tdirectory = {clone_path}\n")
    git_door.forget_surroundings()
    assert Clone(str(clone_path)).state() == "clean"


# Passwords


@pytest.fixture
def served(remote: Remote) -> Iterator[ThreadingHTTPServer]:
    """The remote over http, for `user` with the password `sec/ret`; `seen` are command lines with it while a request is answered."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            for path in glob.glob("/proc/[0-9]*/cmdline"):
                try:
                    line = Path(path).read_bytes()
                except OSError:
                    continue
                if b"sec/ret" in line or b"sec%2Fret" in line:
                    server.seen.append(line)
            given = self.headers.get("Authorization", "")
            if given == f"Basic {base64.b64encode(b'user:sec/ret').decode()}":
                super().do_GET()
            else:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic realm=x")
                self.end_headers()

        def log_message(self, *_words) -> None:
            pass

    git(remote.bare, "update-server-info")
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *words: Handler(*words, directory=str(remote.bare.parent)))
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_password_in_a_url_works_and_is_seen_by_nobody(served, remote: Remote, clone_path: Path) -> None:
    url = f"http://user:sec%2Fret@127.0.0.1:{served.server_port}/x.git"
    assert update_clone(str(clone_path), url, "").action == "cloned"
    newest = remote.commit(text="two\n")
    git(remote.bare, "update-server-info")
    assert update_clone(str(clone_path), url, "").after == newest
    assert served.seen == []
    assert "ret" not in (clone_path / ".git/config").read_text().replace("remote", "")
    git(clone_path, "config", "remote.origin.url", url)  # as former versions left it
    update_clone(str(clone_path), url, "")
    assert git(clone_path, "config", "remote.origin.url") == f"http://user@127.0.0.1:{served.server_port}/x.git"


@pytest.mark.parametrize("account", ["user:wrong%2Fsecret", "user:s3cret"])
def test_a_password_is_in_no_error(served, clone_path: Path, account: str) -> None:
    for path in ("x.git", "nowhere.git"):
        with pytest.raises(ToolFailed) as raised:
            update_clone(str(clone_path), f"http://{account}@127.0.0.1:{served.server_port}/{path}", "")
        assert "ecret" not in str(raised.value) and raised.value.hint
