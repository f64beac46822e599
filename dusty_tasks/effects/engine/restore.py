"""Putting a backup of persist/ back: whole or not at all, wherever it is killed.

Everything arrives in a folder of its own. Only then, by one rename, is it decided: from there on `.restore-ready` holds what is
still to be put in place, `.restore-old` what that replaces, and whoever comes next finishes the work. The old copies go last.
"""

from __future__ import annotations

import secrets
import tarfile
from typing import TYPE_CHECKING

from dusty_tasks.core.of_verbs.backup import BEING_PUT_BACK as READY
from dusty_tasks.core.of_verbs.backup import MANIFEST, TOP
from dusty_tasks.core.of_verbs.backup import REPLACED as OLD
from dusty_tasks.effects.doors.failures import ToolFailed
from dusty_tasks.effects.doors.process import piped, run
from dusty_tasks.effects.engine.copies import rename
from dusty_tasks.effects.engine.persist import Count, Hashing, root_command

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

GONE = ".restore-gone"
"""How the folders begin that hold old copies when all of the new ones are in place."""
COMPLETE = ".restore-complete"
"""The last entry of the stream: tar takes one that ends between two entries for a whole one."""

FINISH = rf"""
there() {{ [ -e "$1" ] || [ -L "$1" ]; }}
finish() {{
    [ -d {READY} ] || return 0
    mkdir -p {OLD}
    for path in {READY}/* {READY}/.[!.]* {READY}/..?*; do
        name=${{path#{READY}/}}
        there "$path" && [ "$name" != {COMPLETE} ] || continue
        if there "./$name"; then
            aside={OLD}
            # Made since by a container that was started all the same.
            ! there "{OLD}/$name" || aside=$(mktemp -d {OLD}/.restore-since-XXXXXX)
            mv "./$name" "$aside/"
        fi
        mv "$path" .
    done
    gone=$(mktemp -d {GONE}-XXXXXX)
    mv {OLD} "$gone/"
    rm -rf {READY}
    rm -rf {GONE}-*
}}
"""

UNPACK = rf"""
set -eu
{FINISH}
mkdir -p "$1/persist" && cd "$1/persist"
new=.restore-new-$2
shift 2
finish
[ ! -e {OLD} ] || {{ echo "persist/{OLD} holds what an interrupted restore replaced: put it in place by hand, or remove it" >&2; exit 5; }}
rm -rf .restore-new* {GONE}-*
mkdir -m 700 "$new"
tar -xpf - -C "$new" && [ -e "$new/{COMPLETE}" ] || {{ echo "the archive did not arrive whole" >&2; rm -rf "$new"; exit 4; }}
here=$(stat -c %d .)
for name do
    if there "./$name" && [ ! -L "./$name" ] && [ "$(stat -c %d "./$name")" != "$here" ]; then
        echo "persist/$name is on a disk of its own, so it cannot be replaced in one step" >&2; rm -rf "$new"; exit 4
    fi
done
sync
mv "$new" {READY}
finish
"""
"""Words: host.root, a word that no other restore has, then the names to put in place; stdin is their tar archive, then the file COMPLETE."""

GO_ON = rf"""
set -eu
{FINISH}
cd "$1/persist"
finish
"""
"""Word: host.root. Finishes a restore that was broken off."""


def restore_backup(host: DockerHost, path: str, names: list[str], image: str, count: Count) -> None:
    """Put the folders `names` of a checked archive in place of those on the Docker host; a restore that was broken off is finished first.

    Raises ToolFailed. Then, and after a kill, they are as before, or observe.read_unfinished tells what is to be finished.
    """
    argv = root_command(host, UNPACK, [secrets.token_hex(4), *names], image)
    with piped(argv, env=host.engine_environment()) as stream:
        try:
            with (
                tarfile.open(path, mode="r|gz") as source,
                tarfile.open(fileobj=stream.input, mode="w|", format=tarfile.PAX_FORMAT) as archive,
            ):
                for member in source:
                    if member.name == MANIFEST:
                        continue
                    reader = Hashing(source.extractfile(member), count) if member.isreg() else None
                    rename(
                        member,
                        member.name.removeprefix(f"{TOP}/"),
                        member.linkname.removeprefix(f"{TOP}/") if member.islnk() else member.linkname,
                    )
                    archive.addfile(member, reader)
                archive.addfile(tarfile.TarInfo(COMPLETE))
        except BrokenPipeError:
            pass  # it ended early: its own words follow
        finished = stream.end()
    if finished.code:
        raise ToolFailed(["restore"], finished.code, finished.err)


def finish_restore(host: DockerHost, image: str) -> None:
    """Put in place what a broken-off restore did not get to. Raises ToolFailed."""
    run(root_command(host, GO_ON, [], image), env=host.engine_environment(), check=True)
