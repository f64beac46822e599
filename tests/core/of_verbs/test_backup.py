"""What tells that a backup is not as it was written."""

from __future__ import annotations

import json

import pytest

from dusty_tasks.core.of_verbs.backup import Entry, Folder, damage, folders, manifest_of

FOLDER = Entry("db", "folder", 0, 0o755, 0, 0)
FILE = Entry("db/f", "file", 3, 0o600, 999, 888, sha256="ab")
LINK = Entry("db/l", "link", 0, 0o777, 0, 0, target="/anywhere")
ENTRIES = [FOLDER, FILE, LINK, Entry("other", "file", 4, 0o644, 0, 0, sha256="cd")]


def kept(entries: list[Entry]):
    return json.loads(json.dumps(manifest_of(entries, {"made": "now"})))


def test_a_sound_archive_has_no_damage() -> None:
    assert damage(kept(ENTRIES), ENTRIES) == ""


@pytest.mark.parametrize(
    ("manifest", "what"),
    [
        (None, "no manifest"),
        ([], "no manifest"),
        ({"entries": 3}, "no manifest"),
        ({**kept(ENTRIES), "format": 9}, "its format is 9"),
        (kept(ENTRIES[:-1]), "its manifest lists 3"),
        (kept([*ENTRIES, FILE]), "its manifest lists 5"),
        (kept([FOLDER, FILE._replace(sha256="xx"), *ENTRIES[2:]]), "db/f does not match the manifest"),
        (kept([FOLDER, FILE._replace(mode=0o4755), *ENTRIES[2:]]), "db/f does not match the manifest"),
    ],
)
def test_every_difference_is_damage(manifest, what: str) -> None:
    assert what in damage(manifest, ENTRIES)


@pytest.mark.parametrize(
    "entry",
    [
        FILE._replace(name="db/../../etc/passwd"),
        FILE._replace(name="/etc/passwd"),
        FILE._replace(name="db//f"),
        FILE._replace(name=".dusty/owner.json"),
        FILE._replace(name="repos/x/f"),
        FILE._replace(name="db/l/f"),
        Entry("db/h", "hardlink", 0, 0o644, 0, 0, target="/etc/passwd"),
        Entry("db/h", "hardlink", 0, 0o644, 0, 0, target="../x"),
    ],
)
def test_what_no_backup_of_ours_holds_is_refused_even_if_the_manifest_names_it(entry: Entry) -> None:
    entries = [FOLDER, LINK, entry]
    assert damage(kept(entries), entries)


def test_a_backup_is_shown_by_its_top_folders() -> None:
    assert folders(ENTRIES) == [Folder("db", 3, 3), Folder("other", 1, 4)]
