"""The files of a Docker host that is reached by commands: each piece of work is one POSIX sh script, and so one round trip."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from dusty_tasks.effects.docker_host import dial_stdio
from dusty_tasks.effects.docker_host.engine_line import ANSWER_TIMEOUT
from dusty_tasks.effects.docker_host.files import Gathered, HostFiles, Wanted, in_the_way, keeps_its_inode
from dusty_tasks.effects.docker_host.host import Unreachable
from dusty_tasks.effects.doors.failures import ToolFailed
from dusty_tasks.effects.doors.process import TIMED_OUT

if TYPE_CHECKING:
    from dusty_tasks.core.code.copies import Listing, State
    from dusty_tasks.effects.docker_host.host import DockerHost

REFUSED = 3
"""What scripts made of these end with when a guard refuses; the reason is printed."""
WALK = r"""
walk() {
    path=$root
    rest=$1/
    while [ -n "$rest" ]; do
        path=$path/${rest%%/*}
        rest=${rest#*/}
        if [ -L "$path" ]; then echo "$path is a link, and nothing is written or deleted through a link"; exit 3; fi
        [ "${2-}" != look ] || continue
        if [ -e "$path" ] && [ ! -d "$path" ]; then echo "$path is not a folder"; exit 3; fi
        [ -d "$path" ] || mkdir "$path" || [ -d "$path" ] || exit 4
    done
}
"""
"""A function of sh: make the folders of $1 below $root and go down into them, unless one of them is something else; with `look` as $2
only refuse links.
"""
DOWN = f"""
set -fu
umask 022
root=${{1%/}} below=$2
mkdir -p "${{root:-/}}" || exit 4
{WALK}
case $below in */*) walk "${{below%/*}}" ;; esac
target=$root/$below
"""
"""Words: host.root, a path below it, which is `target` from here on; its folder is there, and no link leads to it."""
PUT = f"""
{DOWN}
if [ -d "$target" ] && [ ! -L "$target" ]; then echo "$target is a folder, but Dusty needs a file there"; exit 3; fi
new=$target.$$
rm -f "$new" && umask 077 && set -C && cat > "$new" && chmod "$3" "$new" || exit 4
[ -z "${{SUDO_UID-}}" ] || chown "$SUDO_UID:$SUDO_GID" "$new"
if [ -L "$target" ]; then rm -f "$target"; fi
mv -f "$new" "$target" && {{ [ -z "$4" ] || rm -f "${{target%/*}}/$4"; }}
"""
"""Words: host.root, a path below it, the mode, the name of a file beside it that goes then ('' for none); stdin is the content. The mode is set, not inherited from a login's umask; the login
that asked through sudo can read the file.
"""
PUT_LINES = f"""
{DOWN}
new=$target.new.$$ old=$target.old.$$ tab=$(printf '\\t')
rm -rf "$new" "$old"
mkdir "$new" || exit 4
while IFS=$tab read -r name text; do printf '%s\\n' "$text" > "$new/$name" || exit 4; done
chmod 755 "${{target%/*}}" "$new"
if [ -e "$target" ] || [ -L "$target" ]; then mv "$target" "$old" || exit 4; fi
mv "$new" "$target" || exit 4
rm -rf "$old"
"""
"""Words: host.root, a folder below it; stdin a line a file: name, tab, text. What stood there is moved away itself, so no link is followed."""
MOVE = """
if [ -d "$2" ] && [ ! -L "$2" ]; then echo "$2 is a folder, but Dusty needs a file there"; exit 3; fi
if [ -L "$2" ]; then rm -f "$2"; fi
mv -f "$1" "$2"
"""
REMOVE = f"""
{DOWN}
if [ -d "$target" ] && [ ! -L "$target" ]; then echo "$target is a folder, but Dusty needs a file there"; exit 3; fi
rm -f "$target"
"""
READ = '[ ! -f "$1" ] || cat "$1"'
"""Word: a path. What is no file may never end."""

APPEND = f"""
{DOWN}
folder=${{target%/*}} former=$folder/$3
exec 9< "$folder" || exit 4
! command -v flock > /dev/null 2>&1 || flock -w 2 9 || :
umask 077
[ -f "$target" ] && [ ! -L "$target" ] || rm -rf "$target"
if [ -f "$target" ] && [ "$(($(wc -c < "$target")))" -ge "$4" ]; then rm -rf "$former"; mv -f "$target" "$former" || exit 4; fi
while IFS= read -r line; do printf '\\n%s\\n' "$line" >> "$target" || exit 4; done
[ -z "${{SUDO_UID-}}" ] || chown "$SUDO_UID:$SUDO_GID" "$target"
"""
"""Words: host.root, the journal below it, the name of the former one, the size at which it is full; stdin the lines. One write a line."""
PRINT_ENDS = """
cd "$1" 2>/dev/null || exit 0
most=$2
shift 2
for file do [ ! -f "$file" ] || [ -L "$file" ] || tail -c "$most" "$file"; done
"""
"""Words: host.root, the most bytes of each, files below it."""
REAL = 'for path do readlink -f -- "$path" || printf "%s\\n" "$path"; done'
"""Words: paths. Prints where each really is."""
PRESENT = """
cd "$1" 2>/dev/null || exit 0
shift
for name do [ ! -e "$name" ] && [ ! -L "$name" ] || echo "$name"; done
"""
"""Words: host.root, names below it. Prints those that are there."""
PRINT_RECEIPTS = """
cd "$1" 2>/dev/null || exit 0
shift
count=$#
for id do
    [ -d "$id" ] && [ -f ".receipts/$id.json" ] && set -- "$@" ".receipts/$id.json"
done
shift "$count"
[ $# = 0 ] || awk 1 "$@"
exit 0
"""
"""Words: the folder of the copies, then ids; prints a receipt a line, for the copies that exist. One process for all of them."""
PRINT_STATES = r"""
cd "$1" 2>/dev/null || exit 0
if find . -maxdepth 0 -printf '' 2>/dev/null; then
    find . -mindepth 1 -printf '%y %s %T@ %P\0%l\0'
else
    find . -type d -exec sh -c 'for path do printf "d 0 0 %s\0\0" "${path#./}"; done' sh {} +
    find . ! -type d ! -type l -exec sh -c 'for path do
        kind=o
        [ -f "$path" ] && kind=f
        printf "%s %s %s\0\0" "$kind" "$(stat -c "%s %Y" "$path")" "${path#./}"
    done' sh {} +
    find . -type l -exec sh -c 'for path do printf "l 0 0 %s\0%s\0" "${path#./}" "$(readlink "$path")"; done' sh {} +
fi
"""
"""Word: a folder. Prints `kind size time path` and a link's target for all that is in it, each ended by a NUL byte; times in whole
seconds where find cannot print them (busybox).
"""
_RECORD = re.compile(rb"(.) (\d+) (\d+)(?:\.(\d{1,9})\d*)? (.*)", re.DOTALL)
GATHER = f"""
root=$1
cd "$root" 2>/dev/null && {{
    (set --; for path in @files; do [ ! -f $path ] || set -- "$@" $path; done; [ $# = 0 ] || grep -H '' /dev/null "$@")
    [ ! -f @digest ] || sha256sum @digest | sed 's/^/@digest:/'
    for name in @present; do [ ! -e "$name" ] || echo "@present:$name"; done
}}
@inodes | sed 's/^/@inode:/'
echo @receipts:
shift
({PRINT_RECEIPTS})
echo @answer:
docker system dial-stdio
"""
"""Words: host.root, the folder of the copies, repo ids; stdin a request for the engine. `@files`, `@digest`, `@present` are paths and
`@inodes` is a command (print_inodes).

Prints files line by line as `path:line`, the digest, what is there, inodes, the receipts, then the engine's answer.
"""


class FilesThere(HostFiles):
    def __init__(self, host: DockerHost, copies: str) -> None:
        self.host = host
        self.copies = copies
        """The folder of the copies, an absolute path."""

    def write(self, below: str, data: bytes, mode: int = 0o644, in_place_of: str = "") -> None:
        self._change("write", below, PUT, self.host.root, below, f"{mode:o}", in_place_of, data=data)

    def read(self, below: str) -> bytes | str | None:
        return self.host.run_script(READ, self.host.path(below), check=False, as_root=True).out

    def write_lines(self, below: str, text_by_name: Mapping[str, str]) -> None:
        lines = "".join(f"{name}\t{text}\n" for name, text in text_by_name.items())
        self._change("write", below, PUT_LINES, self.host.root, below, data=lines.encode())

    def move(self, source: str, destination: str) -> None:
        self._change("move", destination, MOVE, self.host.path(source), self.host.path(destination))

    def remove(self, below: str) -> None:
        self._change("rm", below, REMOVE, self.host.root, below)

    def append(self, below: str, lines: Sequence[bytes], former: str, full: int) -> None:
        text = b"".join(line.lstrip(b"\n") for line in lines)
        self._change("write", below, APPEND, self.host.root, below, former.rpartition("/")[2], str(full), data=text)

    def ends(self, paths: Sequence[str], most: int) -> bytes:
        done = self.host.run_script(PRINT_ENDS, self.host.root, str(most), *paths, check=False, as_root=True)
        return done.out.encode("utf-8", "replace")

    def present(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.host.run_script(PRESENT, self.host.root, *names).out.splitlines())

    def inodes(self, paths: Sequence[str]) -> dict[str, int]:
        return inodes_of(self.host.run_script(print_inodes(paths), check=False).out.splitlines())

    def real_paths(self, paths: Sequence[str]) -> dict[str, str]:
        return dict(zip(paths, self.host.run_script(REAL, *paths, as_root=True).out.splitlines(), strict=True))

    def receipts(self, repo_ids: Iterable[str]) -> Sequence[str | bytes]:
        return self.host.run_script(PRINT_RECEIPTS, self.copies, *repo_ids).out.splitlines()

    def states(self, folder: str) -> dict[bytes, list[tuple[bytes, State]]]:
        done = self.host.run_script(PRINT_STATES, folder, check=False, as_root=True, errors="surrogateescape")
        return states_of(done.out.encode("utf-8", "surrogateescape").split(b"\0"))

    def listing(self, folder: str) -> Listing | None:
        return None

    def gather(self, wanted: Wanted) -> Gathered:
        script = (
            GATHER.replace("@files", shlex.join(wanted.files))
            .replace("@digest ", f"{shlex.quote(wanted.digest_of)} ")
            .replace("in @present;", f"in {shlex.join(wanted.present)};")
            .replace("@inodes", print_inodes(wanted.mounted), 1)
        )
        try:
            finished = self.host.run_script(
                script,
                self.host.root,
                self.copies,
                *wanted.repo_ids,
                input=wanted.request,
                check=False,
                timeout=ANSWER_TIMEOUT,
                hold_input=True,
                still_worth_it=dial_stdio.look_at(self.host),
            )
        except Unreachable as away:
            return Gathered({}, "", (), (), {}, b"", away.what, True)
        files_text, _, rest = finished.out.partition("@receipts:\n")
        receipts, _, answer = rest.partition("@answer:\n")
        lines: dict[str, list[str]] = {}
        for line in files_text.splitlines():
            path, _, text = line.partition(":")
            lines.setdefault(path, []).append(text)
        digest = (lines.pop("@digest", [""])[0].split() or [""])[0]
        present, inodes = tuple(lines.pop("@present", ())), inodes_of(lines.pop("@inode", ()))
        files = {path: "\n".join(text).encode() for path, text in lines.items()}
        data = answer.encode("utf-8", "replace")
        is_whole = finished.code != TIMED_OUT and b"\r\n\r\n" in data
        trouble = "" if is_whole else dial_stdio.silence(self.host, finished)
        return Gathered(files, digest, present, receipts.splitlines(), inodes, data, trouble)

    def _change(self, verb: str, below: str, script: str, *words: str, data: bytes | None = None) -> None:
        finished = self.host.run_script(script, *words, input=data, check=False, as_root=True)
        if finished.code == REFUSED:
            raise in_the_way(finished.out.strip())
        if finished.code:
            raise ToolFailed([verb, self.host.path(below)], finished.code, finished.err or finished.out)


def states_of(fields: Sequence[bytes]) -> dict[bytes, list[tuple[bytes, State]]]:
    """What PRINT_STATES printed, cut at its NUL bytes."""
    from dusty_tasks.core.code.copies import State

    found: dict[bytes, list[tuple[bytes, State]]] = {}
    for record, target in zip(fields[::2], fields[1::2], strict=False):
        if match := _RECORD.fullmatch(record):
            kind, size, seconds, fraction, path = match.groups()
            below, _, name = (b"/" + path.removeprefix(b"./")).rpartition(b"/")
            nanoseconds = int((fraction or b"").ljust(9, b"0"))
            found.setdefault(below + b"/", []).append(
                (name, State(kind.decode(), int(size), int(seconds) * 10**9 + nanoseconds, target))
            )
    return found


def print_inodes(paths: Sequence[str]) -> str:
    """The sh command that prints them for inodes_of; nothing for what is not there."""
    return f"stat -L -c '%f %i %n' -- {shlex.join(paths)} 2>/dev/null" if paths else ":"


def inodes_of(lines: Iterable[str]) -> dict[str, int]:
    """Path -> inode from what print_inodes made."""
    found = {}
    for line in lines:
        mode, _, rest = line.partition(" ")
        inode, _, path = rest.partition(" ")
        try:
            if keeps_its_inode(int(mode, 16)):
                found[path] = int(inode)
        except ValueError:
            continue
    return found
