"""What `hosts install` would put where, and what `hosts check` finds: no root needed. The real thing: test_hosts_installed."""

from __future__ import annotations

import ast
import getpass
import os
import pwd
import re
import subprocess
from pathlib import Path

import pytest
from hosts_box import SOURCE, section

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.hosts import helper as install
from dusty_tasks.effects.hosts.section import HELPER_PATH

HELPER_TEXT = Path(SOURCE).read_text()


def names_of(text: str) -> dict:
    names: dict = {"__name__": "dusty_hosts"}
    exec(compile(text, "dusty-hosts", "exec"), names)
    return names


def test_helper_is_one_file_of_the_standard_library_for_old_pythons_too() -> None:
    assert HELPER_TEXT.startswith("#!/usr/bin/python3 -IS\n")
    assert HELPER_TEXT.isascii()
    assert os.access(SOURCE, os.X_OK)
    tree = ast.parse(HELPER_TEXT, feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {
        "os",
        "sys",
        "contextlib",
        "errno",
        "fcntl",
        "hashlib",
        "ipaddress",
        "posix",
        "re",
        "signal",
        "stat",
        "syslog",
    }
    assert not re.search(
        r"subprocess|socket|exec\(|eval\(|system\(|popen|__file__|environ\[|getenv|argv\[0\]|pickle|import_module",
        HELPER_TEXT,
    )


def test_documented_exit_codes_are_the_ones_used() -> None:
    names = names_of(HELPER_TEXT)
    documented = {int(code) for code in re.findall(r"^(?:exit codes:)?\s+(\d+)  +\S", names["__doc__"], re.MULTILINE)}
    assert documented == {
        names[name] for name in ("DONE", "WRONG_USE", "REFUSED", "CHANGED_MEANWHILE", "UNUSABLE", "FAILED")
    }


def test_allowed_addresses_are_baked_in_and_nothing_else_changes() -> None:
    text = install.with_addresses(HELPER_TEXT, ["203.0.113.7", "2001:DB8::5", "203.0.113.7"])
    names = names_of(text)
    assert names["EXTRA_ADDRESSES"] == ("2001:db8::5", "203.0.113.7")
    assert names["parse_section"](section("203.0.113.7 a.test", "2001:db8::5 a.test"))
    with pytest.raises(names["Refusal"]):
        names["parse_section"](section("203.0.113.8 a.test"))
    assert install.with_addresses(text, []) == HELPER_TEXT
    assert install.with_addresses(text, ["2001:db8::5", "203.0.113.7"]) == text
    assert names_of(install.with_addresses(HELPER_TEXT, ["203.0.113.7"]))["EXTRA_ADDRESSES"] == ("203.0.113.7",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "203.0.113.0/24",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "fe80::1%eth0",
        '1.1.1.1", "8.8.8.8',
        "1.1.1.1)\nimport os",
        "127.1",
    ],
)
def test_what_is_no_address_is_not_baked_in(text: str) -> None:
    with pytest.raises(Failure):
        install.with_addresses(HELPER_TEXT, [text])


def test_rule_names_one_path_each_verb_and_no_wildcard() -> None:
    lines = [line for line in install.rule_text("alice").splitlines() if not line.startswith("#")]
    assert lines == [
        f"Cmnd_Alias DUSTY_HOSTS = {HELPER_PATH} check, {HELPER_PATH} apply, {HELPER_PATH} remove",
        "Defaults!DUSTY_HOSTS env_reset, !env_keep, !setenv, !requiretty",
        "alice ALL = (root) NOPASSWD:NOSETENV: DUSTY_HOSTS",
    ]
    assert not set("*?[]@\\") & set("".join(lines))


@pytest.mark.parametrize(
    "account, written",
    [
        ("alice", "alice"),
        ("alice.b", "#1001"),
        ("ALL", "#1001"),
        ("DOM\\alice", "#1001"),
        ("a b", "#1001"),
        ("alice,ALL", "#1001"),
        ("Alice", "#1001"),
    ],
)
def test_user_in_the_rule(monkeypatch: pytest.MonkeyPatch, account: str, written: str) -> None:
    monkeypatch.setattr(pwd, "getpwnam", lambda name: {account: type("Entry", (), {"pw_uid": 1001})}[name])
    assert install.sudoers_name(account) == written
    with pytest.raises(Failure, match="no user"):
        install.sudoers_name("nobody-at-all")


def test_groups_and_numbers_in_the_rule() -> None:
    assert install.sudoers_name("%root") == "%root"
    assert install.sudoers_name("#1000") == "#1000"
    assert install.sudoers_name("%#20") == "%#20"
    for odd in ("%no-such-group", "#12 ALL", "%", "", "root\nALL ALL=(ALL) ALL"):
        with pytest.raises(Failure):
            install.sudoers_name(odd)


def test_caller_behind_sudo_is_the_one_who_called_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.os, "getuid", lambda: 0)
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert install.caller_name() == ""
    monkeypatch.setenv("SUDO_UID", str(pwd.getpwnam("daemon").pw_uid))
    assert install.caller_name() == "daemon"
    monkeypatch.setenv("SUDO_UID", "4000000000")
    assert install.caller_name() == "#4000000000"


def test_root_gets_no_rule() -> None:
    assert [file.path for file in install.planned_files("", ())] == [HELPER_PATH]
    assert [(file.path, file.mode) for file in install.planned_files(getpass.getuser(), ())] == [
        (HELPER_PATH, "755"),
        (install.RULE_PATH, "440"),
    ]


@pytest.mark.parametrize("who", ["", "root"])
def test_scripts_are_good_shell(who: str) -> None:
    for script in (install.install_script(install.planned_files(who, ["203.0.113.7"])), install.uninstall_script()):
        assert subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False).stderr == ""
    assert ("visudo" in install.install_script(install.planned_files(who, ()))) is bool(who)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("1.9.17p1", (1, 9, 17, 1)),
        ("1.9.17", (1, 9, 17, 0)),
        ("1.9.13p3", (1, 9, 13, 3)),
        ("1.10", (1, 10, 0, 0)),
        ("2.0.1rc1", (2, 0, 1, 0)),
        ("", ()),
        ("sudo-rs", ()),
    ],
)
def test_versions_of_sudo(text: str, wanted: tuple[int, ...]) -> None:
    assert install.parsed_version(text) == wanted


@pytest.mark.parametrize(
    "version, changes, state",
    [
        ("sudo-rs 0.2.8", "", "ok"),
        ("1.9.13p3", "", "warning"),
        ("1.9.13p3", "* CVE-2025-32462: mended", "ok"),
        ("1.9.17p1", "", "ok"),
        ("1.9.17", "", "warning"),
        ("2.0", "", "ok"),
    ],
)
def test_old_sudo_is_warned_about(monkeypatch: pytest.MonkeyPatch, version: str, changes: str, state: str) -> None:
    from dusty_tasks.effects.doors import process

    monkeypatch.setattr(
        process,
        "run",
        lambda argv: process.Finished(
            0,
            f"{version if ' ' in version else f'Sudo version {version}'}\nSudoers policy plugin version {version}\n",
            "",
        ),
    )
    monkeypatch.setattr(install, "_sudo_changes", lambda: changes)
    assert [check.state for check in install._check_sudo_version()] == [state]


def test_places_that_are_not_safe_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "INTERPRETER", str(tmp_path / "python3"))
    assert any("is missing" in reason for reason in install.refusals())
    (tmp_path / "python3").touch(mode=0o755)
    assert any("may be written" in reason for reason in install.refusals())
