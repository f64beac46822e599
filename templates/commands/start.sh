{% import "commands/parts.sh" as parts %}
set -e
# /.dusty is the memory of this container: kept by a restart, gone with a recreation.
mkdir -p /.dusty/libs
dusty_start=$(pwd)
if [ -e /.dusty/env ]; then
    . /.dusty/env
    cd "$dusty_start"
fi
{% if believes %}
{% include "commands/believe.sh" %}
{% endif %}
{% if libs or app.once %}

# Keep what was exported so far, then the record $1 that its work is done: the order makes a kill in between harmless.
dusty_keep() {
    export -p >/.dusty/env.new
    mv /.dusty/env.new /.dusty/env
    printf '%s\n' "$2" >"/.dusty/$1.new"
    mv "/.dusty/$1.new" "/.dusty/$1"
}
{% endif %}

# Assets, by the number of their path. What lay there before is put back once an asset is gone. /.dusty/assets knows of this container,
# /command_files/assets of folders and volumes that outlive it: there a file goes only if it is what was put there.
dusty_sum() {
    sha256sum 2>/dev/null <"$1" || cksum 2>/dev/null <"$1" || :
}
dusty_read() {
    dusty_path= dusty_found=
    if [ -e "/command_files/assets/$1" ]; then
        { IFS= read -r dusty_path && IFS= read -r dusty_found || :; } <"/command_files/assets/$1"
    fi
{% if places %}
    # What is in a working tree is its owner's, also where the same bytes were put into a copy once.
    case $dusty_path in
{% for path, is_in_tree in places %}
    {{ path | shell }} | {{ path | shell }}/*) {{ "dusty_found= " if is_in_tree }};;
{% endfor %}
    esac
{% endif %}
}
dusty_clear() {
    dusty_read "$1"
    if [ -n "$dusty_found" ] && [ -f "$dusty_path" ] && [ "$(dusty_sum "$dusty_path")" = "$dusty_found" ]; then
        rm -f "$dusty_path"
    fi
}
{% if assets %}
dusty_put() {
    mkdir -p "${3%/*}/" "/.dusty/assets/$1" /command_files/assets
    if [ ! -e "/.dusty/assets/$1/path" ]; then
        dusty_read "$1"
        dusty_now=
        if [ -f "$3" ]; then
            dusty_now=$(dusty_sum "$3")
        fi
        if [ -n "$dusty_now" ] && [ "$dusty_now" != "$dusty_found" ] && [ "$dusty_now" != "$(dusty_sum "/dusty_assets/$2")" ]; then
            cp -p "$3" "/.dusty/assets/$1/before"
        fi
        printf '%s\n' "$3" >"/.dusty/assets/$1/path"
    fi
    printf '%s\n' "$3" "$(dusty_sum "/dusty_assets/$2")" >"/command_files/assets/$1"
    cp "/dusty_assets/$2" "$3"
    chmod 0600 "$3"
}
dusty_take() {
    if [ -e "/.dusty/assets/$1/path" ]; then
        IFS= read -r dusty_path <"/.dusty/assets/$1/path"
        if [ -e "/.dusty/assets/$1/before" ] && [ -d "${dusty_path%/*}/" ]; then
            cp -p "/.dusty/assets/$1/before" "$dusty_path"
        else
            rm -f "$dusty_path"
        fi
    else
        dusty_clear "$1"
    fi
    rm -rf "/.dusty/assets/$1" "/command_files/assets/$1"
}
for dusty_known in /.dusty/assets/* /command_files/assets/*; do
    case " {{ assets | map(attribute="number") | join(" ") }} " in
    *" ${dusty_known##*/} "*) ;;
    *) dusty_take "${dusty_known##*/}" ;;
    esac
done
{% for asset in assets %}
{{ origin(asset.file, "assets", asset.position) }}if [ -e {{ ("/dusty_assets/" ~ asset.key) | shell }} ]; then
    dusty_put {{ asset.number }} {{ asset.key | shell }} {{ asset.path | shell }}
else
    dusty_take {{ asset.number }}
fi
{% endfor %}
{{- origin() -}}
{% else %}
for dusty_known in /command_files/assets/*; do
    [ -e "$dusty_known" ] || continue
    dusty_clear "${dusty_known##*/}"
    rm -f "$dusty_known"
done
{% endif %}
{% for lib in libs %}

# {{ lib.name }}: installed again when the digest of its code, which a sync writes, is another one, or when there is none.
dusty_digest=$(cat {{ ("/command_files/libs/" ~ lib.name) | shell }} 2>/dev/null || :)
if [ -z "$dusty_digest" ] || [ "$dusty_digest" != "$(cat {{ ("/.dusty/libs/" ~ lib.name) | shell }} 2>/dev/null || :)" ]; then
(
dusty_record={{ ("libs/" ~ lib.name) | shell }}
trap 'if [ $? -eq 0 ]; then dusty_keep "$dusty_record" "$dusty_digest"; fi' EXIT
{{ origin(lib.file, "mount") }}cd {{ lib.mount | shell }}
{{ parts.lines(origin, lib.install, lib.file, ["install"]) -}}
dusty_keep "$dusty_record" "$dusty_digest"
)
. /.dusty/env
fi
{% endfor %}

{% if app.mount %}
{{ parts.enter(origin, app.file, app.mount) -}}
{% else %}
cd "$dusty_start"
{% endif %}
{% if app.once %}

dusty_once_fn() {
:
{{ parts.lines(origin, app.once, app.file, ["commands", "once"]) -}}
}
# Which copies of the code it left something in; a sync writes it. A copy that was made anew has nothing of it.
dusty_copies=$(cat /command_files/libs/.copies 2>/dev/null || :)
if [ ! -e /.dusty/once ] || [ "$dusty_copies" != "$(cat /.dusty/copies 2>/dev/null || :)" ]; then
    rm -f /.dusty/once
    printf '%s\n' "$dusty_copies" >/.dusty/copies
    mkdir -p /var/log
    rm -f /.dusty/pipe /.dusty/flushed
    mkfifo /.dusty/pipe
    {
        tee /var/log/dusty_once_fn.log </.dusty/pipe
        : >/.dusty/flushed
    } &
    # A background job, because `set -e` is off in the shell of a command whose status is looked at.
    (
        trap 'if [ $? -eq 0 ]; then dusty_keep once "$(pwd)"; fi' EXIT
        dusty_once_fn
        dusty_keep once "$(pwd)"
    ) <&0 >/.dusty/pipe 2>&1 &
    dusty_status=0
    wait "$!" || dusty_status=$?
    # What it left running may keep the pipe open: wait 2 s for the last lines, and no longer.
    dusty_turn=0
    until [ -e /.dusty/flushed ] || [ "$dusty_turn" -ge 20 ]; do
        dusty_turn=$((dusty_turn + 1))
        sleep 0.1 2>/dev/null || { sleep 1 && dusty_turn=$((dusty_turn + 9)); }
    done
    [ "$dusty_status" -eq 0 ] || exit "$dusty_status"
fi
if [ -e /.dusty/once ]; then
    dusty_base=$(pwd)
    . /.dusty/env
    cd "$dusty_base"
    dusty_folder=$(cat /.dusty/once)
    if [ -d "$dusty_folder" ]; then
        cd "$dusty_folder"
    fi
fi
{% endif %}
{% if app.always %}

dusty_always_fn() {
:
{{ parts.lines(origin, app.always, app.file, ["commands", "always"]) -}}
}
dusty_always_fn
{% endif %}
