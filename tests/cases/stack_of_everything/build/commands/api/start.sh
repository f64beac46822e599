set -e
# /.dusty is the memory of this container: kept by a restart, gone with a recreation.
mkdir -p /.dusty/libs
dusty_start=$(pwd)
if [ -e /.dusty/env ]; then
    . /.dusty/env
    cd "$dusty_start"
fi

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
}
dusty_clear() {
    dusty_read "$1"
    if [ -n "$dusty_found" ] && [ -f "$dusty_path" ] && [ "$(dusty_sum "$dusty_path")" = "$dusty_found" ]; then
        rm -f "$dusty_path"
    fi
}
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
    case " 95cbd5559582 " in
    *" ${dusty_known##*/} "*) ;;
    *) dusty_take "${dusty_known##*/}" ;;
    esac
done
if [ -e '/dusty_assets/KEY' ]; then
    dusty_put 95cbd5559582 'KEY' '/key'
else
    dusty_take 95cbd5559582
fi

cd "$dusty_start"

dusty_always_fn() {
:
run-web

}
dusty_always_fn
