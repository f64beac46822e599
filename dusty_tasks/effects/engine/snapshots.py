"""Snapshots of what services keep, on the Docker host: saved, put back, removed, as root; whole or absent after any kill.

What is being saved lies in `.part`, and gets its name by one rename. A restore first copies all that it will put in place; the rename of
`.new` to `.restoring` is the decision, and from there it can only be finished (PUT_BACK, which every start of the stack looks for).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from dusty_tasks.core.of_verbs.backup import PUT_BACK
from dusty_tasks.core.of_verbs.snapshots import ABSENT, BEFORE, FOLDER, MANIFEST, VOLUME, Item, Saved
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import PERSIST, SNAPSHOTS
from dusty_tasks.core.text.wording import size_text
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import piped, run
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.persist import root_command

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

AT = "at"
LOCAL = "local"
"""The driver whose volumes are folders of the Docker host."""

_BELOW_PERSIST = SNAPSHOTS.removeprefix(f"{PERSIST}/")

_COMMON = rf"""
set -eu
mkdir -p "$1/persist" && cd "$1/persist"
shift
there() {{ [ -e "$1" ] || [ -L "$1" ]; }}
fail() {{ echo "$1" >&2; exit 4; }}
# A container may have put a link where a folder was: what it leads to is not ours.
straight() {{
    [ "${{1#/}}" = "$1" ] || return 0
    folder=$(dirname "$1")
    [ ! -d "$folder" ] || [ "$(cd -P "$folder" && pwd -P)" = "$(pwd -P)/$folder" ] || [ "$folder" = . ] ||
        fail "persist/$1 lies behind a link"
}}
# Prints how it was done. Where blocks cannot be shared, the first file says so.
copy() {{
    mkdir -p "$(dirname "$2")" || return 1
    if cp -a --reflink=always "$1" "$2" 2>/dev/null; then echo reflink; return 0; fi
    rm -rf "$2"
    cp -a "$1" "$2" || return 1
    echo copy
}}
snapshots={_BELOW_PERSIST}
"""
"""Word: host.root."""

_SAVE = (
    _COMMON
    + r"""
mkdir -p -m 700 $snapshots
rm -rf $snapshots/.part
mkdir -m 700 $snapshots/.part
# Its sleep has none of our pipes: whoever reads them would wait for its end.
watch() { while sleep 1 < /dev/null > /dev/null 2>&1; do du -sk $snapshots/.part | awk '{print "at " $1}'; done; }
watch 2> /dev/null &
watcher=$!
trap 'kill $watcher 2> /dev/null || :' EXIT
while [ $# -gt 0 ]; do
    source=$1 saved=$2
    shift 2
    if ! there "$source"; then echo "absent 0 $saved"; continue; fi
    straight "$source"
    how=$(copy "$source" "$snapshots/.part/$saved") || { rm -rf $snapshots/.part; exit 4; }
    echo "$how $(du -sk "$snapshots/.part/$saved" | cut -f 1) $saved"
done
"""
)
"""Words: host.root, then pairs: where an item lies, where it is saved. Prints `how KiB place` for each, and `at KiB` each second."""

_NAME = (
    _COMMON
    + rf"""
name=$1
! there "$snapshots/$name" || fail "there is a snapshot $name already"
cat > $snapshots/.part/{MANIFEST}
sync
mv $snapshots/.part "$snapshots/$name"
"""
)
"""Words: host.root, the name; stdin is the manifest."""

_MEASURE = (
    _COMMON
    + r"""
mkdir -p -m 700 $snapshots
df -kP . | tail -n 1 | awk '{print "free " $4}'
echo x > $snapshots/.probe
! cp --reflink=always $snapshots/.probe $snapshots/.probe.2 2> /dev/null || echo "reflink 1"
rm -f $snapshots/.probe $snapshots/.probe.2
du -sk $snapshots | awk '{print "snapshots " $1}'
for source do
    ! there "$source" || du -sk "$source" | awk '{print "item " $1}'
done
"""
)
"""Words: host.root, then where items lie."""

_LIST = (
    _COMMON
    + rf"""
for folder in $snapshots/*/; do
    [ ! -f "${{folder}}{MANIFEST}" ] || {{ tr '\n' ' ' < "${{folder}}{MANIFEST}"; echo; }}
done
"""
)
"""Word: host.root. Prints a manifest a line."""

_REMOVE = (
    _COMMON
    + r"""
rm -rf $snapshots/.gone
for name do
    # Its name goes first: what is half removed is no snapshot.
    ! there "$snapshots/$name" || { mv "$snapshots/$name" $snapshots/.gone; rm -rf $snapshots/.gone; }
done
"""
)
"""Words: host.root, then names."""

_PREPARE = (
    _COMMON
    + rf"""
name=$1
shift
[ "$name" = - ] || [ -f "$snapshots/$name/{MANIFEST}" ] || fail "there is no snapshot $name"
mkdir -p -m 700 $snapshots
rm -rf $snapshots/.new $snapshots/.before
mkdir -m 700 $snapshots/.new $snapshots/.before
undo() {{ rm -rf $snapshots/.new $snapshots/.before; exit 4; }}
IFS= read -r restored
printf '%s\n' "$restored" > $snapshots/.new/{MANIFEST}
cat > $snapshots/.before/{MANIFEST}
while [ $# -gt 0 ]; do
    kind=$1 place=$2 saved=$3
    shift 3
    straight "$place"
    if [ "$kind" = {VOLUME} ] && there "$place"; then
        rm -rf "$place/.dusty-new" "$place/.dusty-moving"
        copy "$place" "$snapshots/.before/$saved" > /dev/null || undo
    fi
    [ "$name" != - ] && there "$snapshots/$name/$saved" || continue
    case $kind in
        {FOLDER}) copy "$snapshots/$name/$saved" "$snapshots/.new/$saved" > /dev/null || undo ;;
        {VOLUME}) there "$place" || fail "the volume of $saved is gone"
            copy "$snapshots/$name/$saved" "$place/.dusty-new" > /dev/null || {{ rm -rf "$place/.dusty-new"; undo; }} ;;
    esac
done
sync
mv $snapshots/.new $snapshots/{PUT_BACK}
"""
)
"""Words: host.root, the snapshot (`-`: nothing is put back, so that all is empty), then triples: the kind of an item, where it lies, where
it is saved. stdin is two lines: what is being put back, and the manifest of what that replaces."""

_FINISH = (
    _COMMON
    + rf"""
[ -d $snapshots/{PUT_BACK} ] || exit 0
while [ $# -gt 0 ]; do
    kind=$1 place=$2 saved=$3
    shift 3
    if [ "$kind" = {FOLDER} ]; then
        new=$snapshots/{PUT_BACK}/$saved old=$snapshots/.before/$saved
        mark=$snapshots/{PUT_BACK}/.done/$saved
        ! there "$mark" || continue
        # Moved away once: what lies there after that is what was put back.
        if there "$place" && ! there "$old"; then mkdir -p "$(dirname "$old")"; mv "$place" "$old"; fi
        if there "$new"; then mkdir -p "$(dirname "$place")"; mv "$new" "$place"; fi
        mkdir -p "$mark"
    elif there "$place"; then
        mark=$snapshots/{PUT_BACK}/.done/$saved
        ! there "$mark" || continue
        if ! there "$place/.dusty-moving"; then
            find "$place" -mindepth 1 -maxdepth 1 ! -name .dusty-new -exec rm -rf {{}} +
            ! there "$place/.dusty-new" || mv "$place/.dusty-new" "$place/.dusty-moving"
        fi
        if there "$place/.dusty-moving"; then
            chmod "$(stat -c %a "$place/.dusty-moving")" "$place"
            chown "$(stat -c %u:%g "$place/.dusty-moving")" "$place"
            find "$place/.dusty-moving" -mindepth 1 -maxdepth 1 -exec mv {{}} "$place/" \;
            rmdir "$place/.dusty-moving"
        fi
        mkdir -p "$mark"
    fi
done
sync
rm -rf $snapshots/.gone
if there $snapshots/.before; then
    ! there $snapshots/{BEFORE} || mv $snapshots/{BEFORE} $snapshots/.gone
    mv $snapshots/.before $snapshots/{BEFORE}
    rm -rf $snapshots/.gone
fi
mv $snapshots/{PUT_BACK} $snapshots/.gone
rm -rf $snapshots/.gone
"""
)
"""Words: host.root, then the triples of _PREPARE. It can be broken off and done again."""

_READ_UNFINISHED = _COMMON + rf"cat $snapshots/{PUT_BACK}/{MANIFEST} 2>/dev/null || :"


class Sizes(NamedTuple):
    """In bytes."""

    free: int
    snapshots: int
    items: int
    has_reflinks: bool = False
    """The file system can share blocks between files."""


class Snapshots:
    """The snapshots of a Docker host. `image` has sh, for callers who are not root there."""

    def __init__(self, engine: Engine, image: str, lock: int | None = None) -> None:
        """`lock` is the descriptor of a lock that what works there keeps, if this process is killed."""
        self.engine, self.host, self.image = engine, engine.host, image
        self._kept = () if lock is None else (lock,)

    def read(self) -> list[Any]:
        """The manifests, as JSON."""
        found = []
        for line in self._run(_LIST, []).splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def read_sizes(self, items: Sequence[Item]) -> Sizes:
        """What there is room for, what all snapshots take, and what these items take."""
        sizes = {"free": 0, "snapshots": 0, "item": 0, "reflink": 0}
        places = self._places(items)
        for line in self._run(_MEASURE, list(places.values()), places).splitlines():
            what, _, kib = line.partition(" ")
            sizes[what] += int(kib) * 1024
        return Sizes(sizes["free"], sizes["snapshots"], sizes["item"], sizes["reflink"] > 0)

    def copy(self, items: Sequence[Item], tell: Callable[[str], None]) -> list[Saved]:
        """Copy items into what is to become a snapshot. Raises ToolFailed; nothing is left then."""
        places = self._places(items)
        words = [word for item, place in places.items() for word in (place, item.saved_as)]
        printed = self._run(_SAVE, words, places, on_line=lambda line: self._tell(line, tell))
        saved = {item: Saved(item, ABSENT) for item in items}
        by_place = {item.saved_as: item for item in items}
        for line in printed.splitlines():
            how, _, rest = line.partition(" ")
            kib, _, place = rest.partition(" ")
            if how == AT:
                continue
            saved[by_place[place]] = Saved(by_place[place], how, int(kib) * 1024)
        return list(saved.values())

    def name(self, name: str, manifest: dict[str, Any]) -> None:
        """Make what was copied last a snapshot."""
        self._run(_NAME, [name], data=json.dumps(manifest))

    def remove(self, names: Sequence[str]) -> None:
        self._run(_REMOVE, list(names))

    def check_volumes(self, items: Sequence[Item]) -> None:
        """Raise Failure for a volume that the engine does not have, or that cannot be reached."""
        places = self._places(items)
        for item in items:
            if item not in places:
                raise Failure(f"the volume {item.name} is gone", f"{DUSTY} up creates it")

    def put_back(self, name: str, items: Sequence[Item], restored: dict[str, Any], replaced: dict[str, Any]) -> None:
        """Put items of a snapshot in place ('': none, all become empty); what they replace becomes the snapshot BEFORE.

        Raises ToolFailed; then nothing was changed, or read_unfinished tells what is to be finished.
        """
        places = self._places(items)
        data = f"{json.dumps(restored)}\n{json.dumps(replaced)}\n"
        self._run(_PREPARE, [name or "-", *_triples(places)], places, data)
        self._run(_FINISH, _triples(places), places)

    def finish(self, items: Sequence[Item]) -> None:
        """Finish what a killed put_back had decided."""
        places = self._places(items)
        self._run(_FINISH, _triples(places), places)

    def read_unfinished(self) -> Any:
        """The manifest of what is being put back, as JSON; None if nothing is."""
        try:
            return json.loads(self._run(_READ_UNFINISHED, []) or "null")
        except ValueError:
            return None

    def _run(
        self,
        script: str,
        words: list[str],
        places: Mapping[Item, str] = MappingProxyType({}),
        data: str = "",
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        volumes = {item.name: place for item, place in places.items() if item.kind == VOLUME}
        argv = root_command(self.host, script, words, self.image, volumes)
        found = run(argv, input=data, env=self.host.engine_environment(), on_line=on_line, pass_fds=self._kept)
        if found.code:
            raise Failure((found.err or found.out).strip() or f"status {found.code}", code=2)
        return found.out

    def _places(self, items: Sequence[Item]) -> dict[Item, str]:
        """Where the items lie for the scripts; volumes that the engine does not have are left out. Raises Failure for a volume elsewhere."""
        places = {item: item.name for item in items if item.kind == FOLDER}
        for item in items:
            if item.kind == VOLUME and (found := self._volume(item.name)):
                if found.get("Driver") != LOCAL or found.get("Options"):
                    raise Failure(
                        f"the volume {item.name} does not lie on the Docker host itself, so it cannot be saved"
                    )
                places[item] = str(found["Mountpoint"]) if self.host.reaches_root else _inside(item)
        return places

    @staticmethod
    def _tell(line: str, tell: Callable[[str], None]) -> None:
        what, _, kib = line.partition(" ")
        if what == AT:
            tell(size_text(int(kib) * 1024))

    def _volume(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.engine.get(f"/volumes/{quote(name)}")
        except EngineRefused as refused:
            if refused.status == 404:
                return None
            raise
        return found


def _inside(item: Item) -> str:
    """Where a volume is in a throw-away container."""
    return f"/volumes/{item.name}"


def _triples(places: Mapping[Item, str]) -> list[str]:
    return [word for item, place in places.items() for word in (item.kind, place, item.saved_as)]


@contextmanager
def held_still(host: DockerHost, container_ids: Sequence[str], *, by: str) -> Iterator[None]:
    """Containers do nothing during the block: `by` is "pause" or "stop". They go on after it, also if this process is killed in it.

    Raises Failure if they cannot be brought to a halt, or do not go on.
    """
    if not container_ids:
        yield
        return
    again = "unpause" if by == "pause" else "start"
    script = 'trap "" INT TERM HUP; cat > /dev/null; exec docker "$@" > /dev/null'
    with piped(["sh", "-c", script, "dusty", again, *container_ids], env=host.engine_environment()) as guard:
        try:
            run(["docker", by, *container_ids], env=host.engine_environment(), check=True)
            yield
        finally:
            guard.input.close()
            ended = guard.end()
    if ended.code:
        raise Failure(f"docker {again}: {ended.err.strip()}", code=2)
