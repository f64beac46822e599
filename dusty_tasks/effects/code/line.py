"""A line to the Docker host that is opened before an edit comes, and carries it in one exchange: what `dusty dev` sends small edits by.

An ssh command costs several round trips before its first word runs; here they are over by the time of the save. What a script at the other
end is asked is what `prepare` asks, so the same decisions are made here, between its answer and what is sent.
"""

from __future__ import annotations

import io
import os
import stat
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks.effects.code.prepare import PREPARE
from dusty_tasks.effects.docker_host.files_there import PRINT_STATES, PUT, WALK, states_of
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import Finished, Piped

if TYPE_CHECKING:
    from dusty_tasks.core.code.copies import State
    from dusty_tasks.effects.code.fingerprint import Entry
    from dusty_tasks.effects.docker_host.host import DockerHost

MOST_FILES, MOST_BYTES = 64, 1 << 20
"""Of one edit; more of it is rsync's, which sends differences alone."""

SCRIPT = f"""
root=${{1%/}}
case $(tar --version 2>/dev/null) in *"GNU tar"* | *bsdtar*) ;; *) exit 6 ;; esac
word=
while IFS= read -r word && [ "$word" != . ]; do set -- "$@" "$word"; done
[ "$word" = . ] || exit 0
(
{PREPARE}
)
code=$?
printf '@end %s\\0' "$code"
[ "$code" = 0 ] || exit
below=$2 kept=$5
IFS= read -r part && IFS= read -r size || exit 0
set --
word=
while IFS= read -r word && [ "$word" != . ]; do set -- "$@" "$word"; done
[ "$word" = . ] || exit 0
set -fu
{WALK}
walk "$kept"
new=$path/.new
rm -rf "$new" && mkdir -m 700 "$new" && head -c "$size" | tar -xpf - --no-same-owner -C "$new" || exit 4
number=0
for name do
    [ -f "$new/$number" ] || exit 4
    number=$((number + 1))
done
top=$(cd "$root/$below" && pwd -P) || exit 4
number=0
for name do
    last=${{name##*/}} folder=${{name%"${{name##*/}}"}}
    folder=${{folder%/}}
    cd "$top${{folder:+/$folder}}" && [ "$(pwd -P)" = "$top${{folder:+/$folder}}" ] || exit 4
    if [ -L "./$last" ] || [ -d "./$last" ]; then exit 4; fi
    if [ -e "./$last" ]; then
        walk "$part${{folder:+/$folder}}"
        ln "./$last" "$path/$last" || exit 4
    fi
    mv -f "$new/$number" "./$last" || exit 4
    number=$((number + 1))
done
printf '@sent\\0'
rm -rf "$new"
(
set -- "$root/$part"
{PRINT_STATES}
)
printf '@end\\0\\0'
word=
IFS= read -r word || exit 0
[ "$word" != drop ] || rm -rf "$root/$part"
IFS= read -r receipt && IFS= read -r before && IFS= read -r text || exit 0
printf '%s\\n' "$text" | (
set -- "$root" "$receipt" 644 "$before"
{PUT}
) && printf '@written\\0'
"""
"""Word: host.root. Stdin: the words of PREPARE but the first, a line each, then `.`; what that prints comes back, then `@end` and its exit code.
Then the folder of the kept set below host.root, the bytes of an archive, and the files that are sent, a line each, then `.`, then the archive of these
files, which are called by their numbers in it. What a file replaces is linked into the kept set first. Prints `@sent`, the states of what is in the
set, and `@end`. Then `drop` (the set goes) or `keep`; then the receipt below host.root, the name beside it that goes then, and its text, a line each.
Prints `@written`.

Ends with 6 where tar sets no times finer than seconds, with 4 where anything is not as it should be.
"""


class Sent(NamedTuple):
    """What a session sent."""

    replaced: dict[bytes, list[tuple[bytes, State]]]
    """Folder -> the states of the files whose places it took."""
    entries: dict[bytes, Entry]
    """Path `a/b` -> the file as it was when it was read, which may be later than the look at the source."""
    at: float
    """When all of it lay there, by time.monotonic."""


class _Archive(NamedTuple):
    data: bytes
    entries: dict[bytes, Entry]


class Session:
    """One exchange over a line that was opened before."""

    def __init__(self, piped: Piped, closing: ExitStack) -> None:
        self._piped, self._closing = piped, closing
        self._has_dropped = False

    def prepare(self, words: Sequence[str]) -> Finished | None:
        """What PREPARE answers to these words; None if the line is dead, or cannot carry them."""
        if any("\n" in word or word == "." for word in words):
            return None
        printed = self._asked(_lines(map(os.fsencode, words)), b"@end ")
        code = self._until_nul() if printed is not None else b""
        if printed is None or not code.isdigit():
            return None
        return Finished(int(code), printed.decode("utf-8", "surrogateescape"), "")

    def send(self, part: str, source: str, paths: Sequence[bytes]) -> Sent | None:
        """Put these files of `source` into the copy that was prepared; what they replaced is in the set `part`.

        None if that was not done, or not seen to be done to its end.
        """
        archive = _archive(source, paths)
        if archive is None:
            return None
        told = _lines([os.fsencode(part), str(len(archive.data)).encode(), *paths])
        if self._asked(told + archive.data, b"@sent") is None:
            return None
        self._until_nul()
        sent_at, fields = time.monotonic(), []
        while (record := self._until_nul()) and record != b"@end":
            fields += [record, self._until_nul()]
        self._until_nul()
        return Sent(states_of(fields), archive.entries, sent_at) if record else None

    def drop(self) -> None:
        """What was replaced need not be kept."""
        with suppress(OSError, ValueError):
            self._piped.input.write(b"drop\n")
            self._piped.input.flush()
            self._has_dropped = True

    def write_receipt(self, receipt: str, before: str, text: bytes) -> bool:
        """Write a receipt (a path below host.root; a line), and remove `before` beside it; False if that was not seen to be done."""
        told = b"".join(word + b"\n" for word in (os.fsencode(receipt), os.fsencode(before), text.rstrip(b"\n")))
        done = self._asked((b"" if self._has_dropped else b"keep\n") + told, b"@written")
        return done is not None

    def close(self) -> None:
        with suppress(OSError):
            self._closing.close()

    def _asked(self, data: bytes, mark: bytes) -> bytes | None:
        """What comes before a mark in answer to `data`."""
        try:
            self._piped.input.write(data)
            self._piped.input.flush()
            printed = bytearray()
            while not printed.endswith(mark):
                if not (byte := self._piped.out.read(1)):
                    return None
                printed += byte
        except (OSError, ValueError):
            return None
        return bytes(printed[: -len(mark)])

    def _until_nul(self) -> bytes:
        found = bytearray()
        with suppress(OSError):
            while (byte := self._piped.out.read(1)) and byte != b"\0":
                found += byte
        return bytes(found)


class Line:
    """Keeps one session open ahead."""

    def __init__(self, host: DockerHost) -> None:
        self.host = host
        self._lock = threading.Lock()
        self._next: Session | None = None

    def take(self) -> Session | None:
        """The session that is open, if there is one; whoever has it closes it."""
        with self._lock:
            session, self._next = self._next, None
        return session

    def open(self) -> None:
        """Let a session be open for the next edit. Raises nothing: without one edits go another way."""
        with self._lock:
            if self._next is not None:
                return
            with suppress(Failure, OSError):
                argv = self.host.command(["sh", "-c", SCRIPT, "dusty", self.host.root], as_root=True)
                closing = ExitStack()
                self._next = Session(closing.enter_context(process.piped(argv)), closing)

    def close(self) -> None:
        if session := self.take():
            session.close()


def can_carry(paths: Sequence[bytes], entries: Sequence[tuple[object, ...] | None]) -> bool:
    """True if all of an edit is some small plain files with plain names; `entries` are those of the source at `paths`."""
    sizes = [entry[2] for entry in entries if entry is not None and stat.S_ISREG(entry[1])]  # type: ignore[arg-type]
    is_small = len(sizes) == len(paths) <= MOST_FILES and sum(sizes) <= MOST_BYTES  # type: ignore[arg-type]
    return is_small and not any(byte < 0x20 or byte in b"\x7f\\" for path in paths for byte in path)


def _lines(words: object) -> bytes:
    return b"".join(word + b"\n" for word in [*words, b"."])  # type: ignore[misc]


def _archive(source: str, paths: Sequence[bytes]) -> _Archive | None:
    """Files as an archive, under their numbers, with their modes and exact times; None if one of them is no file any more."""
    import tarfile

    data = io.BytesIO()
    entries: dict[bytes, Entry] = {}
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for number, path in enumerate(paths):
            try:
                at = os.open(os.path.join(os.fsencode(source), path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                return None
            with os.fdopen(at, "rb") as file:
                state = os.fstat(at)
                content = file.read(MOST_BYTES + 1) if stat.S_ISREG(state.st_mode) else b""
            if not stat.S_ISREG(state.st_mode) or len(content) != state.st_size:
                return None
            member = tarfile.TarInfo(str(number))
            member.size, member.mode = len(content), stat.S_IMODE(state.st_mode)
            whole, rest = divmod(state.st_mtime_ns, 10**9)
            member.mtime, member.pax_headers = whole, {"mtime": f"{whole}.{rest:09d}"}
            archive.addfile(member, io.BytesIO(content))
            entries[path] = path.rpartition(b"/")[2], state.st_mode, state.st_size, state.st_mtime_ns
    return _Archive(data.getvalue(), entries)
