"""The hosts file as its reader, and the calls to the helper that alone may write it (docs/security.md).

Reading and comparing need no root and nothing heavy, so a section that is in place costs neither sudo nor an import.

More than 300 lines: reading the file, and asking for it to be written, know the same section.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.once import home_folder

HOSTS_PATH = "/etc/hosts"
HELPER_PATH = "/usr/local/libexec/dusty/dusty-hosts"
"""Where `hosts install` puts the helper; the sudoers rule names this path and no other."""

BEGIN, END = b"# BEGIN section for Dusty", b"# END section for Dusty"
EMPTY_SECTION = "# BEGIN section for Dusty\n# END section for Dusty\n"
DONE, CHANGED_MEANWHILE = 0, 11
HELPER_CODES = (DONE, 10, CHANGED_MEANWHILE, 12, 13)
"""Any other exit code comes from sudo: no rule, no password, no such command."""
ATTEMPTS = 5
HISTORY_LENGTH = 20


class Conflict(NamedTuple):
    """A name of the section that a line of the user's own leads elsewhere: it stays his."""

    name: str
    number: int
    own_line: str
    """As a terminal may see it."""
    wanted_line: str

    def __str__(self) -> str:
        return f'{self.name} is left out of the hosts section: line {self.number} of {HOSTS_PATH} is "{self.own_line}", and the section\'s is "{self.wanted_line}"'


CONFLICT_HINT = "remove your line, or give the app another host_name"


class HostsOutcome(NamedTuple):
    """What became of a section."""

    done: bool
    """The hosts file holds the section."""
    changed: bool
    """It was written just now."""
    what: str
    """One sentence; if not done, why."""
    by_hand: str = ""
    """If not done: the lines to add to the hosts file by hand ('' if lines are to be removed)."""
    hint: str = ""
    """If not done: the command that mends it, if there is one."""
    is_refused: bool = False
    """If not done: it was sudo that refused."""
    conflicts: tuple[Conflict, ...] = ()
    """The names that were left out of the section."""


def read_hosts_file(path: str = HOSTS_PATH) -> bytes:
    """The bytes of the hosts file, b"" when there is none. Raises Failure if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error


def section_is_in_place(found: bytes, section_text: str) -> bool:
    """True if `found` holds exactly this section and no second one; a section of two marker lines: if it holds none."""
    # Two newlines between lines, so that neighbouring markers, of which count() would see one, are two.
    lines = b"\n" + (found + b"\n").replace(b"\r\n", b"\n").replace(b"\n", b"\n\n")
    begins, ends = lines.count(b"\n" + BEGIN + b"\n"), lines.count(b"\n" + END + b"\n")
    if is_empty(section_text):
        return begins == ends == 0
    return begins == ends == 1 and b"\n" + _bytes(section_text) in b"\n" + found


def conflicts_with(found: bytes, section_text: str) -> list[Conflict]:
    """The names of the section that the user's own lines of a hosts file lead elsewhere; the helper would refuse the section for them.

    Nothing is imported where no own line has a name of the section.
    """
    own_lines = _own_lines(found)
    mappings = [words for words in map(str.split, section_text.splitlines()[1:-1]) if len(words) == 2]
    if {name.lower() for _, name in mappings}.isdisjoint(
        own_lines.decode("latin-1").lower().replace("#", " #").split()
    ):
        return []
    shown = _shown_lines(own_lines)
    return [
        Conflict(name, number, " ".join(shown[number - 1].split()), f"{address} {name}")
        for number, address, name in helper_module()["own_conflicts"](own_lines, mappings)
    ]


def possible_section(found: bytes, section_text: str) -> tuple[str, tuple[Conflict, ...]]:
    """The section as this hosts file may hold it, and the names that are therefore left out."""
    conflicts = conflicts_with(found, section_text)
    left_out = {conflict.wanted_line for conflict in conflicts}
    kept = "".join(line for line in section_text.splitlines(keepends=True) if line.rstrip("\n") not in left_out)
    return kept, tuple(conflicts)


def _own_lines(found: bytes) -> bytes:
    """A hosts file with empty lines in place of the sections, so that line numbers are those of the file."""
    kept, is_inside = [], False
    for line in found.split(b"\n"):
        is_inside = is_inside or line in (BEGIN, BEGIN + b"\r")
        kept.append(b"" if is_inside else line)
        is_inside = is_inside and line not in (END, END + b"\r")
    return b"\n".join(kept)


def is_empty(section_text: str) -> bool:
    """True for a section without a name in it."""
    return section_text.split() == EMPTY_SECTION.split()


def found_section(found: bytes) -> bytes:
    """The first complete section of a hosts file with its marker lines, byte for byte; b"" if there is none."""
    import io

    collected: list[bytes] = []
    for line in io.BytesIO(found):  # bytes.splitlines() would take a lone CR for the end of a line
        if collected or line.rstrip(b"\r\n") == BEGIN:
            collected.append(line)
            if line.rstrip(b"\r\n") == END:
                return b"".join(collected)
    return b""


def _bytes(section_text: str) -> bytes:
    return section_text.encode("utf-8", "surrogateescape")


def _text(section: bytes) -> str:
    return section.decode("utf-8", "surrogateescape")


def diff_of_section(found: bytes, section_text: str) -> str:
    """What writing the section would change, as a unified diff for people; '' if nothing, the reason if it would be refused."""
    import difflib

    helper = helper_module()
    try:
        new = helper["splice"](found, b"" if is_empty(section_text) else _bytes(section_text))
    except helper["Refusal"] as refusal:
        return f"{refusal}\n"
    before, after = _shown_lines(found), _shown_lines(new)
    return "".join(difflib.unified_diff(before, after, HOSTS_PATH, f"{HOSTS_PATH} (wanted)"))


def _shown_lines(content: bytes) -> list[str]:
    """Lines as a terminal may see them: escape sequences and bytes that are no text are spelt out."""

    def shown(line: bytes) -> str:
        text = line.rstrip(b"\n").decode(errors="backslashreplace")
        return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text) + "\n"

    return [shown(line) for line in content.split(b"\n")[: -1 if content.endswith(b"\n") or not content else None]]


def helper_source() -> str:
    """Path of the helper in this checkout or wheel."""
    from dusty_tasks.resources import folder

    return str(folder("sudoers.d") / "dusty-hosts")


def helper_module() -> dict[str, Any]:
    """The names of the helper's file, so that its splice is written once. Not for the no-op path."""
    with open(helper_source(), "rb") as file:
        names: dict[str, Any] = {"__name__": "dusty_hosts"}
        exec(compile(file.read(), helper_source(), "exec"), names)
    return names


def write_hosts_section(
    section_text: str,
    *,
    may_ask: bool,
    say: Callable[[str], Any],
    is_brief: bool = False,
    along: Sequence[Sequence[str]] = (),
) -> HostsOutcome:
    """Put the section into the hosts file; an empty one takes it out. Shows the difference first; no difference, no sudo.

    As root the helper is called directly, else by `sudo -n`, else, where `may_ask`, by a sudo that asks for a password on
    the terminal. Never waits for a password otherwise. What the section replaced is kept for `undo_hosts_section`.
    Names that lines of the user's own lead elsewhere are left out, and named in the outcome. `is_brief`: what was agreed to need not be shown
    again; the difference comes only before a question. `along` are other commands of root's that go before it in the same sudo.
    """
    outcome, replaced = _write(section_text, may_ask, say, is_brief=is_brief, along=along)
    if outcome.changed:
        _write_history([*_read_history(), _text(replaced) or EMPTY_SECTION][-HISTORY_LENGTH:])
    return outcome


def undo_hosts_section(*, may_ask: bool, say: Callable[[str], Any]) -> HostsOutcome:
    """Put back the section that the last write replaced, byte for byte; again: the one before that. Raises Failure without one."""
    history = _read_history()
    if not history:
        raise Failure("no earlier hosts section is kept")
    outcome, _replaced = _write(history[-1], may_ask, say)
    if outcome.done:
        _write_history(history[:-1])
    return outcome


def _write(
    section_text: str,
    may_ask: bool,
    say: Callable[[str], Any],
    *,
    is_brief: bool = False,
    along: Sequence[Sequence[str]] = (),
) -> tuple[HostsOutcome, bytes]:
    """The outcome, and the section that was there before."""
    found = read_hosts_file()
    section_text, conflicts = possible_section(found, section_text)
    if section_is_in_place(found, section_text):
        return HostsOutcome(True, False, _in_place(section_text), conflicts=conflicts), b""
    difference = diff_of_section(found, section_text)
    if not difference.startswith("--- "):
        difference = ""  # why it is refused, the helper says
    if difference and not is_brief:
        say(difference.rstrip("\n"))
    verb, printed = "remove" if is_empty(section_text) else "apply", ""
    for command in commands(may_ask, along):
        if command[0] == "sudo" and command[1] != "-n" and not along:
            if difference and is_brief:
                say(difference.rstrip("\n"))
            say(f"running: {' '.join(command)} {verb}")
        code, printed, found = call_helper(command, verb, section_text, found)
        if code in HELPER_CODES:
            return _outcome(code, printed, section_text)._replace(conflicts=conflicts), found_section(found)
    reason = words_of_sudo(printed) or "it could not be run"
    hint = f"{DUSTY} hosts install, or {DUSTY} config set hosts.mode off"
    return _not_done(f"the hosts helper was not run: {reason}", section_text, hint)._replace(
        conflicts=conflicts, is_refused=True
    ), b""


def words_of_sudo(printed: str) -> str:
    """What sudo said, in one line: that a password is required is often only half of it (`… is mode 0644, should be 0440`)."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    own = [line.removeprefix("sudo: ") for line in lines if line.startswith("sudo: ")]
    return "; ".join(dict.fromkeys(own)) or (lines[-1] if lines else "")


def commands(may_ask: bool, along: Sequence[Sequence[str]] = ()) -> list[list[str]]:
    """The ways to call the helper here, to be tried in this order; with `along`, the one that runs these first, in the same sudo."""
    # Without an installed copy the one of this checkout does as well, for those whom sudo lets do anything.
    helper = [HELPER_PATH] if is_installed() else ["/usr/bin/python3", "-IS", helper_source()]
    if os.geteuid() == 0:
        helper = helper if is_installed() else [sys.executable, "-IS", helper_source()]
        return [[*_before(along), *helper]]
    if along:
        return [["sudo", *(() if may_ask else ("-n",)), *_before(along), *helper]]
    return [["sudo", "-n", *helper], *([["sudo", *helper]] if may_ask else [])]


def _before(along: Sequence[Sequence[str]]) -> list[str]:
    """The words before those of the helper, so that other commands run first; its stdin and stdout stay its own."""
    import shlex

    if not along:
        return []
    first = " && ".join(shlex.join(command) for command in along)
    return [
        "sh",
        "-c",
        f'PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH; {{ {first}; }} </dev/null >&2 && exec "$@"',
        "sh",
    ]


def is_installed() -> bool:
    """True if the helper is at its place, and nobody but root could have put it there."""
    return os.path.exists(HELPER_PATH) and not foreign_part(HELPER_PATH)


def foreign_part(path: str) -> str:
    """The first folder, link or file on the way to `path` that others than root own or may write; '' if there is none.

    Links are followed, and the way to what they lead to counts as well. What does not exist ends the way.
    """
    walked, rest, links = "/", _parts(path), 0
    if _is_foreign("/"):
        return "/"
    while rest:
        name = rest.pop(0)
        here = os.path.dirname(walked) if name == ".." else os.path.join(walked, name)
        if not os.path.lexists(here):
            return ""
        if _is_foreign(here):
            return here
        if os.path.islink(here) and links < 40:
            links += 1
            target = os.readlink(here)
            walked, rest = "/" if target.startswith("/") else walked, _parts(target) + rest
        else:
            walked = here
    return ""


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _is_foreign(path: str) -> bool:
    found = os.lstat(path)
    # A link has no mode of its own on Linux: it shows 0777.
    return found.st_uid != 0 or (not stat.S_ISLNK(found.st_mode) and bool(found.st_mode & 0o022))


def call_helper(command: list[str], verb: str, section_text: str, found: bytes) -> tuple[int, str, bytes]:
    """Exit code and words of the helper or of sudo, and the hosts file it saw; looks again if that changed in between."""
    from dusty_tasks.effects.doors import process

    section = b"" if verb == "remove" else _bytes(section_text)
    for _attempt in range(ATTEMPTS):
        try:
            # A sudo that may not ask has no reason to take long; one that asks waits for a person.
            ended = process.run(
                [*command, verb],
                input=_digest(found) + b"\n" + section,
                env=None if command[0] == "sudo" else {},
                timeout=60 if "-n" in command else None,
            )
        except ToolFailed as error:
            return 127, error.printed, found
        if ended.code != CHANGED_MEANWHILE:
            break
        found = read_hosts_file()
    return ended.code, (ended.out if ended.code == DONE else ended.err).strip(), found


def _digest(found: bytes) -> bytes:
    import hashlib

    # An empty file and none read the same, and only the former has a digest.
    is_missing = not found and not os.path.lexists(HOSTS_PATH)
    return b"missing" if is_missing else hashlib.sha256(found).hexdigest().encode()


def _outcome(code: int, printed: str, section_text: str) -> HostsOutcome:
    if code == DONE:
        what = "removed the hosts section" if is_empty(section_text) else "wrote the hosts section"
        return (
            HostsOutcome(True, True, what)
            if printed == "changed"
            else HostsOutcome(True, False, _in_place(section_text))
        )
    reason = next((line for line in reversed(printed.splitlines()) if line.startswith("dusty-hosts: ")), printed)
    what = reason.removeprefix("dusty-hosts: ").removeprefix("apply: ").removeprefix("remove: ")
    hint = (
        f"{DUSTY} hosts install --allow <address>"
        if "allowed at installation" in what
        else f"{DUSTY} hosts diff; {DUSTY} hosts check"
    )
    return _not_done(what, section_text, hint)


def _in_place(section_text: str) -> str:
    return "there is no hosts section" if is_empty(section_text) else "the hosts section is in place"


def _not_done(what: str, section_text: str, hint: str) -> HostsOutcome:
    if is_empty(section_text):
        what += f"; the lines between Dusty's markers in {HOSTS_PATH} can be removed by hand"
    return HostsOutcome(False, False, what, "" if is_empty(section_text) else section_text, hint)


def _history_path() -> str:
    return Paths(home_folder()).kept("hosts-sections.json")


def _read_history() -> list[str]:
    """The sections that were replaced, oldest first; a damaged file counts as none."""
    import json

    try:
        with open(_history_path(), encoding="ascii") as file:
            kept = json.load(file)
    except (OSError, ValueError):
        return []
    return [text for text in kept if isinstance(text, str)] if isinstance(kept, list) else []


def _write_history(sections: list[str]) -> None:
    import json

    from dusty_tasks.effects.doors.files import write_atomically

    write_atomically(_history_path(), json.dumps(sections, indent=1).encode())
