"""The installed helper behind the real sudo and the real rule, called by an ordinary user who means harm."""

from __future__ import annotations

import os

import pytest
from hosts_box import (
    BY_SUDO,
    EARLY_VARIABLES,
    OTHER_VARIABLES,
    OWN_LINES,
    PYTHON_VARIABLES,
    SOURCE,
    USER,
    Box,
    make_evil,
    request_of,
    section,
)

from dusty_tasks.effects.hosts.section import HELPER_PATH

pytestmark = pytest.mark.root

SHOP = section("127.0.0.1 shop.test")
EVERY_VARIABLE = [*PYTHON_VARIABLES, *OTHER_VARIABLES, *EARLY_VARIABLES]


def hostile(name: str) -> str:
    return {
        "OPENSSL_CONF": "/opt/evil/openssl.cnf",
        "PATH": "/opt/evil:/usr/bin:/bin",
        "LD_PRELOAD": "/opt/evil/x.so",
    }.get(name, "/opt/evil")


def test_user_may_apply_check_and_remove_without_a_password(installed: Box) -> None:
    assert installed.call("check", SHOP, program=BY_SUDO, user=USER).stdout == b"changed\n"
    assert installed.call("apply", SHOP, program=BY_SUDO, user=USER).stdout == b"changed\n"
    assert installed.found() == OWN_LINES + SHOP
    assert installed.call("remove", program=BY_SUDO, user=USER).stdout == b"changed\n"
    assert installed.found() == OWN_LINES


def test_exit_codes_come_through(installed: Box) -> None:
    assert installed.call("apply", b"rubbish", program=BY_SUDO, user=USER).returncode == 10
    assert installed.call("apply", SHOP, found=b"x", program=BY_SUDO, user=USER).returncode == 11
    installed.write(b"# END section for Dusty\n")
    assert installed.call("apply", SHOP, program=BY_SUDO, user=USER).returncode == 12


def test_another_user_may_not(installed: Box) -> None:
    installed.sh("id carol 2>/dev/null || useradd carol")
    assert installed.call("apply", SHOP, program=BY_SUDO, user="carol").returncode == 1
    assert installed.found() == OWN_LINES


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["apply", "apply"],
        ["apply", "--help"],
        ["--help"],
        ["apply "],
        [" apply"],
        ["APPLY"],
        ["apply\n"],
        ["app*"],
        ["[a]pply"],
        ["apply;id"],
        ["--", "apply"],
        [""],
        ["apply", ""],
        ["write"],
        ["/etc/passwd"],
    ],
    ids=repr,
)
def test_other_words_are_refused_by_sudo(installed: Box, words: list[str]) -> None:
    ended = installed.run([*BY_SUDO, *words], request_of(OWN_LINES, SHOP), user=USER)
    assert ended.returncode == 1
    assert b"sudo: " in ended.stderr
    assert installed.found() == OWN_LINES


@pytest.mark.parametrize(
    "argv",
    [
        ["/usr/bin/python3", "-IS", HELPER_PATH, "apply"],
        ["/usr/bin/python3"],
        ["python3", "-c", "import os; os.system('id')"],
        ["/bin/sh"],
        ["sh", "-c", f"{HELPER_PATH} apply"],
        ["env", HELPER_PATH, "apply"],
        [SOURCE, "apply"],
        ["dusty-hosts", "apply"],
        ["/opt/evil/dusty-hosts", "apply"],
        ["/usr/local/libexec/dusty/../dusty/other", "apply"],
        ["-u", "bin", HELPER_PATH, "apply"],
        ["-g", "bin", HELPER_PATH, "apply"],
        ["-E", HELPER_PATH, "apply"],
        ["-R", "/opt/evil", HELPER_PATH, "apply"],
        ["-D", "/opt/evil", HELPER_PATH, "apply"],
        ["-C", "100", HELPER_PATH, "apply"],
        ["-i", HELPER_PATH, "apply"],
        ["-s", HELPER_PATH, "apply"],
        ["-e", "/etc/hosts"],
        ["-h", "elsewhere", HELPER_PATH, "apply"],
        ["PYTHONPATH=/opt/evil", HELPER_PATH, "apply"],
        ["LD_PRELOAD=/opt/evil/x.so", HELPER_PATH, "apply"],
    ],
    ids=" ".join,
)
def test_no_other_command_and_no_option_of_sudo(installed: Box, argv: list[str]) -> None:
    make_evil(installed)
    installed.sh(
        f"cp {SOURCE} /opt/evil/dusty-hosts; printf '#!/bin/sh\\nid > /opt/evil/ran\\n' > /opt/evil/sh; chmod 755 /opt/evil/sh"
    )
    ended = installed.run(["sudo", "-n", *argv], request_of(OWN_LINES, SHOP), user=USER)
    assert ended.returncode == 1, ended
    assert installed.found() == OWN_LINES
    assert (installed.root / "opt/evil/ran").read_text() == ""


@pytest.mark.parametrize("group", [EVERY_VARIABLE[n::6] for n in range(6)], ids=range(6))
def test_no_variable_of_the_users_reaches_the_helper(installed: Box, group: list[str]) -> None:
    """Six groups, and not one each: sudo under strace is slow. A failure names the file that was looked for."""
    make_evil(installed)
    # An administrator who keeps variables for everybody does not keep them for the helper: the rule says so.
    installed.sh(
        f"printf 'Defaults env_keep += \"{' '.join(group)}\"\\n' > /etc/sudoers.d/keep; chmod 440 /etc/sudoers.d/keep"
    )
    try:
        words = [f"{name}={hostile(name)}" for name in group]
        ended = installed.run(
            [
                "strace",
                "-f",
                "-qq",
                "-u",
                USER,
                "-e",
                "trace=%file",
                "-o",
                "/run/trace",
                "env",
                "-C",
                "/opt/evil",
                *words,
                "/usr/bin/sudo",
                "-n",
                HELPER_PATH,
                "apply",
            ],
            request_of(OWN_LINES, SHOP),
        )
    finally:
        installed.sh("rm /etc/sudoers.d/keep")
    assert (ended.returncode, ended.stdout) == (0, b"changed\n"), ended.stderr
    calls = (installed.root / "run/trace").read_text().splitlines()
    pid, start = next(
        (line.split()[0], n)
        for n, line in enumerate(calls)
        if f'execve("{HELPER_PATH}"' in line or ("execve(" in line and "dusty-hosts" in line and "sudo" not in line)
    )
    helper_calls = [line for line in calls[start + 1 :] if line.startswith(pid + " ")]
    assert any("/etc" in line for line in helper_calls)
    assert [line for line in helper_calls if "/opt/evil" in line] == []
    assert (installed.root / "opt/evil/ran").read_text() == ""


@pytest.mark.parametrize("words", [["-E", HELPER_PATH], ["PYTHONPATH=/opt/evil", HELPER_PATH]], ids=" ".join)
def test_leave_to_set_variables_for_everything_else_is_none_for_the_helper(installed: Box, words: list[str]) -> None:
    installed.sh("echo 'Defaults setenv' > /etc/sudoers.d/a-setenv; chmod 440 /etc/sudoers.d/a-setenv")
    ended = installed.run(["sudo", "-n", *words, "apply"], request_of(OWN_LINES, SHOP), user=USER)
    installed.sh("rm /etc/sudoers.d/a-setenv")
    assert ended.returncode == 1 and b"not allowed to" in ended.stderr
    assert installed.found() == OWN_LINES


def test_trace_would_notice(box: Box) -> None:
    """The proof that the test above can fail: without sudo the same variable is seen to be read."""
    make_evil(box)
    box.run(
        [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=%file",
            "-o",
            "/run/trace",
            "env",
            "LD_PRELOAD=/opt/evil/x.so",
            SOURCE,
            "check",
        ],
        request_of(OWN_LINES, SHOP),
    )
    assert any(
        "/opt/evil/x.so" in line for line in (box.root / "run/trace").read_text().splitlines() if "execve" not in line
    )


@pytest.mark.parametrize(
    "make",
    [
        "ln -s {0} /opt/evil/dusty-hosts",
        "ln {0} /opt/evil/dusty-hosts",
        "cp {0} /opt/evil/dusty-hosts; chmod 755 /opt/evil/dusty-hosts",
    ],
    ids=["symlink", "hard link", "copy"],
)
def test_links_to_the_helper_run_the_helper_or_nothing(installed: Box, make: str) -> None:
    make_evil(installed)
    # Root makes the hard link: protected_hardlinks would keep the user from it, and not every system has that.
    installed.sh(make.format(HELPER_PATH))
    ended = installed.run(
        ["sh", "-c", "cd /opt/evil && exec sudo -n ./dusty-hosts apply"], request_of(OWN_LINES, SHOP), user=USER
    )
    assert installed.found() == (OWN_LINES + SHOP if ended.returncode == 0 else OWN_LINES)
    assert (installed.root / "opt/evil/ran").read_text() == ""


def test_umask_limits_and_descriptors_of_the_user(installed: Box) -> None:
    installed.hosts.unlink()
    script = f"umask 0; exec 5<>/tmp/$$ 6<&5; ulimit -f 1; ulimit -c 0; exec {' '.join(BY_SUDO)} apply"
    assert installed.run(["sh", "-c", script], request_of(None, SHOP), user=USER).returncode == 0
    assert installed.found() == SHOP
    assert installed.hosts.stat().st_mode & 0o7777 == 0o644
    installed.sh("rm -f /tmp/[0-9]*[0-9]")


@pytest.mark.parametrize("closing", ["1>&-", "2>&-", "0<&-", "0<&- 1>&- 2>&-"])
def test_closed_descriptors(installed: Box, closing: str) -> None:
    installed.run(
        ["sh", "-c", f"exec {closing}; exec {' '.join(BY_SUDO)} apply"], request_of(OWN_LINES, SHOP), user=USER
    )
    assert installed.found() == (OWN_LINES if "0<&-" in closing else OWN_LINES + SHOP)


def test_user_can_change_nothing_of_the_installation(installed: Box) -> None:
    for path in (
        HELPER_PATH,
        os.path.dirname(HELPER_PATH),
        "/etc/sudoers.d/dusty",
        "/etc/sudoers.d",
        "/etc/.hosts.dusty-lock",
        "/usr/bin/python3",
    ):
        installed.call("check", SHOP)
        assert installed.sh(f"test -w {path}", user=USER, check=False).returncode == 1, path
    assert (
        installed.sh(
            f"exec 9<{HELPER_PATH}; flock -n 9 true; test -r /etc/.hosts.dusty-lock", user=USER, check=False
        ).returncode
        == 1
    )


def test_lock_of_anything_a_user_can_open_does_not_hold_the_helper_up(installed: Box) -> None:
    locks = " ".join(f"flock -n {path}" for path in ("/etc", "/etc/hosts", HELPER_PATH))
    ended = installed.run(["sh", "-c", f"{locks} {' '.join(BY_SUDO)} apply"], request_of(OWN_LINES, SHOP), user=USER)
    assert ended.returncode == 0, ended.stderr
