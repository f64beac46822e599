"""`dusty hosts` without root: what it prints, asks and refuses. With sudo: test_hosts_installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts_box import section

from dusty_tasks import console
from dusty_tasks.cli import verbs as cli
from dusty_tasks.core.of_verbs.findings import Finding
from dusty_tasks.effects.hosts import helper as helper_install
from dusty_tasks.effects.hosts import section as hosts_file
from dusty_tasks.effects.hosts.helper import Check
from dusty_tasks.operations.machine import hosts_health
from dusty_tasks.verbs.table import BY_NAME

SHOP = section("127.0.0.1 shop.test").decode()


@pytest.fixture
def dusty(dusty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`dusty hosts words…` on a hosts file of the test's: exit code, stdout, stderr. What root would run is kept, not run."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    monkeypatch.setattr(hosts_file, "HOSTS_PATH", str(hosts))
    monkeypatch.setattr(hosts_file.read_hosts_file, "__defaults__", (str(hosts),))
    monkeypatch.setattr(helper_install, "refusals", lambda: [])
    monkeypatch.setattr(helper_install, "check_installation", lambda: [Check("ok", "all is well")])
    monkeypatch.setattr(console, "may_ask", lambda: False)

    def run(*words: str):
        capsys.readouterr()
        code = cli.run_verb(BY_NAME["hosts"], words)
        return (code, *capsys.readouterr())

    run.scripts = []
    monkeypatch.setattr(helper_install, "run_as_root", lambda script, may_ask, say: run.scripts.append(script))
    run.hosts, run.home = hosts, dusty_home
    return run


def compiled(home: Path, text: str) -> None:
    (home / "build").mkdir(parents=True, exist_ok=True)
    (home / "build/hosts").write_text(text)


def test_before_the_first_compile(dusty) -> None:
    for word in ("show", "diff"):
        code, _out, err = dusty(word)
        assert code == 1 and "nothing is compiled yet" in err


def test_show_prints_what_can_be_pasted(dusty) -> None:
    compiled(dusty.home, SHOP)
    assert dusty() == dusty("show") == (0, SHOP, "")


def test_diff(dusty) -> None:
    compiled(dusty.home, SHOP)
    code, out, _err = dusty("diff")
    assert code == 0 and "+127.0.0.1 shop.test\n" in out
    dusty.hosts.write_text(SHOP)
    assert dusty("diff") == (0, "the hosts section is in place\n", "")


def test_undo_without_a_history(dusty) -> None:
    assert dusty("undo") == (1, "", "no earlier hosts section is kept\n")


@pytest.mark.parametrize("words", [["install", "x"], ["shw"], ["show", "--allow", "1.2.3.4"], ["check", "--who", "me"]])
def test_words_and_options_out_of_place(dusty, words: list[str]) -> None:
    code, _out, err = dusty(*words)
    assert code == 1 and "usage: dusty hosts" in err


def test_check_says_each_finding_and_fails_for_a_failed_one(dusty, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(dusty.home, SHOP)
    dusty.hosts.write_text(SHOP)
    monkeypatch.setattr(
        hosts_health.names_health, "findings", lambda _names: [Finding("host names", "ok", "1 resolve to 127.0.0.1")]
    )
    rest = "ok: hosts section: in place\nok: host names: 1 resolve to 127.0.0.1\n"
    assert dusty("check") == (0, f"ok: hosts helper: all is well\n{rest}", "")
    monkeypatch.setattr(
        helper_install,
        "check_installation",
        lambda: [Check("warning", "old"), Check("failed", "gone", "dusty hosts install")],
    )
    assert dusty("check") == (
        1,
        f"warning: hosts helper: old\nfailed: hosts helper: gone\n    hint: dusty hosts install\n{rest}",
        "",
    )
    monkeypatch.setattr(helper_install, "check_installation", lambda: [Check("warning", "old")])
    assert dusty("check")[0] == 0


def test_install_without_a_terminal_and_without_yes_shows_and_does_nothing(dusty) -> None:
    code, out, err = dusty("install", "--who", "root")
    assert code == 1 and "--yes" in err
    assert helper_install.HELPER_PATH in out and "SHA-256" in out
    assert dusty.scripts == []


def test_install_runs_one_script_that_holds_what_was_shown(dusty) -> None:
    code, out, _err = dusty("install", "--who", "%root", "--allow", "203.0.113.7", "--yes")
    assert code == 0
    assert len(dusty.scripts) == 1
    assert 'EXTRA_ADDRESSES = ("203.0.113.7",)' in dusty.scripts[0]
    assert "%root ALL = (root) NOPASSWD:NOSETENV: DUSTY_HOSTS" in out and "%root ALL = (root)" in dusty.scripts[0]


def test_install_refuses_addresses_users_and_places(dusty, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not an IP address" in dusty("install", "--who", "root", "--allow", "shop", "--yes")[2]
    assert "no user" in dusty("install", "--who", "nobody-at-all", "--yes")[2]
    monkeypatch.setattr(helper_install, "refusals", lambda: ["/usr/local may be written by others"])
    code, _out, err = dusty("install", "--yes")
    assert code == 1 and "/usr/local" in err and "hosts.mode" in err
    assert dusty.scripts == []


def test_uninstall_of_nothing(dusty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper_install, "installed_paths", lambda: [])
    assert dusty("uninstall")[1] == "there is no hosts section, no helper and no rule to remove\n"


def test_uninstall_takes_section_helper_and_rule(dusty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper_install, "installed_paths", lambda: [helper_install.HELPER_PATH])
    assert dusty("uninstall")[0] == 1
    assert dusty.scripts == []
    code, out, _err = dusty("uninstall", "--yes")
    assert code == 0 and "removed the helper" in out
    assert helper_install.RULE_PATH in dusty.scripts[0] and helper_install.HELPER_PATH in dusty.scripts[0]
