"""What is different on macOS, with fakes: nobody here has such a machine, so these paths are recorded, not tried."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hosts_box import SOURCE, section

from dusty_tasks.effects.hosts.section import helper_module

SHOP = section("127.0.0.1 shop.test")


@pytest.fixture
def own() -> dict:
    """Names of the helper that a test may change."""
    return helper_module()


def stat_of(uid: int = 0, mode: int = stat.S_IFDIR | 0o755, **more) -> SimpleNamespace:
    return SimpleNamespace(st_uid=uid, st_mode=mode, st_size=10, **more)


class Tree:
    """Folders, files and links by path, behind the calls by which the helper walks."""

    def __init__(self, entries: dict[str, object], own: dict) -> None:
        self.entries, self.paths = entries, ["", "", ""]
        fake = {name: getattr(os, name) for name in dir(os)}
        fake.update(
            open=self.open,
            readlink=self.readlink,
            fstat=lambda number: self.entries[self.paths[number]],
            close=lambda number: None,
        )
        own["os"] = SimpleNamespace(**fake)

    def path(self, name: str, dir_fd: int | None) -> str:
        return name if dir_fd is None else f"{self.paths[dir_fd].rstrip('/')}/{name}"

    def open(self, name: str, flags: int, dir_fd: int | None = None) -> int:
        assert flags & os.O_NOFOLLOW
        path = self.path(name, dir_fd)
        if isinstance(self.entries[path], str):
            raise OSError(errno.ELOOP, "a link")
        self.paths.append(path)
        return len(self.paths) - 1

    def readlink(self, name: str, dir_fd: int) -> str:
        entry = self.entries.get(self.path(name, dir_fd))
        if isinstance(entry, str):
            return entry
        raise OSError(errno.EINVAL if entry else errno.ENOENT, "no link")


def test_etc_is_a_link_into_private(own: dict) -> None:
    tree = Tree(
        {
            "/": stat_of(),
            "/etc": "private/etc",
            "/private": stat_of(),
            "/private/etc": stat_of(),
            "/private/etc/hosts": stat_of(mode=stat.S_IFREG | 0o644),
        },
        own,
    )
    folder, name = own["open_hosts_folder"]()
    assert (tree.paths[folder], name) == ("/private/etc", "hosts")


@pytest.mark.parametrize("loose", ["/", "/private", "/private/etc"])
@pytest.mark.parametrize(
    "found",
    [stat_of(uid=501), stat_of(mode=stat.S_IFDIR | 0o775), stat_of(mode=stat.S_IFDIR | 0o1777)],
    ids=["another's", "group", "sticky"],
)
def test_folder_on_the_way_that_others_may_write(own: dict, loose: str, found: SimpleNamespace) -> None:
    Tree(
        {"/": stat_of(), "/etc": "private/etc", "/private": stat_of(), "/private/etc": stat_of()} | {loose: found}, own
    )
    with pytest.raises(own["Refusal"]) as caught:
        own["open_hosts_folder"]()
    assert caught.value.code == 12


@pytest.mark.parametrize(
    "links", [{"/etc": "etc"}, {"/etc": "private/etc", "/private": "etc"}, {"/etc": "/"}, {"/etc": "/.."}]
)
def test_links_that_lead_in_circles_or_nowhere(own: dict, links: dict[str, object]) -> None:
    tree = Tree({"/": stat_of(), **links}, own)
    try:
        folder, name = own["open_hosts_folder"]()
    except own["Refusal"] as refusal:
        assert refusal.code == 12
    else:
        assert (tree.paths[folder], name) == ("/", "hosts")


@pytest.mark.parametrize("flag", ["UF_IMMUTABLE", "UF_APPEND", "SF_IMMUTABLE", "SF_APPEND"])
def test_flags_of_bsd_that_forbid_a_change(own: dict, flag: str) -> None:
    Tree({"/": stat_of(), "/hosts": stat_of(mode=stat.S_IFREG | 0o644, st_flags=getattr(stat, flag))}, own)
    with pytest.raises(own["Refusal"]) as caught:
        own["read_hosts"](own["open_folder"]("/", None), "hosts")
    assert (caught.value.code, str(caught.value)) == (13, "/etc/hosts is immutable")


def test_flags_that_forbid_nothing(own: dict) -> None:
    Tree({"/": stat_of(), "/hosts": stat_of(mode=stat.S_IFREG | 0o644, st_flags=stat.UF_NODUMP | stat.UF_HIDDEN)}, own)
    own["read_all"] = lambda file, limit: b"content"
    assert own["read_hosts"](own["open_folder"]("/", None), "hosts")[1] == b"content"


def test_attributes_are_copied_by_the_systems_own_call(own: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setitem(sys.modules, "posix", SimpleNamespace(_fcopyfile=lambda *words: called.append(words)))
    own["sys"] = SimpleNamespace(platform="darwin")
    # macOS has no os.listxattr and no os.setxattr: none may be asked for.
    own["os"] = SimpleNamespace(utime=lambda file: called.append(("utime", file)), fchmod=os.fchmod)
    own["copy_attributes"](3, 4)
    copyfile_acl, copyfile_stat, copyfile_xattr = 1, 2, 4
    assert called == [(3, 4, copyfile_acl | copyfile_stat | copyfile_xattr), ("utime", 4)]


def test_system_log_of_macos(own: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = []
    own["os"] = SimpleNamespace(path=SimpleNamespace(exists=lambda path: path == "/var/run/syslog"))
    own["syslog"] = SimpleNamespace(
        openlog=lambda *words: None, syslog=lambda level, text: logged.append(text), LOG_AUTH=1, LOG_INFO=2
    )
    assert own["audit"]("apply: changed") is True
    assert logged == ["apply: changed"]


def test_nothing_is_used_that_macos_lacks() -> None:
    """Calls that take dir_fd there, by Apple's own manual pages: openat, readlinkat, fstatat, unlinkat, renameat."""
    source = Path(SOURCE).read_text()
    for name in ("sendfile", "copy_file_range", "memfd", "O_TMPFILE", "O_PATH", "/proc/", "RENAME_EXCHANGE"):
        assert name not in source
