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
    # What is in a working tree is its owner's, also where the same bytes were put into a copy once.
    case $dusty_path in
    '/code/conf/private' | '/code/conf/private'/*) ;;
    '/code/data/src' | '/code/data/src'/*) dusty_found= ;;
    '/code/one.pem' | '/code/one.pem'/*) ;;
    '/code/data' | '/code/data'/*) ;;
    '/code/tmp' | '/code/tmp'/*) ;;
    '/common' | '/common'/*) dusty_found= ;;
    '/code' | '/code'/*) dusty_found= ;;
    esac
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
    case " 742dc066036c 45dda15844a6 845e5c2c8797 09610a0cec74 " in
    *" ${dusty_known##*/} "*) ;;
    *) dusty_take "${dusty_known##*/}" ;;
    esac
done
if [ -e '/dusty_assets/OUTSIDE' ]; then
    dusty_put 742dc066036c 'OUTSIDE' '/etc/web/key'
else
    dusty_take 742dc066036c
fi
if [ -e '/dusty_assets/ON_A_VOLUME' ]; then
    dusty_put 45dda15844a6 'ON_A_VOLUME' '/code/conf/private/key'
else
    dusty_take 45dda15844a6
fi
if [ -e '/dusty_assets/IN_MEMORY' ]; then
    dusty_put 845e5c2c8797 'IN_MEMORY' '/code/tmp/key'
else
    dusty_take 845e5c2c8797
fi
if [ -e '/dusty_assets/IN_A_FILE' ]; then
    dusty_put 09610a0cec74 'IN_A_FILE' '/code/one.pem'
else
    dusty_take 09610a0cec74
fi

cd '/code'
case ":$PATH:" in
*':/code:'*) ;;
*) export PATH="$PATH":'/code' ;;
esac

dusty_always_fn() {
:
httpd -f

}
dusty_always_fn
