"""`dusty setup`: flags, answers or what is configured; then the helper and the repos, each said for itself."""

from __future__ import annotations

import builtins
import os
import pty
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.verbs import setup
from dusty_tasks.verbs.shared import words as shared_words

ROOT = Path(__file__).resolve().parents[2]


class Others:
    """The verbs that setup calls, in name only."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.is_installed = False
        self.info: dict[str, object] | None = {}
        self.address = "192.168.5.15"
        self.hosts_end: Callable[[], int] = lambda: 0
        self.repos_end: Callable[[], int] = lambda: 0

    def hosts(self, words: list[str], allow: list[str], yes: bool) -> int:
        self.calls.append(("hosts", *words, *allow, yes))
        return self.hosts_end()

    def repos(self, words: list[str]) -> int:
        self.calls.append(("repos", *words))
        return self.repos_end()

    def read_info(self, engine: object) -> dict[str, object]:
        if self.info is None:
            raise Failure("no engine")
        return self.info


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Iterator[Others]:
    import dusty_tasks.verbs
    from dusty_tasks.effects.engine import reads
    from dusty_tasks.effects.hosts import helper as helper_install
    from dusty_tasks.operations.machine import docker_host as host_start

    others = Others()
    for name in ("hosts", "repos"):
        module = types.ModuleType(name)
        module.run = getattr(others, name)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"dusty_tasks.verbs.{name}", module)
        monkeypatch.setattr(dusty_tasks.verbs, name, module, raising=False)
    monkeypatch.setattr(
        helper_install,
        "check_installation",
        lambda: [helper_install.Check("ok" if others.is_installed else "failed", "helper", "")],
    )
    monkeypatch.setattr(reads, "read_info", others.read_info)
    monkeypatch.setattr(host_start, "store_address", lambda host: others.address)
    yield others


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person at a terminal: the answers that will be given, in order."""
    answers: list[str] = []
    monkeypatch.setattr(setup, "may_ask", lambda: True)
    monkeypatch.setattr(shared_words, "may_ask", lambda: True)
    monkeypatch.setattr(builtins, "input", lambda: answers.pop(0))
    return answers


def test_flags_answer_everything(dusty: Chosen, others: Others) -> None:
    ended = dusty("setup", "--specs-repo", "github.com/org/specs", "--host", "local", "--yes")
    assert ended.code == 0 and "specs repo: github.com/org/specs\n" in ended.out
    assert dusty.config.read_text() == "specs_repo: github.com/org/specs  # ours\n"
    assert others.calls == [("hosts", "install", True), ("repos", "update")]
    assert dusty.log()[0] == "setup"


def test_what_is_configured_stays_where_nothing_is_given(dusty: Chosen, others: Others) -> None:
    dusty.config.write_text(f"specs_repo: {dusty.specs}\nhost: {{kind: ssh, ssh: dev@box, wait: 3}}\n")
    before = dusty.config.read_text()
    for words in ([], ["--yes"]):
        assert dusty("setup", *words).code == 0
        assert dusty.config.read_text() == before


def test_another_specs_repo_drops_the_bundles_of_the_former_with_a_word(dusty: Chosen, others: Others) -> None:
    dusty.config.write_text(f"specs_repo: {dusty.specs}\nbundles: [shop]\n")
    assert "no longer active" not in dusty("setup", "--yes").out
    ended = dusty("setup", "--specs-repo", "github.com/org/specs", "--yes")
    assert (
        "no longer active, because they belong to the previous specs repo: shop\n    hint: dusty bundles activate <name>\n"
        in ended.out
    )
    assert dusty.config.read_text() == "specs_repo: github.com/org/specs\n"
    dusty("bundles", "activate", "shop")
    dusty("setup", "--specs-repo", "", "--yes")
    assert dusty.config.read_text() == f"specs_repo: {dusty.home}/example/specs\nbundles:\n  - example\n", (
        "the examples bring theirs"
    )


def test_a_person_is_asked(dusty: Chosen, others: Others, person: list[str]) -> None:
    person += ["github.com/org/specs", "ssh", "dev@box:2222"]
    assert dusty("setup").code == 0
    assert (
        dusty.config.read_text()
        == "specs_repo: github.com/org/specs  # ours\nhost:\n  kind: ssh\n  ssh: dev@box:2222\n"
    )


def test_blank_answers_keep_what_is_there(dusty: Chosen, others: Others, person: list[str]) -> None:
    before = dusty.config.read_text()
    person += ["", ""]
    assert dusty("setup").code == 0 and dusty.config.read_text() == before


def test_blank_stands_for_the_examples_where_nothing_is_configured(
    dusty: Chosen, others: Others, person: list[str]
) -> None:
    dusty.config.unlink()
    person += ["", ""]
    assert dusty("setup", "--no-update").code == 0
    assert dusty.config.read_text() == f"specs_repo: {dusty.home}/example/specs\nbundles:\n  - example\n"
    assert others.calls == [("hosts", "install", False)]


def test_without_a_terminal_it_says_what_it_would_have_asked(dusty: Chosen, others: Others) -> None:
    dusty.config.unlink()
    ended = dusty("setup")
    assert ended.code == 1 and "no terminal" in ended.err and "--specs-repo" in ended.err
    assert not dusty.config.exists() and others.calls == []


def test_a_folder_of_the_caller_becomes_a_path(dusty: Chosen, others: Others) -> None:
    for word in ("./specs/", "specs"):
        dusty.config.write_text("specs_repo: /elsewhere  # ours\n")
        dusty("setup", "--specs-repo", word)
        assert dusty.config.read_text() == f"specs_repo: {dusty.specs}  # ours\n"
    (dusty.specs.parent / "git.corp/specs").mkdir(parents=True)
    dusty("setup", "--specs-repo", "git.corp/specs")
    assert dusty.config.read_text() == "specs_repo: git.corp/specs  # ours\n"


def test_an_ssh_host_needs_its_name(dusty: Chosen, others: Others) -> None:
    ended = dusty("setup", "--host", "ssh")
    assert ended.code == 1 and "dusty config set host.ssh" in ended.err and "kind: ssh" not in dusty.config.read_text()
    dusty("config", "set", "host.ssh", "dev@box")
    assert dusty("setup", "--host", "ssh").code == 0
    assert "kind: ssh" in dusty.config.read_text()


def test_another_machine_has_another_address(dusty: Chosen, others: Others, person: list[str]) -> None:
    dusty.config.write_text(f"specs_repo: {dusty.specs}\nhost: {{kind: ssh, ssh: dev@box, address: 10.0.0.1}}\n")
    person += ["", "", "dev@other"]
    assert dusty("setup").code == 0
    assert "other" in dusty.config.read_text() and "10.0.0.1" not in dusty.config.read_text()


def test_an_ssh_host_without_an_address_is_named(dusty: Chosen, others: Others) -> None:
    others.address = ""
    dusty.config.write_text(f"specs_repo: {dusty.specs}\nhost: {{kind: ssh, ssh: dev@box}}\n")
    ended = dusty("setup", "--yes")
    assert ended.code == 1 and "dusty config set host.address" in ended.err and others.calls[-1] == ("repos", "update")


def test_a_public_address_is_named_to_the_helper(dusty: Chosen, others: Others) -> None:
    dusty.config.write_text(f"specs_repo: {dusty.specs}\nhost: {{kind: ssh, ssh: dev@box, address: 8.8.4.4}}\n")
    dusty("setup", "--no-update", "--yes")
    assert others.calls == [("hosts", "install", "8.8.4.4", True)]


def test_an_installed_helper_is_left_alone(dusty: Chosen, others: Others) -> None:
    others.is_installed = True
    assert "the hosts helper is installed" in dusty("setup").out
    assert others.calls == [("repos", "update")]


def test_root_is_not_told_of_a_helper_that_is_not_there(
    dusty: Chosen, others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dusty_tasks.effects.hosts import helper as helper_install

    monkeypatch.setattr(
        helper_install, "check_installation", lambda: [helper_install.Check("ok", helper_install.NOT_NEEDED, "")]
    )
    assert helper_install.NOT_NEEDED in dusty("setup").out
    assert others.calls == [("repos", "update")]


@pytest.mark.parametrize("mode", ["off", "localhost"])
def test_no_helper_where_the_hosts_file_is_left_alone(dusty: Chosen, others: Others, mode: str) -> None:
    dusty("config", "set", "hosts.mode", mode)
    dusty("setup")
    assert others.calls == [("repos", "update")]


def test_a_part_that_fails_does_not_stop_the_next(dusty: Chosen, others: Others) -> None:
    def fail() -> int:
        raise Failure("sudo is refused")

    others.hosts_end = fail
    others.repos_end = lambda: 2
    ended = dusty("setup", "--yes")
    assert ended.code == 2 and "sudo is refused" in ended.err and others.calls[-1] == ("repos", "update")
    assert "not all of it could be done" in ended.out


def test_a_fetch_that_fails_is_a_tools_failure(dusty: Chosen, others: Others) -> None:
    def fail() -> int:
        raise ToolFailed(["git", "fetch"], 128, "no route")

    others.repos_end = fail
    assert dusty("setup").code == 2


def test_routing_follows_an_engine_whose_bridge_is_out_of_reach(dusty: Chosen, others: Others) -> None:
    others.info = {"SecurityOptions": ["name=seccomp", "name=rootless"]}
    assert "routing: network (the engine runs rootless" in dusty("setup").out
    assert "routing: network\n" in dusty.config.read_text()


def test_an_engine_that_does_not_answer_changes_nothing(dusty: Chosen, others: Others) -> None:
    others.info = None
    assert dusty("setup").code == 0 and "routing" not in dusty.config.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "vm"], '"vm" is not a kind of Docker host'),
        (["--host", "locl"], 'did you mean "local"?'),
        (["--specs-repo", "/nosuch"], "there is no folder /nosuch"),
        (["--specs-repo", "./nosuch"], "there is no folder /"),
        (["--specs-repo", "a b"], "specs_repo: "),
        (["--specs-repo", "-x"], "specs_repo: "),
        (["x"], 'unexpected argument "x"'),
        (["--specs-repo", "x" * 100_000 + "\n"], "specs_repo: "),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_input_is_named_and_changes_nothing(dusty: Chosen, others: Others, words: list[str], said: str) -> None:
    before = dusty.config.read_bytes()
    ended = dusty("setup", *words)
    assert ended.code == 1 and said in ended.err and others.calls == []
    assert dusty.config.read_bytes() == before


def test_a_real_terminal_is_asked_on(dusty: Chosen) -> None:
    dusty.config.write_text("hosts: {mode: 'off'}\n")
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "dusty_tasks", "setup", "--no-update"], cwd=ROOT, stdin=slave, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        os.write(master, f"{dusty.specs}\n\n\n".encode())
        printed = b"".join(iter(lambda: read_terminal(master), b"")).decode()
    os.close(master)
    assert (
        process.returncode == 0
        and "Specs repo (blank: the examples): " in printed
        and "Docker host, local or ssh [local]: " in printed
    )
    assert f"{dusty.home.parent}/user-home/.local/bin/dusty" in printed and "Do all of this? [y/N]" in printed
    assert not (dusty.home.parent / "user-home/.local").exists(), "no is an answer"
    assert dusty.config.read_text() == f"hosts: {{mode: 'off'}}\nspecs_repo: {dusty.specs}\n"


def read_terminal(master: int) -> bytes:
    """The next of what was printed; b'' once nobody has the terminal open any more."""
    try:
        return os.read(master, 1 << 16)
    except OSError:
        return b""
