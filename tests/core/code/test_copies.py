"""What a sync takes out of a copy, and what it leaves: every tree against a plain description of the rule."""

from __future__ import annotations

import stat

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.code.copies import ALL, SENT, UNIGNORED, Guard, MountPoint, State, Tree, deletions, hindrances
from dusty_tasks.core.code.excludes import Matcher, rules_of
from dusty_tasks.core.code.gitignore import Ignores
from dusty_tasks.core.code.replaced import (
    KEPT_BYTES,
    Kept,
    Replaced,
    deleted_note,
    edits,
    is_as_sent,
    kept_lines,
    made_there,
    superfluous,
)

NAMES = [b"a", b"b", b"x.log", b"m", b"skip"]
trees = st.recursive(
    st.just(None), lambda below: st.dictionaries(st.sampled_from(NAMES), below, max_size=4), max_leaves=12
).map(lambda found: found or {})
"""A folder by name -> None for a file, or such a folder."""
IGNORES, EXCLUDES = Ignores({b"/": b"*.log\n/b/\n", b"/a/": b"!x.log\n"}.get), Matcher(rules_of(b"skip\n"))


def flat(tree: dict, below: bytes = b"") -> dict[bytes, bool]:
    """Path -> whether it is a folder."""
    found: dict[bytes, bool] = {}
    for name, inner in tree.items():
        found[below + b"/" + name] = isinstance(inner, dict)
        if isinstance(inner, dict):
            found |= flat(inner, below + b"/" + name)
    return found


def folders_of(tree: dict) -> dict[bytes, list]:
    paths = flat(tree)
    found: dict[bytes, list] = {b"/": [], **{path + b"/": [] for path, is_folder in paths.items() if is_folder}}
    for path, is_folder in paths.items():
        folder, _, name = path.rpartition(b"/")
        found[folder + b"/"].append((name, stat.S_IFDIR | 0o755) if is_folder else (name, stat.S_IFREG | 0o644, 1, 1))
    return found


def listing_of(tree: dict):
    paths = flat(tree)

    def listing(folder: bytes):
        return [
            (path.rpartition(b"/")[2], State("d" if is_folder else "f"))
            for path, is_folder in paths.items()
            if path.rpartition(b"/")[0] + b"/" == folder
        ]

    return listing


def prefixes(path: bytes) -> list[bytes]:
    parts = path.split(b"/")[1:]
    return [b"/" + b"/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


@given(
    trees,
    trees,
    st.sampled_from([UNIGNORED, ALL, SENT]),
    st.sets(st.sampled_from(["m", "a/m", "b/m/a", "a"]), max_size=2),
    trees,
)
def test_what_goes_is_what_the_source_lacks_but_for_what_is_left_alone(
    copy: dict, source: dict, mode: str, mounts: set[str], sent: dict
) -> None:
    sent_paths, in_source = flat(sent), flat(source)
    guard = Guard(
        EXCLUDES, [MountPoint(path, "web") for path in mounts], IGNORES, mode, lambda path: path in sent_paths
    )
    found = deletions(listing_of(copy), folders_of(source), guard)
    gone = {b"/" + path for path in found.paths}
    for path, is_folder in flat(copy).items():
        is_gone = any(here in gone for here in prefixes(path))
        here_first = next((here for here in prefixes(path) if here not in in_source), None)
        # Under a file of the source everything has to make room, and a file stays where the source has a folder: rsync replaces it.
        in_the_way = any(in_source.get(here) is False and flat(copy)[here] for here in prefixes(path))
        left_alone = (
            any(EXCLUDES.is_excluded(here, flat(copy)[here]) for here in prefixes(path))
            or guard.mount_point(path) is not None
        )
        kept = here_first is not None and any(
            guard.keeps(here, flat(copy)[here]) for here in prefixes(path) if here not in in_source
        )
        if is_folder:
            assert not (is_gone and (left_alone or (path in in_source and not in_the_way)))
            continue
        expected = (
            not left_alone
            and ((here_first is not None and not kept) or in_the_way)
            and (path not in in_source or in_the_way)
        )
        assert is_gone == expected, (path, found)
    assert {b"/" + path for path in found.files} == {
        path for path, is_folder in flat(copy).items() if not is_folder and any(here in gone for here in prefixes(path))
    }


def test_what_hinders_the_source() -> None:
    copy = listing_of({b"file": None, b"nm": {}, b"conf": {b"cache": {}}, b"key": None})
    source = Tree(folders_of({b"file": None, b"nm": None, b"conf": None, b"key": None, b"key2": None, b"plain": {}}))
    points = [
        MountPoint("file", "web"),
        MountPoint("nm", "web"),
        MountPoint("conf/cache", "web"),
        MountPoint("plain/vol", "web"),
        MountPoint("key", "web", "KEY"),
        MountPoint("key2", "web", "UNSET"),
    ]
    found = hindrances(copy, source, Guard(EXCLUDES, points, None, set_assets=["KEY"]))
    assert found.in_place == (b"file",)
    assert [path for path, _ in found.barred] == [b"nm", b"key"]
    assert [(path, point.path) for path, point in found.conflicts] == [(b"conf", "conf/cache")]


def test_what_was_made_there_is_what_no_sync_sent_like_that() -> None:
    sent = Tree({b"/": [(b"a", stat.S_IFREG, 1, 5_000_000_001), (b"l", stat.S_IFLNK, b"t"), (b"d", stat.S_IFDIR)]})
    same = {b"a": State("f", 1, 5_000_000_001), b"l": State("l", target=b"t")}
    assert made_there(same, [sent], sent) == []
    assert made_there({b"a": State("f", 1, 5_000_000_000)}, [sent], sent) == [], (
        "whole seconds are all that some hosts tell"
    )
    others = {
        b"a": State("f", 1, 5_000_000_002),
        b"l": State("l", target=b"u"),
        b"new": State("f"),
        b"pipe": State("o"),
        b"d": State("f"),
    }
    assert made_there(others, [sent], sent) == [
        Replaced(b"a", False),
        Replaced(b"d", False),
        Replaced(b"l", False),
        Replaced(b"new", True),
    ]
    assert not is_as_sent(State("f"), None)
    half = {b".a.Xy12z9": State("f", 3), b".b.Xy12z9": State("f", 3)}
    assert made_there(half, [sent], sent, is_after_a_break=True) == [Replaced(b".b.Xy12z9", True)]


def test_edits_leave_out_what_no_sync_would_touch() -> None:
    sent = [Tree(folders_of({b"a": None, b"b": None}))]
    copy = {
        b"/": [
            (b"a", State("f", 1, 1)),
            (b"b", State("f", 2, 1)),
            (b"x.log", State("f")),
            (b"m", State("d")),
            (b"skip", State("f")),
            (b"n", State("d")),
        ],
        b"/m/": [(b"x", State("f"))],
        b"/n/": [(b"y", State("f"))],
    }
    guard = Guard(EXCLUDES, [MountPoint("m", "web")], IGNORES)
    assert edits(lambda folder: copy.get(folder, ()), sent, guard) == [(b"b", "changed"), (b"n/y", "new")]


def test_the_oldest_go_and_the_newest_stays_whatever_it_takes() -> None:
    assert superfluous({f"t{number:02d}": 1 for number in range(12)}) == ["t00", "t01"]
    assert superfluous({"t1": KEPT_BYTES // 2, "t2": KEPT_BYTES // 2, "t3": 1}) == ["t1"]
    assert superfluous({"t1": 1, "t2": 2 * KEPT_BYTES}) == ["t1"]
    assert superfluous({"t1": 2 * KEPT_BYTES}) == [] == superfluous({})


def test_every_name_is_said_as_it_may_be_printed() -> None:
    kept = [
        Kept(
            "20260101-000000",
            (
                Replaced(b"a\x1b[1m\n", True),
                Replaced(b"\xff", False),
                *(Replaced(b"f%d" % number, True) for number in range(200)),
            ),
        )
    ]
    lines = list(kept_lines(kept, "/kept/web", "web"))
    assert (
        lines[0] == "    deleted, made on the Docker host: a\\x1b[1m\\n"
        and "    overwritten, changed on the Docker host: \\udcff" in lines
    )
    assert (
        "    deleted, made on the Docker host: 101 more" in lines and "    kept in /kept/web/20260101-000000" in lines
    )
    note = deleted_note(kept, None, "now")
    assert (note["count"], len(note["names"]), note["time"]) == (201, 20, "now")
    assert deleted_note([], note, "later") is note and deleted_note([], "odd", "later") == {}
