"""`dusty hosts` on a machine, as a real user with the real sudo: install, check, write, undo, uninstall."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from select import select

import pytest
from hosts_box import OWN_LINES, ROOT, USER, Box, section

from dusty_tasks.effects.hosts.helper import RULE_PATH
from dusty_tasks.effects.hosts.section import HELPER_PATH

pytestmark = pytest.mark.root

SHOP = section("127.0.0.1 shop.test")
HOME = f"/home/{USER}/dusty"
PASSWORD = "correct horse"
ALL_WITH_PASSWORD, ALL_WITHOUT = f"{USER} ALL=(ALL) ALL", f"{USER} ALL=(ALL) NOPASSWD: ALL"


class Desk:
    """The user at his machine: `dusty hosts` with and without a terminal, and what the compile step left in his DUSTY_HOME."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.compiled(SHOP)

    def compiled(self, text: bytes) -> None:
        self.box.machine.run(
            ["sh", "-c", f"mkdir -p {HOME}/build && cat > {HOME}/build/hosts"], user=USER, input=text.decode()
        )

    def may(self, rule: str) -> None:
        self.box.sh(
            f"rm -f /etc/sudoers.d/user; [ -z '{rule}' ] || {{ echo '{rule}' > /etc/sudoers.d/user; chmod 440 /etc/sudoers.d/user; }}; rm -rf /run/sudo/ts /var/lib/sudo/ts"
        )

    def dusty(
        self, *words: str, user: str = USER, program: Sequence[str] = ("-m", "dusty_tasks", "hosts")
    ) -> subprocess.CompletedProcess[str]:
        return self.box.machine.run(
            [sys.executable, *program, *words], cwd=ROOT, user=user, env={"DUSTY_HOME": HOME}, check=False, timeout=60
        )

    def write(self, user: str = USER) -> subprocess.CompletedProcess[str]:
        """What `up` does with the compiled section, without a terminal."""
        code = (
            f"from dusty_tasks.effects.hosts import section as h; o = h.write_hosts_section(open('{HOME}/build/hosts').read(), may_ask=False, say=print); "
            "print(o.what); print(o.by_hand); raise SystemExit(not o.done)"
        )
        return self.dusty(user=user, program=("-c", code))

    def at_terminal(self, words: Sequence[str], answers: Sequence[tuple[str, str]]) -> tuple[int, str]:
        """The verb on a terminal: each answer is typed once its question is on the screen. Exit code and screen."""
        argv = self.box.machine.argv([sys.executable, "-m", "dusty_tasks", "hosts", *words], cwd=ROOT, user=USER)
        env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": f"/home/{USER}",
            "DUSTY_HOME": HOME,
            "TERM": "dumb",
            "LANG": "C.UTF-8",
        }
        pid, screen = pty.fork()
        if pid == 0:
            os.execvpe(argv[0], argv, env)
        text, waiting, end = "", list(answers), time.monotonic() + 60
        while time.monotonic() < end:
            if not select([screen], [], [], 1)[0]:
                continue
            try:
                piece = os.read(screen, 4096)
            except OSError:
                break
            if not piece:
                break
            text += piece.decode(errors="replace")
            if waiting and re.search(waiting[0][0], text.rsplit("\n", 1)[-1]):
                os.write(screen, f"{waiting.pop(0)[1]}\n".encode())
                text += "\n"
        else:
            os.kill(pid, 9)
        os.close(screen)
        assert not waiting, f"never asked: {waiting}\n{text}"
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


@pytest.fixture
def desk(box: Box) -> Iterator[Desk]:
    box.sh(f"echo '{USER}:{PASSWORD}' | chpasswd")
    desk = Desk(box)
    yield desk
    desk.may("")
    box.sh(
        f"rm -rf {RULE_PATH}* {os.path.dirname(os.path.dirname(HELPER_PATH))} {HOME}; chmod 755 /usr/local /etc; chmod 755 /usr/bin"
    )


def test_a_life_of_it(desk: Desk) -> None:
    """Nothing is installed; then it is, with one password; everything works without one; then it is gone."""
    refused = desk.write()
    assert refused.returncode == 1
    assert "a password is required" in refused.stdout and SHOP.decode() in refused.stdout
    desk.may(ALL_WITH_PASSWORD)
    code, screen = desk.at_terminal(["install"], [(r"Install this as root\? \[y/N\]", "y"), ("assword", PASSWORD)])
    assert code == 0, screen
    desk.may("")
    assert "the rule is in force" in desk.dusty("check").stdout
    assert desk.write().returncode == 0
    assert desk.box.found() == OWN_LINES + SHOP
    assert desk.dusty("diff").stdout == "the hosts section is in place\n"
    desk.compiled(section("127.0.0.1 shop.test", "127.0.0.1 db.test"))
    assert "+127.0.0.1 db.test" in desk.dusty("diff").stdout
    assert desk.write().returncode == 0
    assert desk.dusty("undo").returncode == 0
    assert desk.box.found() == OWN_LINES + SHOP
    desk.may(ALL_WITHOUT)
    assert desk.dusty("uninstall", "--yes").returncode == 0
    assert desk.box.found() == OWN_LINES
    assert (
        not (desk.box.root / HELPER_PATH.lstrip("/")).exists() and not (desk.box.root / RULE_PATH.lstrip("/")).exists()
    )
    assert "nothing" not in desk.dusty("check").stdout and desk.dusty("check").returncode == 1
    assert desk.dusty("uninstall", "--yes").stdout == "there is no hosts section, no helper and no rule to remove\n"


def test_installation_says_exactly_what_it_puts_where(desk: Desk) -> None:
    desk.may(ALL_WITHOUT)
    shown = desk.dusty("install", "--yes", "--allow", "203.0.113.7").stdout
    for path, mode in ((HELPER_PATH, "755"), (RULE_PATH, "440")):
        digest = desk.box.sh(f"sha256sum {path}").stdout.split()[0]
        assert re.search(rf"{path}  root, mode 0{mode}, \d+ bytes, SHA-256 {digest}", shown)
        assert desk.box.sh(f"stat -c '%u %g %a' {path}").stdout.strip() == f"0 0 {mode}"
    assert desk.box.sh(f"cat {RULE_PATH}").stdout.splitlines()[-1].strip() in shown
    assert desk.box.sh("visudo -c").returncode == 0
    # What was allowed stays allowed when it is installed again, for example by a newer Dusty.
    assert "allows 203.0.113.7" in desk.dusty("install", "--yes").stdout
    desk.compiled(section("203.0.113.7 shop.test"))
    assert desk.write().returncode == 0
    listed = desk.box.sh(f"sudo -l -U {USER}").stdout
    assert f"NOSETENV: NOPASSWD: {HELPER_PATH} check, {HELPER_PATH} apply, {HELPER_PATH} remove" in listed


def test_without_a_terminal_nothing_is_asked_and_nothing_hangs(desk: Desk) -> None:
    desk.may(ALL_WITH_PASSWORD)
    ended = desk.dusty("install")
    assert ended.returncode == 1 and "no terminal to ask on" in ended.stderr
    ended = desk.dusty("install", "--yes")
    assert ended.returncode == 1 and "password" in ended.stderr
    assert desk.write().returncode == 1
    assert not (desk.box.root / HELPER_PATH.lstrip("/")).exists()


def test_terminal_is_asked_for_the_password_after_command_and_diff_were_shown(desk: Desk) -> None:
    desk.may(ALL_WITHOUT)
    assert desk.write().returncode == 0
    desk.may(ALL_WITH_PASSWORD)
    code, screen = desk.at_terminal(["undo"], [("assword", PASSWORD)])
    assert code == 0, screen
    assert (
        screen.index("-127.0.0.1 shop.test")
        < screen.index("running: sudo ")
        < screen.index("assword")
        < screen.index("restored")
    )
    assert desk.box.found() == OWN_LINES


def test_wrong_password_leaves_the_file_alone(desk: Desk) -> None:
    desk.may(ALL_WITHOUT)
    assert desk.write().returncode == 0
    desk.may(ALL_WITH_PASSWORD)
    code, screen = desk.at_terminal(["undo"], [("assword", "wrong")] * 3)
    assert code == 1, screen
    assert "the hosts helper was not run" in screen
    assert desk.box.found() == OWN_LINES + SHOP


def test_no_is_an_answer(desk: Desk) -> None:
    desk.may(ALL_WITHOUT)
    code, _screen = desk.at_terminal(["install"], [(r"\[y/N\]", "n")])
    assert code == 1
    assert not (desk.box.root / HELPER_PATH.lstrip("/")).exists()


@pytest.mark.parametrize(
    "spoil, words",
    [
        ("chmod 777 /usr/local", "/usr/local"),
        ("chmod 775 /etc", "/etc"),
        (f"install -d -o {USER} /usr/local/libexec", "/usr/local/libexec"),
        (f"install -d /usr/local/libexec; install -d -o {USER} /usr/local/libexec/dusty", "/usr/local/libexec/dusty"),
        (f"ln -s /home/{USER} /usr/local/libexec", f"/home/{USER}"),
        ("chmod 777 /usr/bin", "/usr/bin"),
    ],
    ids=lambda text: text.split("/")[-1],
)
def test_place_that_others_prepared_is_refused(desk: Desk, spoil: str, words: str) -> None:
    """Squatting: whoever owns a folder on the way could put anything where the rule points."""
    desk.may(ALL_WITHOUT)
    desk.box.sh(spoil)
    ended = desk.dusty("install", "--yes")
    assert ended.returncode == 1
    assert words in ended.stderr
    assert not (desk.box.root / RULE_PATH.lstrip("/")).exists()


def test_script_itself_refuses_such_a_place(desk: Desk) -> None:
    """Root looks again: between the user's look and root's work the folders may change."""
    from dusty_tasks.effects.hosts.helper import install_script, planned_files

    script = install_script(planned_files("#1000", ()))
    for spoil in (
        f"install -d -o {USER} /usr/local/libexec",
        f"rm -rf /usr/local/libexec; ln -s /home/{USER} /usr/local/libexec",
        "rm -rf /usr/local/libexec; chmod 777 /usr/local",
    ):
        desk.box.sh(spoil)
        ended = desk.box.machine.run(["sh", "-s"], input=script, check=False)
        assert ended.returncode == 1 and "users other than root may write" in ended.stderr
        assert desk.box.sh(f"ls /home/{USER} /etc/sudoers.d").stdout.count("dusty-hosts") == 0
    desk.box.sh(
        "chmod 755 /usr/local; mkdir -p /usr/local/libexec; echo rubbish > /etc/sudoers.d/zz; chmod 440 /etc/sudoers.d/zz"
    )
    ended = desk.box.machine.run(["sh", "-s"], input=script, check=False)
    desk.box.sh("rm /etc/sudoers.d/zz")
    assert ended.returncode == 1 and "in the current sudoers" in ended.stderr
    assert not (desk.box.root / RULE_PATH.lstrip("/")).exists()


@pytest.mark.parametrize(
    "spoil, words",
    [
        (f"chmod 777 {os.path.dirname(HELPER_PATH)}", os.path.dirname(HELPER_PATH)),
        (f"chown {USER} {HELPER_PATH}", HELPER_PATH),
        (f"chmod 644 {HELPER_PATH}", "not executable"),
        (f"echo '# more' >> {HELPER_PATH}", "is not the helper of this Dusty"),
        (f"rm {HELPER_PATH}", "not installed"),
        (f"rm {RULE_PATH}", "sudo does not let you"),
        (f"chmod 644 {RULE_PATH}", "mode 644"),
        (
            f"chmod 640 {RULE_PATH}; echo '{USER} ALL=(ALL) NOPASSWD: ALL' >> {RULE_PATH}; chmod 440 {RULE_PATH}",
            "not the rule that Dusty writes",
        ),
        ("printf '# END section for Dusty\\n' > /etc/hosts", "line 1"),
        ("echo rubbish > /etc/sudoers.d/zz; chmod 440 /etc/sudoers.d/zz", "visudo"),
        ("echo lost > /etc/hosts.dusty-backup", "hosts.dusty-backup"),
    ],
)
def test_check_finds_what_is_wrong(desk: Desk, spoil: str, words: str) -> None:
    desk.may(ALL_WITHOUT)
    desk.dusty("install", "--yes")
    desk.may("")
    desk.write()
    assert desk.dusty("check").returncode == 0
    desk.box.sh(spoil)
    # What lies in /etc/sudoers.d a user may not read; root may.
    seen = "\n".join(desk.dusty("check", user=user).stdout for user in (USER, ""))
    desk.box.sh("rm -f /etc/sudoers.d/zz")
    assert any(words in line for line in seen.splitlines() if line.startswith(("failed", "warning"))), seen


def test_what_visudo_says_is_said_by_install_check_and_doctor(desk: Desk) -> None:
    desk.may(ALL_WITHOUT)
    assert desk.dusty("install", "--yes").returncode == 0 and desk.write().returncode == 0
    desk.box.sh("echo '# mine' > /etc/sudoers.d/zz; chmod 644 /etc/sudoers.d/zz")
    said = "/etc/sudoers.d/zz: bad permissions, should be mode 0440"
    ended = desk.dusty("install", "--yes")
    check, doctor = desk.dusty("check", user=""), desk.dusty("doctor", user="", program=("-m", "dusty_tasks"))
    desk.box.sh("rm /etc/sudoers.d/zz")
    assert ended.returncode == 1 and "nothing was installed" in ended.stderr and said in ended.stderr
    failed = [line for line in check.stdout.splitlines() if line.startswith("failed")]
    assert check.returncode == 1 and len(failed) == 1 and said in failed[0]
    hosts = [line for line in check.stdout.splitlines() if not line.startswith(" ")]
    assert hosts and [line for line in doctor.stdout.splitlines() if line in hosts] == hosts
    assert "failed" not in desk.dusty("check", user="").stdout


def test_checkouts_own_helper_serves_those_whom_sudo_lets_do_anything(desk: Desk) -> None:
    desk.may(ALL_WITHOUT)
    assert desk.write().returncode == 0
    assert desk.box.found() == OWN_LINES + SHOP
    assert desk.dusty("undo").returncode == 0
    assert desk.box.found() == OWN_LINES


def test_many_writers_at_once_all_end_well(desk: Desk) -> None:
    desk.may(ALL_WITHOUT)
    desk.dusty("install", "--yes")
    argv = desk.box.machine.argv(
        [
            sys.executable,
            "-c",
            f"from dusty_tasks.effects.hosts import section as h; o = h.write_hosts_section({SHOP.decode()!r}, may_ask=False, say=print); print(o); raise SystemExit(not o.done)",
        ],
        cwd=ROOT,
        user=USER,
    )
    writers = [
        subprocess.Popen(argv, env={"DUSTY_HOME": HOME, "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    ended = [(writer.communicate()[0], writer.returncode) for writer in writers]
    assert [code for _out, code in ended] == [0] * 6, ended
    assert desk.box.found() == OWN_LINES + SHOP
