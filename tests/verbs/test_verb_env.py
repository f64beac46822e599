"""`dusty env`: what is set arrives as given; names, files and forms are checked first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chosen import Chosen


def stored(dusty: Chosen) -> object:
    return json.loads(dusty("env", "--json").out)


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (["A", "1"], {"A": "1"}),
        (["A=1", "B="], {"A": "1", "B": ""}),
        (["A", ""], {"A": ""}),
        (["A", "B=C"], {"A": "B=C"}),
        (["A=x=y z"], {"A": "x=y z"}),
        (["A", "- x"], {"A": "- x"}),
        (["A", "true"], {"A": "true"}),
        (["A", "1.10"], {"A": "1.10"}),
        (["A", "two\nlines"], {"A": "two\nlines"}),
        (["A", "é#:{"], {"A": "é#:{"}),
        (["_a1", " "], {"_a1": " "}),
        (["A=1", "A=2"], {"A": "2"}),
    ],
    ids=str,
)
def test_values_arrive_as_given(dusty: Chosen, words: list[str], variables: dict[str, str]) -> None:
    ended = dusty("env", "set", "web", "--", *words)
    assert (ended.code, ended.err) == (0, "") and f"web: set {', '.join(variables)}" in ended.out
    assert stored(dusty) == {"web": variables}


def test_list_shows_all_or_one(dusty: Chosen) -> None:
    dusty("env", "set", "web", "B=2", "A=1")
    dusty("env", "set", "redis", "C=3")
    assert dusty("env").out == "redis:\n  C=3\nweb:\n  A=1\n  B=2\n"
    assert dusty("env", "list", "web").out == "web:\n  A=1\n  B=2\n"
    assert dusty("env", "list", "api").out == "no variables are set for api\n"


def test_set_adds_to_what_is_there(dusty: Chosen) -> None:
    dusty("env", "set", "web", "A=1")
    dusty("env", "set", "web", "B=2")
    assert stored(dusty) == {"web": {"A": "1", "B": "2"}}
    assert "had that value already" in dusty("env", "set", "web", "B=2").out


def test_a_file_holds_lines(dusty: Chosen) -> None:
    Path("my.env").write_bytes(
        "\ufeff# comment\n\nA=1\r\n B = two words \nEMPTY=\n  # more\nFROM_CALLER\nA=last\n".encode()
    )
    assert dusty("env", "set", "web", "--file", "my.env").code == 0
    assert stored(dusty) == {"web": {"A": "last", "B": " two words ", "EMPTY": "", "FROM_CALLER": None}}
    assert "  FROM_CALLER (from the caller of up)\n" in dusty("env").out


def test_unset_takes_variables_or_all(dusty: Chosen) -> None:
    before = dusty.config.read_text()
    dusty("env", "set", "web", "A=1", "B=2", "C=3")
    assert dusty("env", "unset", "web", "A").out.startswith("web: unset A;")
    assert dusty("env", "unset", "web", "--all").out.startswith("web: unset B, C;")
    assert stored(dusty) == {} and dusty.config.read_text() == before


def test_a_name_that_left_the_specs_can_be_listed_and_unset(dusty: Chosen) -> None:
    dusty("env", "set", "api", "A=1")
    (dusty.specs / "apps/api.yml").unlink()
    (dusty.specs / "bundles/Bücher & more.yml").unlink()
    assert dusty("env", "list", "api").code == 0
    assert dusty("env", "set", "api", "B=1").code == 1
    assert dusty("env", "unset", "api", "A").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "wbe", "A=1"], 'no app or service named "wbe"\n    hint: did you mean "web"?'),
        (["set", "base", "A=1"], 'named "base"'),
        (["set"], "needs the name"),
        (["set", "web"], "needs VAR VALUE"),
        (["set", "web", "A"], '"A" is not VAR=VALUE'),
        (["set", "web", "A", "B", "C"], '"A" is not VAR=VALUE'),
        (["set", "web", "1A=1"], '"1A" is not the name of a variable'),
        (["set", "web", "=1"], '"" is not the name'),
        (["set", "web", "A B", "1"], '"A B" is not the name'),
        (["set", "web", "Ä=1"], '"Ä" is not the name'),
        (["set", "web", "A=1", "--file", "x"], "not both"),
        (["set", "web", "--file", "/nosuch"], "/nosuch: No such file"),
        (["set", "web", "--file", "/"], "/: Is a directory"),
        (["set", "web", "--file", "/dev/null"], "sets no variable"),
        (["unset", "web", "A"], "web: no variable is set"),
        (["unset", "web"], "needs VAR"),
        (["unset", "web", "A", "--all"], "not both"),
        (["unset", "web", "--all"], "no variable is set"),
        (["unset", "nosuch", "A"], 'named "nosuch"'),
        (["list", "nosuch"], 'named "nosuch"'),
        (["list", "web", "x"], "unexpected argument"),
        (["list", "--all"], "--all belongs to unset"),
        (["list", "--file", "x"], "--file belongs to set"),
        (["sett"], 'did you mean "set"?'),
        (["set", "web", "A=\x01"], "config.yml"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_bad_input_is_named_and_changes_nothing(dusty: Chosen, words: list[str], said: str) -> None:
    before = dusty.config.read_bytes()
    ended = dusty("env", *words)
    assert ended.code == 1 and ended.out == "" and said in ended.err, ended.err
    assert dusty.config.read_bytes() == before


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"A=1\nB C=2\n", 'bad.env:2: "B C" is not the name of a variable'),
        (b"A=\xff\n", "not UTF-8 text (byte 3)"),
        (b"\n# x\n", "sets no variable"),
        (b"A=1\n=2\n", 'bad.env:2: "" is not'),
    ],
)
def test_a_bad_file_is_named_with_its_line(dusty: Chosen, data: bytes, said: str) -> None:
    Path("bad.env").write_bytes(data)
    ended = dusty("env", "set", "web", "--file", "bad.env")
    assert ended.code == 1 and said in ended.err and stored(dusty) == {}


def test_a_very_long_value_is_kept(dusty: Chosen) -> None:
    dusty("env", "set", "web", "A", "x" * 100_000)
    assert stored(dusty) == {"web": {"A": "x" * 100_000}}


def test_a_variable_that_is_not_set_is_named_with_those_that_are(dusty: Chosen) -> None:
    dusty("env", "set", "web", "A=1", "B=2")
    assert dusty("env", "unset", "web", "A", "Z").err == "web: Z is not set\n    hint: set: A, B\n"
    assert stored(dusty) == {"web": {"A": "1", "B": "2"}}


def test_values_in_quotes_are_meant_without_them(dusty: Chosen, tmp_path: Path) -> None:
    (tmp_path / "dot.env").write_text("""A="with blank"  # a comment
B='as $it is "really"'
export C="two\\nlines \\"x\\""
D=plain # comment
E=a#b
F=
G=""
""")
    assert dusty("env", "set", "web", "--file", str(tmp_path / "dot.env")).code == 0
    stored = json.loads(dusty("env", "list", "web", "--json").out)["web"]
    assert stored == {
        "A": "with blank",
        "B": 'as $it is "really"',
        "C": 'two\nlines "x"',
        "D": "plain",
        "E": "a#b",
        "F": "",
        "G": "",
    }
    (tmp_path / "dot.env").write_text('OK=1\nA="open\n')
    ended = dusty("env", "set", "web", "--file", str(tmp_path / "dot.env"))
    assert ended.code == 1 and "dot.env:2: the quote" in ended.err


def test_a_value_in_quotes_may_have_several_lines(dusty: Chosen, tmp_path: Path) -> None:
    (tmp_path / "dot.env").write_bytes(
        b'\xef\xbb\xbfexport\tKEY="-----BEGIN-----\r\na=b # kept\r\n\\"x\\"\r\n-----END-----"  # a comment\r\n'
        b"  export RAW='one\r\n\r\n# two'\r\nLAST=3\r\n"
    )
    assert dusty("env", "set", "web", "--file", str(tmp_path / "dot.env")).code == 0
    wanted = {"KEY": '-----BEGIN-----\na=b # kept\n"x"\n-----END-----', "RAW": "one\n\n# two", "LAST": "3"}
    assert json.loads(dusty("env", "list", "web", "--json").out)["web"] == wanted


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quote_that_never_ends_is_named_where_it_begins_however_long_the_file_is(
    dusty: Chosen, tmp_path: Path, quote: str
) -> None:
    (tmp_path / "dot.env").write_text(f"OK=1\nA={quote}open\n" + "B=2 \\\n" * 50_000)
    ended = dusty("env", "set", "web", "--file", str(tmp_path / "dot.env"))
    assert ended.code == 1 and "dot.env:2: the quote" in ended.err
