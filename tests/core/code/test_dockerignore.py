"""How .dockerignore is read. tests/e2e/test_builder_contexts.py holds it against the builder itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.code.build_parts import Context, contexts_of, dockerfile_names, outside_args, with_whole_paths
from dusty_tasks.core.code.dockerignore import BadPattern, Ignored, cleaned, read_patterns
from dusty_tasks.core.code.linear import Automaton


def is_out(text: str, path: str) -> bool:
    """Asked from the top down, as a walk does."""
    ignored = Ignored(read_patterns(text.encode()))
    decided, parts = ignored.top, path.split("/")
    for depth in range(1, len(parts) + 1):
        decided = ignored.decide("/".join(parts[:depth]), decided)
    return decided[0]


@pytest.mark.parametrize(
    ("text", "out", "kept"),
    [
        ("a", ["a", "a/b/c"], ["A", "b/a", "ab"]),
        ("/a/", ["a", "a/b"], ["b/a"]),
        ("*.md\n!README.md", ["x.md"], ["README.md", "d/x.md"]),
        ("!README.md\n*.md", ["README.md", "x.md"], []),
        ("d\n!d/keep", ["d/x"], ["d/keep", "d/keep/below"]),
        ("d/keep\n!d", ["d/keep"], ["d", "d/x"]),
        ("**/a", ["a", "b/a", "b/c/a/d"], ["ab"]),
        ("**a", ["a", "ba", "c/ba"], ["ab"]),
        ("d/**", ["d/x", "d/x/y"], ["d", "e/d/x"]),
        ("*/temp*", ["x/temp", "x/temporary/y"], ["temp", "x/y/temp"]),
        ("./a\n../b\n c \n", ["a", "c"], ["b"]),
        ("\ufeffa\r\n# b\n#c\nd # e", ["a", "d # e"], ["b", "#c", "d"]),
        ("\\!a", ["!a"], ["a"]),
        ("[ab]\n[^x]y", ["a", "zy"], ["c", "xy"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
    ],
)
def test_what_is_left_out(text: str, out: list[str], kept: list[str]) -> None:
    assert [path for path in (*out, *kept) if is_out(text, path)] == out


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(BadPattern, match="64 KiB"):
        read_patterns(b"a\n" + b"b" * (1 << 16))


@given(st.text("ab./", max_size=12))
def test_a_path_is_cleaned_as_go_does(path: str) -> None:
    """Once is enough, and `a/../b` is `b`."""
    import posixpath

    assert cleaned(cleaned(path)) == cleaned(path)
    assert cleaned(path) == posixpath.normpath(path or ".").replace("//", "/")


@pytest.mark.parametrize(
    "pattern", ["*a" * 40 + "*b", "**/a*" * 40 + "b", "**/x/" * 200 + "y", "[a-z]*" * 300 + "/", "?*" * 500]
)
def test_no_pattern_takes_more_steps_than_the_path_has_characters(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, closed = [], Automaton._closed
    monkeypatch.setattr(Automaton, "_closed", lambda self, *words: steps.append(1) or closed(self, *words))
    ignored = Ignored(read_patterns(pattern.encode()))
    for path in ("a" * 255, "/".join("a" * 2000)):
        steps.clear()
        ignored.decide(path, ignored.top)
        assert len(steps) <= len(path) + 1


def test_what_a_build_names_beside_its_context() -> None:
    build = {
        "additional_contexts": {
            "conf": "/src/$$x",
            "base": "service:api",
            "far": "https://x/y.git",
            "oci": "oci-layout:///img",
            "img": "docker-image://a",
        }
    }
    assert list(contexts_of(build)) == [
        Context("conf", "/src/$x"),
        Context("base", service="api"),
        Context("far"),
        Context("oci", "/img", is_ignoring=False),
        Context("img"),
    ]
    assert list(contexts_of("/src")) == [] and dockerfile_names("/src") == ("Dockerfile", "dockerfile")
    assert dockerfile_names({"dockerfile": "dev/Docker$$file"}) == ("dev/Docker$file",)
    for args in ({"A": None, "B": "1", "C": None}, ["A", "B=1", "C"]):
        assert outside_args({"args": args}, {"A": "x", "B": "y"}) == {"A": "x"}


def test_additional_contexts_begin_at_the_specs_repo() -> None:
    assert with_whole_paths(
        {"additional_contexts": {"a": "./x", "b": "/y", "c": "docker-image://z", "d": "service:web"}}, "/specs"
    ) == {"additional_contexts": {"a": "/specs/x", "b": "/y", "c": "docker-image://z", "d": "service:web"}}
    assert with_whole_paths({"additional_contexts": ["a=../x"]}, "/specs/y") == {"additional_contexts": ["a=/specs/x"]}
    assert with_whole_paths({"dockerfile": "F"}, "/specs") == {"dockerfile": "F"}
