"""The unprivileged side: what is read and compared, which command is run, what is kept for undo. No root, no sudo."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hosts_box import ROOT, section

from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.process import Finished
from dusty_tasks.effects.hosts import section as hosts_file
from dusty_tasks.effects.hosts.section import EMPTY_SECTION, HELPER_PATH, HostsOutcome

SHOP = section("127.0.0.1 shop.test").decode()
OTHER = section("127.0.0.1 other.test").decode()


class Fake:
    """A hosts file and a machine: what processes are run and how they end, without running any."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.calls, self.said, self.answers = path, [], [], []
        self.uid, self.installed = 1000, True
        monkeypatch.setattr(hosts_file, "HOSTS_PATH", str(path))
        monkeypatch.setattr(hosts_file.read_hosts_file, "__defaults__", (str(path),))
        monkeypatch.setattr(hosts_file.os, "geteuid", lambda: self.uid)
        monkeypatch.setattr(hosts_file, "is_installed", lambda: self.installed)
        monkeypatch.setattr(process, "run", self.run)
        self.helper = hosts_file.helper_module()

    def run(self, argv, *, input, env=None, timeout=None):
        self.calls.append((list(argv), input))
        answer = self.answers.pop(0) if self.answers else self.helps
        return answer(argv, input) if callable(answer) else answer

    def helps(self, argv, request):
        """As the helper would."""
        found = self.path.read_bytes() if self.path.exists() else None
        try:
            new = self.helper["new_content"](*self.helper["parse_request"](argv[-1], request), found)
        except self.helper["Refusal"] as refusal:
            return Finished(refusal.code, "", f"dusty-hosts: {argv[-1]}: {refusal}\n")
        self.path.write_bytes(new)
        return Finished(0, "changed\n" if new != found else "unchanged\n", "")

    def write(self, text: str, may_ask: bool = False) -> HostsOutcome:
        return hosts_file.write_hosts_section(text, may_ask=may_ask, say=self.said.append)

    def undo(self) -> HostsOutcome:
        return hosts_file.undo_hosts_section(may_ask=False, say=self.said.append)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dusty_home: Path) -> Fake:
    fake = Fake(tmp_path / "hosts", monkeypatch)
    fake.path.write_bytes(b"127.0.0.1 localhost\n")
    return fake


NEEDS_PASSWORD = Finished(1, "", "sudo: a password is required\n")


def test_missing_file_reads_as_empty_and_a_closed_one_fails(tmp_path: Path) -> None:
    assert hosts_file.read_hosts_file(str(tmp_path / "none")) == b""
    with pytest.raises(Failure):
        hosts_file.read_hosts_file(str(tmp_path))


@pytest.mark.parametrize(
    "found, is_there",
    [
        (SHOP, True),
        ("a\n" + SHOP + "b", True),
        ("", False),
        ("a\n", False),
        (OTHER, False),
        (SHOP + SHOP, False),
        (SHOP + "x\n" + OTHER, False),
        ("x" + SHOP, False),
        (SHOP[:-1], False),
        (SHOP.replace("\n", "\r\n"), False),
        (SHOP + "# END section for Dusty", False),
        ("# BEGIN section for Dusty\r\n" + SHOP, False),
    ],
)
def test_section_is_in_place(found: str, is_there: bool) -> None:
    assert hosts_file.section_is_in_place(found.encode(), SHOP) is is_there


@pytest.mark.parametrize(
    "found, is_there",
    [
        ("", True),
        ("a\n", True),
        (" # BEGIN section for Dusty\n", True),
        (SHOP, False),
        (EMPTY_SECTION, False),
        ("# END section for Dusty", False),
    ],
)
def test_empty_section_is_in_place_when_there_is_none(found: str, is_there: bool) -> None:
    assert hosts_file.section_is_in_place(found.encode(), EMPTY_SECTION) is is_there


def test_look_without_a_change_imports_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(SHOP)
    code = (
        f"import sys\nfrom dusty_tasks.effects.hosts import section as h\nbefore=set(sys.modules)\n"
        f"assert h.section_is_in_place(h.read_hosts_file({str(tmp_path / 'hosts')!r}), {SHOP!r})\nprint(*sorted(set(sys.modules) & {{'hashlib','ipaddress','difflib','sh','json','syslog','subprocess'}}))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        == []
    )


def test_section_in_place_calls_nobody(fake: Fake) -> None:
    fake.path.write_text(SHOP)
    assert fake.write(SHOP) == HostsOutcome(True, False, "the hosts section is in place")
    assert (fake.calls, fake.said) == ([], [])


def test_diff_is_shown_before_sudo_runs(fake: Fake) -> None:
    outcome = fake.write(SHOP)
    assert outcome == HostsOutcome(True, True, "wrote the hosts section")
    digest = hashlib.sha256(b"127.0.0.1 localhost\n").hexdigest()
    assert fake.calls == [(["sudo", "-n", HELPER_PATH, "apply"], f"{digest}\n{SHOP}".encode())]
    assert "+127.0.0.1 shop.test" in fake.said[0]
    assert fake.path.read_text() == "127.0.0.1 localhost\n" + SHOP


def test_empty_section_is_removed(fake: Fake) -> None:
    fake.path.write_text("a\n" + SHOP)
    assert fake.write(EMPTY_SECTION) == HostsOutcome(True, True, "removed the hosts section")
    assert fake.calls[0][0][-1] == "remove"
    assert fake.path.read_text() == "a\n"


def test_missing_file_has_a_digest_of_its_own(fake: Fake) -> None:
    fake.path.unlink()
    assert fake.write(SHOP).done
    assert fake.calls[0][1].startswith(b"missing\n")


def test_file_that_changes_meanwhile_is_looked_at_again(fake: Fake) -> None:
    def editor(argv, request):
        fake.path.write_bytes(b"10.0.0.1 new\n")
        return fake.helps(argv, request)

    fake.answers = [editor]
    assert fake.write(SHOP).done
    assert len(fake.calls) == 2
    assert fake.path.read_text() == "10.0.0.1 new\n" + SHOP


def test_file_that_never_rests_is_given_up(fake: Fake) -> None:
    fake.answers = [Finished(11, "", "dusty-hosts: apply: /etc/hosts is not as the caller saw it\n")] * 99
    outcome = fake.write(SHOP)
    assert not outcome.done
    assert "not as the caller saw it" in outcome.what
    assert len(fake.calls) == hosts_file.ATTEMPTS


def test_sudo_that_needs_a_password_is_not_waited_for(fake: Fake) -> None:
    fake.answers = [NEEDS_PASSWORD]
    outcome = fake.write(SHOP)
    assert (outcome.done, outcome.changed, outcome.by_hand) == (False, False, SHOP)
    assert "a password is required" in outcome.what and "hosts.mode" in outcome.hint
    assert [argv for argv, _input in fake.calls] == [["sudo", "-n", HELPER_PATH, "apply"]]
    assert fake.write(EMPTY_SECTION).done, "nothing is there to be removed"


def test_terminal_is_asked_after_the_command_was_shown(fake: Fake) -> None:
    fake.answers = [NEEDS_PASSWORD]
    assert fake.write(SHOP, may_ask=True).done
    assert [argv for argv, _input in fake.calls] == [
        ["sudo", "-n", HELPER_PATH, "apply"],
        ["sudo", HELPER_PATH, "apply"],
    ]
    assert fake.said[-1] == f"running: sudo {HELPER_PATH} apply"


def test_root_calls_the_helper_itself(fake: Fake) -> None:
    fake.uid = 0
    assert fake.write(SHOP).done
    assert fake.calls[0][0] == [HELPER_PATH, "apply"]


@pytest.mark.parametrize(
    "uid, start", [(0, [sys.executable, "-IS"]), (1000, ["sudo", "-n", "/usr/bin/python3", "-IS"])]
)
def test_without_an_installed_helper_the_one_of_this_copy_runs(fake: Fake, uid: int, start: list[str]) -> None:
    fake.uid, fake.installed = uid, False
    assert fake.write(SHOP).done
    assert fake.calls[0][0] == [*start, hosts_file.helper_source(), "apply"]


def test_missing_sudo(fake: Fake) -> None:
    def no_sudo(argv, request):
        raise ToolFailed(argv, 127, "sudo is not installed, or not on PATH")

    fake.answers = [no_sudo]
    outcome = fake.write(SHOP)
    assert "sudo is not installed" in outcome.what
    assert outcome.by_hand == SHOP


@pytest.mark.parametrize(
    "found, text, words",
    [
        ("# BEGIN section for Dusty\n", SHOP, "line 1"),
        ("", section("203.0.113.7 shop.test").decode(), "hosts install --allow"),
    ],
)
def test_refusals_of_the_helper_come_through(fake: Fake, found: str, text: str, words: str) -> None:
    fake.path.write_text(found)
    outcome = fake.write(text, may_ask=True)
    assert not outcome.done and not outcome.changed
    assert words in f"{outcome.what} {outcome.hint}"
    assert outcome.by_hand == text
    assert len(fake.calls) == 1, "a refusal is no reason to ask for a password"


OWN = "127.0.0.1 localhost\n10.0.0.5 web.test # mine\n"
BOTH = section("127.0.0.1 shop.test", "127.0.0.1 web.test").decode()


def test_name_that_an_own_line_leads_elsewhere_is_left_out_and_named_with_both_lines(fake: Fake) -> None:
    fake.path.write_text(f"{OTHER}{OWN}")
    outcome = fake.write(BOTH)
    assert (outcome.done, outcome.changed) == (True, True)
    assert [str(conflict) for conflict in outcome.conflicts] == [
        f'web.test is left out of the hosts section: line 5 of {fake.path} is "10.0.0.5 web.test # mine", and the section\'s is "127.0.0.1 web.test"'
    ]
    assert fake.path.read_text() == f"{SHOP}{OWN}", "the other name is written, the own line stays"
    before = len(fake.calls)
    outcome = fake.write(BOTH)
    assert outcome.done and not outcome.changed and len(outcome.conflicts) == 1
    assert len(fake.calls) == before, "with the conflict known, the section is in place"


def test_section_that_is_in_place_gives_a_name_back_once_an_own_line_has_it(fake: Fake) -> None:
    fake.write(BOTH)
    fake.path.write_bytes(fake.path.read_bytes() + b"10.0.0.5\tx  WEB.test#late\n")
    assert fake.write(BOTH).changed
    assert fake.path.read_text() == f"127.0.0.1 localhost\n{SHOP}10.0.0.5\tx  WEB.test#late\n"


def test_only_names_in_conflict_take_the_section_out(fake: Fake) -> None:
    fake.path.write_text("10.0.0.1 shop.test\n" + SHOP)
    outcome = fake.write(SHOP)
    assert outcome.done and outcome.conflicts[0].number == 1
    assert fake.path.read_text() == "10.0.0.1 shop.test\n"


def test_loopback_of_the_other_ip_version_is_no_conflict(fake: Fake) -> None:
    fake.path.write_text("::1 shop.test\n")
    assert fake.write(SHOP) == HostsOutcome(True, True, "wrote the hosts section")
    assert fake.path.read_text() == "::1 shop.test\n" + SHOP


def test_own_line_reaches_no_terminal_as_it_is(fake: Fake) -> None:
    (conflict,) = hosts_file.conflicts_with(b"10.0.0.5 \x1b[2Jx\xff web.test\n", BOTH)
    assert conflict.own_line == "10.0.0.5 \\x1b[2Jx\\xff web.test"


def test_removal_that_fails_says_which_lines_may_go(fake: Fake) -> None:
    fake.path.write_text(SHOP)
    fake.answers = [NEEDS_PASSWORD]
    outcome = fake.write(EMPTY_SECTION)
    assert "between Dusty's markers" in outcome.what
    assert outcome.by_hand == ""


def test_undo_goes_back_step_by_step_byte_for_byte(fake: Fake) -> None:
    contents = [fake.path.read_bytes()]
    for text in (SHOP, OTHER, section("::1 shop.test", "127.0.0.1 b.test").decode()):
        fake.write(text)
        contents.append(fake.path.read_bytes())
    for wanted in reversed(contents[:-1]):
        assert fake.undo().changed
        assert fake.path.read_bytes() == wanted
    with pytest.raises(Failure, match="no earlier"):
        fake.undo()


def test_undo_that_fails_keeps_its_history(fake: Fake) -> None:
    fake.write(SHOP)
    fake.answers = [NEEDS_PASSWORD]
    assert not fake.undo().done
    assert fake.undo().done


def test_history_is_bounded_and_a_damaged_one_is_none(fake: Fake, dusty_home: Path) -> None:
    for number in range(hosts_file.HISTORY_LENGTH + 5):
        fake.write(section(f"127.0.0.1 shop-{number}.test").decode())
    assert len(hosts_file._read_history()) == hosts_file.HISTORY_LENGTH
    (dusty_home / "state/hosts-sections.json").write_text("{")
    with pytest.raises(Failure):
        fake.undo()


def test_section_that_is_no_text_is_kept_as_it_was(fake: Fake) -> None:
    own = b"# BEGIN section for Dusty\n\xff\r\n# END section for Dusty\n"
    fake.path.write_bytes(own)
    fake.write(SHOP)
    outcome = fake.undo()
    assert not outcome.done, "the helper writes no such line"
    assert fake.calls[-1][1].endswith(own)


def test_diff_shows_no_escape_sequences(fake: Fake) -> None:
    shown = hosts_file.diff_of_section(b"10.0.0.1 \x1b[31mred\xff\t\r\n", SHOP)
    assert "\x1b" not in shown and "\\x1b[31mred\\xff\t\\r" in shown
    assert hosts_file.diff_of_section(SHOP.encode(), SHOP) == ""
    assert "line 1" in hosts_file.diff_of_section(b"# END section for Dusty", SHOP)


def test_foreign_part_of_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hosts_file.foreign_part("/usr/bin/env") == ""
    assert hosts_file.foreign_part("/usr/no/such/path") == ""
    assert hosts_file.foreign_part("/tmp/x") == "/tmp"
    real = hosts_file._is_foreign
    monkeypatch.setattr(hosts_file, "_is_foreign", lambda path: real(path) and "open" in path)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to("open/file")
    (tmp_path / "way").symlink_to(".")
    assert hosts_file.foreign_part(str(tmp_path / "way/link")) == str(tmp_path / "open")
