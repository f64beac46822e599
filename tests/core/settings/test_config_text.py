"""config.yml is changed in place: what nobody changed keeps its lines, its comments and its spelling."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.settings.text_edit import Plain, edited, structure_of, text_of, value_of, written

WRITTEN = """\
# my settings
specs_repo: /src/specs   # the team's

host:            # a VM
  kind: ssh
  ssh: me@box:2222   # behind the VPN
  # memory in GiB
  memory: 4

bundles: [web, "1.10"]
# at the end
"""


def after(**changes: object) -> str:
    wanted = value_of(WRITTEN)
    for path, new in changes.items():
        *parents, name = path.split("__")
        inner = wanted
        for parent in parents:
            inner = inner.setdefault(parent, {})
        if new is None:
            inner.pop(name)
        else:
            inner[name] = new
    result = edited(WRITTEN, wanted)
    assert value_of(result.text) == written(wanted)
    return result.text


def test_a_changed_scalar_changes_on_its_line_alone() -> None:
    assert after(host__ssh="you@box") == WRITTEN.replace("me@box:2222", "you@box")
    assert after(host__memory=8) == WRITTEN.replace("memory: 4", "memory: 8")


def test_a_new_key_comes_last_in_its_mapping() -> None:
    assert after(routing="network") == WRITTEN.replace('"1.10"]\n', '"1.10"]\nrouting: network\n')
    assert after(host__ncpu=2) == WRITTEN.replace("memory: 4\n", "memory: 4\n  ncpu: 2\n")


def test_a_removed_key_leaves_the_rest_alone() -> None:
    assert after(host__kind=None) == WRITTEN.replace("  kind: ssh\n", "")
    assert after(specs_repo=None) == WRITTEN.replace("specs_repo: /src/specs   # the team's\n", "")


def test_a_changed_list_is_written_anew_and_keeps_its_neighbours() -> None:
    assert after(bundles=["web", "api"]) == WRITTEN.replace('[web, "1.10"]', "\n  - web\n  - api").replace(
        "bundles: \n", "bundles:\n"
    )


def test_scalars_are_kept_as_written() -> None:
    value = value_of("a: 1.10\nb: '1.10'\nc: 0755\nd: yes\ne:\nf: text\n")
    assert value == {"a": "1.10", "b": "1.10", "c": "0755", "d": "yes", "e": None, "f": "text"}
    assert [isinstance(value[key], Plain) for key in "abcdf"] == [True, False, True, True, False]
    assert text_of(value) == "a: 1.10\nb: '1.10'\nc: 0755\nd: yes\ne: null\nf: text\n"


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("{routing: network} # short\n", ("# short",)),
        ("bundles: # those\n  - a # first\n", ("# first", "# those")),
        ("env: {web: {A: 'x # no comment'}}\nbundles: [a]\n", ()),
    ],
)
def test_comments_that_cannot_stay_are_named(text: str, lost: tuple[str, ...]) -> None:
    assert edited(text, {**value_of(text), "bundles": ["b"]}).lost_comments == lost


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing yet\n", "# no newline", "---\n", "{}\n", "--- # start\na: 1\n", "a: 1\n...\n", "a: 1"]
)
def test_any_small_file_can_be_changed(text: str) -> None:
    wanted = {**value_of(text), "routing": "network"}
    assert value_of(edited(text, wanted).text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "host: &h {kind: ssh}\nother: *h\n",
        "host: &h\n  kind: ssh\nother: *h\n",
        "base: &b\n  kind: ssh\nhost:\n  <<: *b\n  wait: 3\n",
        "host:\n  kind: |\n    # no comment\n    ssh\n",
        "? host\n: kind: ssh\n",
        "host:\r\n  kind: ssh\r\nother: 1\r\n",
        "host: {\n  kind: ssh\n}\n",
    ],
)
def test_unusual_files_still_end_with_the_right_value(text: str) -> None:
    wanted = copy.deepcopy(value_of(text))
    wanted["host"]["kind"] = "local"
    assert value_of(edited(text, wanted).text) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1\n", "2:1: "),
        ("a: 1\na: 2\n", '2:1: duplicate key "a"'),
        ("- a\n", "1:1: must be a mapping"),
        ("? [a]\n: 1\n", "a key must be a word"),
        ("a: *nosuch\n", "undefined alias"),
        ("a: 1\n---\nb: 2\n", "2:1: "),
        ("a: \x00\n", "control characters are not allowed"),
        ("a: " + "[" * 3000, "."),
    ],
)
def test_broken_text_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        value_of(text)


def test_aliases_do_not_explode() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)
    ]
    with pytest.raises(ValueError, match="once aliases are expanded"):
        value_of("\n".join(lines))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("[a, b]", ["a", "b"]),
        ("- a\n- b\n", ["a", "b"]),
        ('{"debug": true}', {"debug": "true"}),
        ("a: b", {"a": "b"}),
        ("*.log", "*.log"),
        ("4", "4"),
        ("# x", "# x"),
        ("", ""),
        ("&x", "&x"),
        ("a: [", "a: ["),
    ],
)
def test_what_a_person_types_is_a_structure_only_if_it_is_one(typed: str, meant: object) -> None:
    assert structure_of(typed) == meant


@pytest.mark.parametrize("typed", ["[a", "{a", "- a\n- [", "{a: 1, a: 2}"])
def test_a_broken_structure_is_named(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\d:\d+: "):
        structure_of(typed)


scalars = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["true", "4", "a # b", "- x", "#", "a: b", " x ", "\n", "null", "~", "é", "'", "* x"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(scalars, inner, max_size=3)),
    max_leaves=8,
)
mappings = st.dictionaries(scalars, values, max_size=4)


@given(before=mappings, wanted=mappings)
def test_any_change_reads_back_as_what_was_wanted(before: dict[str, object], wanted: dict[str, object]) -> None:
    mixed = {**before, **wanted}
    text = edited(text_of(before), mixed).text
    assert value_of(text) == mixed
    assert value_of(edited(text, wanted).text) == wanted
