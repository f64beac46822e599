"""Small files on the Docker host, below `host.root`: written whole, by root where the login is not root, never through a link.

Containers that mount /persist can put a link, a folder or a pipe anywhere below it, and what is written here is often written by root.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.files import read_bytes, write_atomically

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

PRIVATE = 0o600
"""For records of what containers are made of. Not for owner.json, which another owner must be able to read."""
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
if [ -d "$target" ] && [ ! -L "$target" ]; then echo "$target is a folder, and a file of Dusty's belongs there"; exit 3; fi
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
if [ -d "$2" ] && [ ! -L "$2" ]; then echo "$2 is a folder, and a file of Dusty's belongs there"; exit 3; fi
if [ -L "$2" ]; then rm -f "$2"; fi
mv -f "$1" "$2"
"""
REMOVE = f"""
{DOWN}
if [ -d "$target" ] && [ ! -L "$target" ]; then echo "$target is a folder, and a file of Dusty's belongs there"; exit 3; fi
rm -f "$target"
"""
READ = '[ ! -f "$1" ] || cat "$1"'
"""Word: a path. What is no file may never end."""


def write_host_file(host: DockerHost, below: str, data: bytes, mode: int = 0o644, in_place_of: str = "") -> None:
    """Put `data` at `below`, a path below host.root; then the file `in_place_of` beside it goes, if it is there. Raises Failure if a link, a folder or the like is in its way; ToolFailed."""
    if host.is_local:
        check_way(host, below)
        write_atomically(host.path(below), data, mode)
        if in_place_of:
            remove_host_file(host, f"{os.path.dirname(below)}/{in_place_of}")
        return
    finished = host.run_script(PUT, host.root, below, f"{mode:o}", in_place_of, input=data, check=False, as_root=True)
    _check(["write", host.path(below)], finished)


def write_host_json(host: DockerHost, below: str, value: Any, mode: int = 0o644) -> None:
    """The same for a JSON value, on one line."""
    write_host_file(host, below, json.dumps(value, sort_keys=True).encode(), mode)


def read_host_json(host: DockerHost, below: str) -> dict[str, Any]:
    """The mapping in a JSON file below host.root; {} if it is missing or damaged. Raises Failure if an ssh host is away."""
    data: str | bytes | None = (
        read_bytes(host.path(below))
        if host.is_local
        else host.run_script(READ, host.path(below), check=False, as_root=True).out
    )
    try:
        found = json.loads(data or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def write_host_lines(host: DockerHost, below: str, text_by_name: Mapping[str, str]) -> None:
    """Make a folder below host.root hold these files of one line each, and no others; anybody who may enter the folder above may read them.

    Raises Failure, ToolFailed.
    """
    path = host.path(below)
    if not host.is_local:
        lines = "".join(f"{name}\t{text}\n" for name, text in text_by_name.items())
        _check(
            ["write", path],
            host.run_script(PUT_LINES, host.root, below, input=lines.encode(), check=False, as_root=True),
        )
        return
    check_way(host, f"{below}/")
    try:
        os.makedirs(path, exist_ok=True)
        # Whatever the caller's umask is: the proxy reads them as a user of its own.
        for readable in (os.path.dirname(path), path):
            os.chmod(readable, 0o755)
        for name in set(os.listdir(path)) - text_by_name.keys():
            os.unlink(f"{path}/{name}")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror or error}", code=2) from error
    for name, text in text_by_name.items():
        write_atomically(f"{path}/{name}", f"{text}\n".encode())


def move_host_file(host: DockerHost, source: str, destination: str) -> None:
    """Rename a file below host.root; both lie in one folder, which a write has checked. Raises Failure."""
    old, new = host.path(source), host.path(destination)
    if not host.is_local:
        _check(["mv", old, new], host.run_script(MOVE, old, new, check=False, as_root=True))
        return
    try:
        os.replace(old, new)
    except OSError as error:
        if os.path.isdir(new):
            raise in_the_way(f"{new} is a folder, and a file of Dusty's belongs there") from error
        raise Failure(f"{new} cannot be written: {error.strerror}", code=2) from error


def remove_host_file(host: DockerHost, below: str) -> None:
    """Remove a file below host.root, if it is there. Raises Failure."""
    path = host.path(below)
    if not host.is_local:
        _check(["rm", path], host.run_script(REMOVE, host.root, below, check=False, as_root=True))
        return
    check_way(host, below)
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except IsADirectoryError as error:
        raise in_the_way(f"{path} is a folder, and a file of Dusty's belongs there") from error
    except OSError as error:
        raise Failure(f"{path} cannot be removed: {error.strerror}", code=2) from error


def in_the_way(what: str) -> Failure:
    """The refusal to write where something else stands."""
    return Failure(
        what, f"look where it comes from and move it away, or choose another folder: {DUSTY} config set host.root"
    )


def check_way(host: DockerHost, below: str) -> None:
    """Raise Failure if a link or a file stands where a folder above `below` belongs, on a local Docker host."""
    path = host.root.rstrip("/")
    for part in below.split("/")[:-1]:
        path = f"{path}/{part}"
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            return  # Nothing is there yet, or the write itself says what is wrong.
        if stat.S_ISLNK(mode):
            raise in_the_way(f"{path} is a link, and nothing is written or deleted through a link")
        if not stat.S_ISDIR(mode):
            raise in_the_way(f"{path} is not a folder")


def _check(argv: list[str], finished: Any) -> None:
    if finished.code == REFUSED:
        raise in_the_way(finished.out.strip())
    if finished.code:
        raise ToolFailed(argv, finished.code, finished.err or finished.out)
