"""The scripts that save and put back snapshots on the Docker host, as root. POSIX sh; a busybox is enough."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.backup import PUT_BACK
from dusty_tasks.core.of_verbs.snapshots import BEFORE, FOLDER, MANIFEST, VOLUME
from dusty_tasks.core.text.paths import PERSIST, SNAPSHOTS

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
        fail "persist/$1 is behind a link"
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

SAVE = (
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

NAME = (
    _COMMON
    + rf"""
name=$1
! there "$snapshots/$name" || fail "there is already a snapshot $name"
cat > $snapshots/.part/{MANIFEST}
sync
mv $snapshots/.part "$snapshots/$name"
"""
)
"""Words: host.root, the name; stdin is the manifest."""

MEASURE = (
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

LIST = (
    _COMMON
    + rf"""
for folder in $snapshots/*/; do
    [ ! -f "${{folder}}{MANIFEST}" ] || {{ tr '\n' ' ' < "${{folder}}{MANIFEST}"; echo; }}
done
"""
)
"""Word: host.root. Prints a manifest a line."""

REMOVE = (
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

PREPARE = (
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

FINISH = (
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
"""Words: host.root, then the triples of PREPARE. It can be broken off and done again."""

READ_UNFINISHED = _COMMON + rf"cat $snapshots/{PUT_BACK}/{MANIFEST} 2>/dev/null || :"
