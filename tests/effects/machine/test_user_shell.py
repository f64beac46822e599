"""The link and the completion in a user's own shell: made once, undone, and never over something of his."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dusty_tasks.effects.machine import user_shell
from dusty_tasks.effects.machine.user_shell import found_setup, read_shell_setup, set_up_shell, undo_setup

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def user_home(dusty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of bash whose PATH has no dusty and no ~/.local/bin."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "BASH_ENV", "ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return tmp_path / "user-home"


def tree(folder: Path) -> dict[str, bytes | str]:
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def in_bash(command: str) -> str:
    return subprocess.run(
        ["bash", "-ic", command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    ).stdout


def test_a_new_bash_knows_the_word_and_completes_it(user_home: Path) -> None:
    (user_home / ".bashrc").write_text("export MINE=1")
    (user_home / ".bashrc").chmod(0o600)
    said = set_up_shell(read_shell_setup())
    assert said[0] == f"linked {user_home}/.local/bin/dusty to {ROOT}/dusty; a new shell finds it by the name dusty"
    assert os.readlink(user_home / ".local/bin/dusty") == f"{ROOT}/dusty"
    shown = in_bash("echo $MINE; type -P dusty; complete -p dusty; dusty nosuch 2>&1")
    assert shown.splitlines() == [
        "1",
        f"{user_home}/.local/bin/dusty",
        "complete -o bashdefault -o default -F _dusty dusty",
        'there is no command "nosuch"',
        "    hint: `dusty help` lists all of them",
    ]
    assert (user_home / ".bashrc").stat().st_mode & 0o777 == 0o600


def test_a_second_time_changes_nothing_in_this_shell_and_in_a_new_one(
    user_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_shell(read_shell_setup())
    before = tree(user_home)
    for path in ("/usr/bin:/bin", f"{user_home}/.local/bin:/usr/bin:/bin"):
        monkeypatch.setenv("PATH", path)
        setup = read_shell_setup()
        assert (setup.link, setup.writes) == ("", ())
        assert set_up_shell(setup) == [] and tree(user_home) == before


def test_it_is_undone_without_a_trace(user_home: Path) -> None:
    (user_home / ".bashrc").write_bytes(b"alias x=y\n\xff\n")
    before = tree(user_home)
    set_up_shell(read_shell_setup())
    assert [left.kind for left in found_setup()] == ["link", "lines", "script"]
    for left in found_setup():
        undo_setup(left)
    assert tree(user_home) == before and found_setup() == []
    (user_home / ".bashrc").unlink()
    set_up_shell(read_shell_setup())
    for left in found_setup():
        undo_setup(left)
    assert tree(user_home) == {}, "a start file that was made for it goes as well"


@pytest.mark.parametrize("what", ["a program", "another checkout's link", "a dangling link", "a folder"])
def test_what_is_there_is_never_overwritten_and_never_removed(user_home: Path, what: str) -> None:
    link = user_home / ".local/bin/dusty"
    link.parent.mkdir(parents=True)
    {
        "a program": lambda: link.write_text("#!/bin/sh\n"),
        "another checkout's link": lambda: link.symlink_to("/usr/bin/true"),
        "a dangling link": lambda: link.symlink_to("/nosuch"),
        "a folder": link.mkdir,
    }[what]()
    assert read_shell_setup().link == ""
    assert "link" not in [left.kind for left in found_setup()]


def test_a_completion_of_somebody_elses_is_left(user_home: Path) -> None:
    script = user_home / ".local/share/bash-completion/completions/dusty"
    script.parent.mkdir(parents=True)
    script.write_text("complete -W 'a b' dusty\n")
    assert read_shell_setup().writes == () and found_setup() == []


def test_a_start_file_in_a_folder_of_dotfiles_stays_a_link(user_home: Path, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles/bashrc").write_text("x=1\n")
    (user_home / ".bashrc").symlink_to(tmp_path / "dotfiles/bashrc")
    set_up_shell(read_shell_setup())
    assert (user_home / ".bashrc").is_symlink() and "Dusty" in (tmp_path / "dotfiles/bashrc").read_text()
    for left in found_setup():
        undo_setup(left)
    assert (tmp_path / "dotfiles/bashrc").read_text() == "x=1\n"


def test_an_unknown_shell_gets_the_link_alone(user_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/dash")
    setup = read_shell_setup()
    assert setup.link and setup.writes == ()


def test_an_installed_wheel_makes_no_link(user_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_shell, "own_launcher", lambda: "")
    assert read_shell_setup() == user_shell.ShellSetup()
    (user_home / "dusty").write_text("#!/bin/sh\n")
    (user_home / "dusty").chmod(0o755)
    monkeypatch.setenv("PATH", f"{user_home}:/usr/bin:/bin")
    setup = read_shell_setup()
    assert setup.link == "" and setup.shell == "bash"
