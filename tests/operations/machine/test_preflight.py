"""The decision before a run: silence, a question, a refusal with commands, or the bringing."""

import os

import pytest

from dusty_tasks.core.of_verbs.provision import ACCESS, ENGINE, RSYNC, Machine
from dusty_tasks.effects.doors.failures import ToolFailed
from dusty_tasks.effects.engine import images
from dusty_tasks.effects.machine import packages
from dusty_tasks.operations.machine import consent, preflight
from dusty_tasks.operations.machine.consent import Consent, Item


class World:
    """A machine in memory: what it lacks, what was said, and which steps ran."""

    def __init__(self, monkeypatch) -> None:
        self.missing: list[str] = []
        self.machine = Machine("debian", "trixie", home="/h")
        self.ran: list[str] = []
        self.said: list[str] = []
        self.reran: list[list[str]] = []
        self.brings = True
        self.may_sudo = True
        self.engine_trouble = ""
        self.also: list[Item] = []
        monkeypatch.setattr(packages, "read_missing", lambda **_: list(self.missing))
        monkeypatch.setattr(packages, "read_machine", lambda home: self.machine)
        monkeypatch.setattr(packages, "run_step", self.run_step)
        monkeypatch.setattr(packages, "may_sudo", lambda **_: self.may_sudo)
        monkeypatch.setattr(packages, "wait_for_engine", lambda home: self.engine_trouble)
        monkeypatch.setattr(packages, "is_in_docker_group", lambda: True)
        monkeypatch.setattr(packages, "rerun_in_docker_group", lambda argv: self.reran.append(list(argv)))

    def run_step(self, step, machine, on_line) -> None:
        self.ran.append(step.what)
        on_line("Setting up rsync (3.2) ...")
        if self.brings:
            self.missing.clear()

    def ensure(self, *, ask: bool = False, yes: bool = False) -> int:
        return preflight.ensure_tools(Consent(yes=yes, ask=ask), self.said.append, home="/h", also=self.also)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


@pytest.fixture
def world(monkeypatch) -> World:
    return World(monkeypatch)


def test_where_all_is_there_nothing_is_said(world):
    assert (world.ensure(), world.said) == (0, [])


def test_without_a_terminal_the_commands_are_shown_and_none_is_run(world):
    world.missing = [RSYNC]
    assert world.ensure() == 1
    assert "apt-get install -y --no-install-recommends rsync" in world.text
    assert world.ran == []


def test_yes_brings_it_and_tells_the_progress(world):
    world.missing = [RSYNC]
    assert world.ensure(yes=True) == 0
    assert "set up rsync" in world.text


@pytest.mark.parametrize(("agrees", "code", "runs"), [(True, 0, 1), (False, 1, 0)])
def test_a_terminal_is_asked_once_and_told_what_for(world, monkeypatch, capsys, agrees, code, runs):
    asked: list[str] = []
    monkeypatch.setattr(consent.console, "confirm", lambda question: asked.append(question) or agrees)
    world.missing, world.also = [RSYNC], [consent.HOSTS]
    assert world.ensure(ask=True) == code
    assert asked == ["Do all of this?"]
    shown = capsys.readouterr().out
    assert "  - install rsync from Debian's packages\n  - keep a marked section in /etc/hosts" in shown
    assert len(world.ran) == runs


def test_an_unknown_system_is_told_what_to_get_even_with_yes(world):
    world.machine, world.missing = Machine("macos"), [RSYNC, ENGINE]
    assert world.ensure(yes=True) == 1
    assert "brew install rsync" in world.text
    assert world.ran == []


def test_a_failing_package_manager_is_exit_2_with_its_words(world, monkeypatch):
    def fail(*_) -> None:
        raise ToolFailed(["apt-get"], 100, "E: no space")

    monkeypatch.setattr(packages, "run_step", fail)
    world.missing = [RSYNC]
    assert world.ensure(yes=True) == 2
    assert "E: no space" in world.text


def test_what_is_still_missing_afterwards_is_exit_2(world):
    world.missing, world.brings = [RSYNC], False
    assert world.ensure(yes=True) == 2
    assert "Still missing after that: rsync." in world.text


def test_an_engine_that_does_not_come_up_shows_its_log(world):
    world.missing, world.engine_trouble = [ENGINE], "cgroups: not mounted"
    assert world.ensure(yes=True) == 2
    assert "cgroups: not mounted" in world.text


def test_no_sudo_is_a_refusal_with_the_commands(world):
    world.machine, world.may_sudo, world.missing = (
        world.machine._replace(is_root=False, user_name="ada"),
        False,
        [RSYNC],
    )
    assert world.ensure(yes=True) == 1
    assert "sudo may not be used here" in world.text
    assert world.ran == []


def test_a_new_member_of_the_docker_group_goes_on_in_it(world):
    world.missing = [ACCESS]
    assert world.ensure() == 1, "the rerun replaces the process; here it returned"
    assert (len(world.reran), world.text.count("sg docker")) == (1, 0)


def test_the_group_is_named_in_the_run_that_brings_it(world, monkeypatch):
    world.missing, world.engine_trouble = [RSYNC, ACCESS], ACCESS
    monkeypatch.setattr(world, "brings", False)
    monkeypatch.setattr(
        packages, "run_step", lambda *_: world.missing.remove(RSYNC) if RSYNC in world.missing else None
    )
    assert world.ensure(yes=True) == 1
    assert (len(world.reran), world.text.count("sg docker")) == (1, 1)


@pytest.mark.parametrize(("trouble", "reruns"), [(ACCESS, 1), (ENGINE, 0), ("", 0)])
def test_other_verbs_of_a_new_member_go_on_in_the_group_without_a_word(world, monkeypatch, trouble, reruns):
    monkeypatch.setattr(packages, "read_engine_trouble", lambda address: trouble)
    preflight.join_docker_group()
    assert (len(world.reran), world.said) == (reruns, [])


def test_stand_ins_are_renewed_once_a_day(dusty_home, monkeypatch):
    tried: list[dict] = []
    monkeypatch.setattr(images, "replace_stand_ins", lambda say, env: tried.append(env))
    for _ in range(2):
        preflight.renew_stand_ins(print, {"A": "1"})
    assert tried == [{"A": "1"}]
    os.utime(dusty_home / "state/stand-ins-tried", (1, 1))
    preflight.renew_stand_ins(print, {})
    assert len(tried) == 2
