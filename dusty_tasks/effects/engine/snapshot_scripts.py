"""The scripts that save and put back snapshots on the Docker host, as root. POSIX sh; a busybox is enough."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.backup import PUT_BACK
from dusty_tasks.core.of_verbs.snapshots import BEFORE, FOLDER, INCOMING, MANIFEST, VOLUME
from dusty_tasks.core.text.paths import SNAPSHOTS_BELOW

_COMMON = rf"""
set -eu
mkdir -p "$1/persist" && cd "$1/persist"
shift
there() {{ [ -e "$1" ] || [ -L "$1" ]; }}
fail() {{ echo "$1" >&2; exit 4; }}
# A container may have put a link where a folder was: what it leads to is not ours.
straight() {{
    case $1 in
        /*) return 0 ;;
        ../*) top=$(cd -P .. && pwd -P) folder=$(dirname "${{1#../}}") ;;
        *) top=$(pwd -P) folder=$(dirname "$1") ;;
    esac
    [ ! -d "$top/$folder" ] || [ "$(cd -P "$top/$folder" && pwd -P)" = "$top/$folder" ] || [ "$folder" = . ] ||
        fail "persist/$1 is behind a link"
}}
# Whether blocks can be shared between these places: its first file tells, where a try with all files would visit each.
shares() {{
    one=$(find "$1" -type f -print -quit 2> /dev/null) && [ -n "$one" ] || return 1
    cp --reflink=always "$one" "$2.probe" 2> /dev/null && shared=0 || shared=1
    rm -f "$2.probe"
    return $shared
}}
# Prints how it was done.
copy() {{
    mkdir -p "$(dirname "$2")" || return 1
    if shares "$1" "$2" && cp -a --reflink=always "$1" "$2" 2> /dev/null; then echo reflink; return 0; fi
    rm -rf "$2"
    cp -a "$1" "$2" || {{ rm -rf "$2"; return 1; }}
    echo copy
}}
snapshots={SNAPSHOTS_BELOW}
# One at a time: what a killed command, or a cut line, left at work here has this lock until its last program ends.
alone() {{
    mkdir -p -m 700 $snapshots
    command -v flock > /dev/null 2>&1 || return 0
    exec 9< $snapshots
    for second in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        ! flock -n 9 || return 0
        sleep 1
    done
    fail "an interrupted command is still at work in persist/$snapshots"
}}
settled() {{ ! there $snapshots/{PUT_BACK} || fail "a restore was interrupted: only part of it is in place"; }}
"""
"""Word: host.root."""

SAVE = (
    _COMMON
    + rf"""
alone
settled
rm -rf $snapshots/.part $snapshots/{INCOMING}
mkdir -m 700 $snapshots/.part
# Its sleep has none of our pipes: whoever reads them would wait for its end.
watch() {{ while sleep 1 < /dev/null > /dev/null 2>&1; do du -sk $snapshots/.part | awk '{{print "at " $1}}'; done; }}
watch 2> /dev/null 9<&- &
watcher=$!
# Whoever reads this may be gone: then the copy is of no use to anybody.
trap "" PIPE
trap 'exit 130' INT TERM HUP
trap 'code=$?; kill $watcher 2> /dev/null || :; [ $code = 0 ] || rm -rf $snapshots/.part' EXIT
while [ $# -gt 0 ]; do
    source=$1 saved=$2
    shift 2
    if ! there "$source"; then echo "absent 0 $saved"; continue; fi
    straight "$source"
    how=$(copy "$source" "$snapshots/.part/$saved") || exit 4
    echo "$how $(du -sk "$snapshots/.part/$saved" | cut -f 1) $saved"
done
"""
)
"""Words: host.root, then pairs: where an item lies, where it is saved. Prints `how KiB place` for each, and `at KiB` each second."""

NAME = (
    _COMMON
    + rf"""
alone
name=$1
! there "$snapshots/$name" || fail "there is already a snapshot $name"
printf '%s\n' "$2" > $snapshots/.part/{MANIFEST}
sync
mv $snapshots/.part "$snapshots/$name"
"""
)
"""Words: host.root, the name, the manifest: not stdin, which ends early when its writer is killed."""

MEASURE = (
    _COMMON
    + r"""
mkdir -p -m 700 $snapshots
df -kP . | tail -n 1 | awk '{print "free " $4}'
echo x > $snapshots/.probe
cp --reflink=always $snapshots/.probe $snapshots/.probe.2 2> /dev/null && shares=1 || shares=0
here=$(stat -c %d $snapshots/.probe)
rm -f $snapshots/.probe $snapshots/.probe.2
du -sk $snapshots | awk '{print "snapshots " $1}'
for source do
    there "$source" || continue
    kib=$(du -sk "$source" | cut -f 1)
    echo "item $kib"
    [ $shares = 1 ] && [ "$(stat -c %d "$source")" = "$here" ] || echo "needed $kib"
done
"""
)
"""Words: host.root, then where items lie. A copy of what shares no blocks with them needs room."""

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
    + rf"""
alone
rm -rf $snapshots/.gone $snapshots/.part $snapshots/{INCOMING}
for name do
    # Its name goes first: what is half removed is no snapshot.
    ! there "$snapshots/$name" || {{ mv "$snapshots/$name" $snapshots/.gone; rm -rf $snapshots/.gone; }}
done
"""
)
"""Words: host.root, then names."""

PREPARE = (
    _COMMON
    + rf"""
alone
settled
name=$1 kept_as=$2 restored=$3 replaced=$4
shift 4
[ "$name" = - ] || [ -f "$snapshots/$name/{MANIFEST}" ] || fail "there is no snapshot $name"
rm -rf $snapshots/.new $snapshots/.before
mkdir -m 700 $snapshots/.new $snapshots/.before
printf '%s\n' "$restored" > $snapshots/.new/{MANIFEST}
printf '%s\n' "$kept_as" > $snapshots/.new/.kept_as
printf '%s\n' "$replaced" > $snapshots/.before/{MANIFEST}
decided=
undo() {{
    code=$?
    [ -z "$decided" ] || exit $code
    rm -rf $snapshots/.new $snapshots/.before
    while [ $# -gt 0 ]; do [ "$1" != {VOLUME} ] || rm -rf "$2/.dusty-new"; shift 3; done
    exit $code
}}
trap 'exit 130' INT TERM HUP
trap 'undo "$@"' EXIT
# What came in for this alone is moved, where that is possible.
take() {{
    case $name in
        {INCOMING}) mkdir -p "$(dirname "$2")" && mv "$1" "$2" ;;
        *) copy "$1" "$2" > /dev/null ;;
    esac
}}
prepare() {{
    while [ $# -gt 0 ]; do
        kind=$1 place=$2 saved=$3
        shift 3
        straight "$place"
        if [ "$kind" = {VOLUME} ] && there "$place"; then
            rm -rf "$place/.dusty-new" "$place/.dusty-moving"
            copy "$place" "$snapshots/.before/$saved" > /dev/null || exit 4
        fi
        [ "$name" != - ] && there "$snapshots/$name/$saved" || continue
        case $kind in
            {FOLDER}) take "$snapshots/$name/$saved" "$snapshots/.new/$saved" || exit 4 ;;
            {VOLUME}) there "$place" || fail "the volume of $saved is gone"
                take "$snapshots/$name/$saved" "$place/.dusty-new" || exit 4 ;;
        esac
    done
}}
prepare "$@"
sync
decided=1
mv $snapshots/.new $snapshots/{PUT_BACK}
"""
)
"""Words: host.root, the snapshot (`-`: nothing is put back, so that all is empty), the name of that of what is replaced (`-`: not kept),
the manifests of both, then triples: the kind of an item, where it lies, where it is saved."""

FINISH = (
    _COMMON
    + rf"""
alone
[ -d $snapshots/{PUT_BACK} ] || exit 0
kept_as=$(cat $snapshots/{PUT_BACK}/.kept_as 2> /dev/null) || kept_as={BEFORE}
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
rm -rf $snapshots/.gone $snapshots/{INCOMING}
[ "$kept_as" != - ] || rm -rf $snapshots/.before
if there $snapshots/.before; then
    ! there "$snapshots/$kept_as" || mv "$snapshots/$kept_as" $snapshots/.gone
    mv $snapshots/.before "$snapshots/$kept_as"
    rm -rf $snapshots/.gone
fi
mv $snapshots/{PUT_BACK} $snapshots/.gone
rm -rf $snapshots/.gone
"""
)
"""Words: host.root, then the triples of PREPARE. It can be broken off and done again."""

READ_UNFINISHED = _COMMON + rf"cat $snapshots/{PUT_BACK}/{MANIFEST} 2>/dev/null || :"
