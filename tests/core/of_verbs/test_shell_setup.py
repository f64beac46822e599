"""Lines of ours in a start file that is somebody else's: put in once, changed in place, taken out without a trace."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from dusty_tasks.core.of_verbs.shell_setup import BEGIN, END, lines_for, places, with_lines, without_lines

LINES = lines_for("bash", "/home/me/.local/share/bash-completion/completions/dusty", "/home/me", adds_folder=False)
OTHER_LINES = lines_for("bash", "/home/me/.local/share/bash-completion/completions/dusty", "/home/me", adds_folder=True)
TEXTS = st.lists(
    st.sampled_from(
        [
            b"",
            b"alias ll='ls -l'",
            b"\xff\r",
            b"  # BEGIN lines of Dusty",
            b"# END lines of Dusty, or not",
            b"a\rb",
            b"\x00",
        ]
    ),
    max_size=6,
).map(b"\n".join)


@given(TEXTS)
@example(b"")
@example(b"no newline at the end")
def test_they_are_there_once_and_go_again(text: bytes) -> None:
    once = with_lines(text, LINES)
    assert once is not None and once.count(LINES) == 1
    assert with_lines(once, LINES) is None, "once more changes nothing"
    ended = text if not text or text.endswith(b"\n") else text + b"\n"
    assert without_lines(once) == ended


@given(TEXTS, TEXTS)
def test_other_lines_take_their_place(before: bytes, after: bytes) -> None:
    before = before + b"\n" if before and not before.endswith(b"\n") else before
    changed = with_lines(before + LINES + after, OTHER_LINES)
    assert changed == before + OTHER_LINES + after


def test_marks_that_do_not_pair_up_are_left_alone() -> None:
    for text in (BEGIN + b"\nx\n", END + b"\n", BEGIN + b"\n" + LINES, LINES + END):
        assert without_lines(text) is None and with_lines(text, LINES) is None


def test_who_loads_the_completion_himself_gets_no_second_one() -> None:
    assert with_lines(b"source <(dusty completion bash)\n", LINES) is None


def test_paths_below_the_home_folder_follow_it_and_others_are_quoted() -> None:
    assert b'. "$HOME"/.local/share/bash-completion/completions/dusty;' in LINES and b"PATH" not in LINES
    assert b'export PATH="$HOME"/.local/bin:"$PATH"' in OTHER_LINES
    assert b"source '/data dir/_dusty'" in lines_for("zsh", "/data dir/_dusty", "/home/me", adds_folder=False)


def test_each_shell_has_its_own_places() -> None:
    assert places("bash", "/h", {}) == ("/h/.bashrc", "/h/.local/share/bash-completion/completions/dusty")
    assert places("zsh", "/h", {"ZDOTDIR": "/z", "XDG_DATA_HOME": "/d"}) == (
        "/z/.zshrc",
        "/d/zsh/site-functions/_dusty",
    )
    assert places("fish", "/h", {"XDG_CONFIG_HOME": "/c"}) == ("", "/c/fish/completions/dusty.fish")
