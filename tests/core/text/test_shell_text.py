"""Where the arguments of scripts and suites go, by what real shells make of it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.check.shell import is_plain
from dusty_tasks.core.text.shell_text import with_arguments

SHELLS = [words for words in (["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(words[0])]
ARGUMENTS = ["a b", "", "-n", "*"]
SHOW = "show() { printf '[%s]' \"$@\"; echo; }\n"


def run(shell: list[str], text: str, *arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [*shell, "-c", text, "script", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pytest", 'pytest "$@"'),
        ("pytest -x  ", 'pytest -x "$@"  '),
        ("pytest # all of them", 'pytest "$@" # all of them'),
        ("pytest\n# the end", 'pytest "$@"\n# the end'),
        ("a &&\n  b;", 'a &&\n  b "$@";'),
        ("serve &", 'serve "$@" &'),
        ("a | b", 'a | b "$@"'),
        ("cat <<EOF\nhi # x\nEOF", 'cat <<EOF "$@"\nhi # x\nEOF'),
        ("python - <<'E F' x\nprint(')')\nE F", "python - <<'E F' x \"$@\"\nprint(')')\nE F"),
        ("cat <<-E\n\thi\n\tE\nrun", 'cat <<-E\n\thi\n\tE\nrun "$@"'),
        ("echo fi", 'echo fi "$@"'),
        ("echo in fi", 'echo in fi "$@"'),
        ("echo '# no'", "echo '# no' \"$@\""),
        ("run a#b", 'run a#b "$@"'),
        ("a\\\n b", 'a\\\n b "$@"'),
        ("run \\", 'run "$@" \\'),
        ("A=1 run", 'A=1 run "$@"'),
        ("run > f 2>&1 # c", 'run > f 2>&1 "$@" # c'),
        ("x=$(case a in a) b;; esac); run", 'x=$(case a in a) b;; esac); run "$@"'),
        ("run $(cat <<E\nit's )\nE\n) x", 'run $(cat <<E\nit\'s )\nE\n) x "$@"'),
        ("run $((1 << 2)) ${x:-)}", 'run $((1 << 2)) ${x:-)} "$@"'),
        ('run "`date`" "$(a "b" \'c)\')"', 'run "`date`" "$(a "b" \'c)\')" "$@"'),
        ("while read x; do :; done < f | sort", 'while read x; do :; done < f | sort "$@"'),
        ('echo "$@"; run', 'echo "$@"; run "$@"'),
        ("diff <(a) <(b)", 'diff <(a) <(b) "$@"'),
    ],
)
def test_after_the_words_of_the_last_command(text: str, wanted: str) -> None:
    assert with_arguments(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "if a; then b; fi",
        "for f in x fi; do a; done",
        "for f in a; do b; done < list",
        "case $1 in a) b;; *) c;; esac",
        "case x in in) y;; esac # c",
        "(a; b)",
        "{ a; b; } 2>&1",
        "f() { a; }",
        "f() (a)",
        "((i++))",
        "a=1",
        "a=$(b) c='d'",
        "> f",
        "2> f",
        "exit 3",
        "a && return",
        "while :; do break; done",
        "run #",
        "run #  ",
        'run "$@"',
        "exec run $*",
        'run "${@}"',
        "a |",
        "a &&",
    ],
)
def test_left_as_it_is(text: str) -> None:
    assert with_arguments(text) == text


WORDS = st.sampled_from(
    [
        "a",
        "'b c'",
        '"d # e"',
        '$(echo f; echo "g)")',
        "`echo h`",
        "$((1 << 2))",
        "${x:-i}",
        "\\#",
        "fi",
        "done",
        "in",
        "k#l",
        '"$(case m in m) echo n;; esac)"',
        "\\\n o",
    ]
)
SIMPLE = st.lists(WORDS, max_size=3).map(lambda words: " ".join(["show", *words]))
COMPOUND = st.one_of(st.just(":"), SIMPLE).flatmap(
    lambda inner: st.sampled_from(
        [
            f"if {inner}; then {inner}; fi",
            f"for x in 1 2; do {inner}; done",
            f"( {inner} )",
            f"{{ {inner}; }}",
            f"case a in (b) {inner};; a) {inner};; esac",
            f"f() {{ {inner}; }}",
            f"while {inner} && false; do :; done",
            f"if true; then\n{inner}\nelse\n:\nfi >&2",
        ]
    )
)
HEREDOC = st.sampled_from(["cat <<EOF\nit's ) \"q\nEOF", "cat <<'E' >/dev/null\n$( `\nE", "cat <<-EOF\n\ta # b\n\tEOF"])
STATEMENT = st.one_of(SIMPLE, COMPOUND, HEREDOC, st.sampled_from(["x=1", "x=$(show q)", "true"]))
TAIL = st.sampled_from(["", "", " # a comment", "\n# a comment", ";", " ;\n\n", " # it's", "\n"])
TEXTS = st.tuples(
    st.lists(
        st.tuples(STATEMENT, st.sampled_from(["\n", "\n\n", " # c's\n", "\n# fi\n"])).map("".join), max_size=3
    ).map("".join),
    STATEMENT,
    TAIL,
)


PIECES = st.lists(
    st.sampled_from(
        [
            *"ab =-'\"$x{}\n\t./#;|&()<>\\`~!*?[]",
            "if ",
            "fi",
            "done",
            "do ",
            "then ",
            "<<E",
            "case ",
            " in ",
            "esac",
            "$(",
            "${",
            "$((",
            "E\n",
        ]
    ),
    max_size=25,
).map("".join)


@given(TEXTS)
def test_shells_read_it_and_without_arguments_it_does_the_same(parts: tuple[str, str, str]) -> None:
    text = SHOW + "".join(parts)
    changed = with_arguments(text)
    for shell in SHELLS:
        assert run(shell, changed) == run(shell, text), changed


@given(st.tuples(st.lists(st.tuples(STATEMENT, st.just("\n")).map("".join), max_size=2).map("".join), SIMPLE, TAIL))
def test_the_arguments_arrive_as_they_are(parts: tuple[str, str, str]) -> None:
    text = SHOW + "".join(parts)
    for shell in SHELLS:
        before, after = run(shell, text)[1], run(shell, with_arguments(text), *ARGUMENTS)[1]
        arrived = "".join(f"[{argument}]" for argument in ARGUMENTS) + "\n"
        # A command without words of its own shows one empty pair of brackets.
        assert (
            after == before.removesuffix("\n").removesuffix("[]" if before.splitlines()[-1] == "[]" else "") + arrived
        ), with_arguments(text)


@given(PIECES)
def test_what_is_called_plain_no_shell_refuses(text: str) -> None:
    if is_plain(text):
        for shell in SHELLS:
            ended = subprocess.run([*shell, "-n"], input=f"{text}\n", capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stderr


@given(PIECES)
def test_any_text_comes_out_whole(text: str) -> None:
    assert with_arguments(text).replace(' "$@"', "", 1) == text or with_arguments(text) == text
