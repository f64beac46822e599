set -e
# /.dusty is the memory of this container: kept by a restart, gone with a recreation.
mkdir -p /.dusty/libs
dusty_start=$(pwd)
if [ -e /.dusty/env ]; then
    . /.dusty/env
    cd "$dusty_start"
fi

# Keep what was exported so far, then the record $1 that its work is done: the order makes a kill in between harmless.
dusty_keep() {
    export -p >/.dusty/env.new
    mv /.dusty/env.new /.dusty/env
    printf '%s\n' "$2" >"/.dusty/$1.new"
    mv "/.dusty/$1.new" "/.dusty/$1"
}

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
for dusty_known in /command_files/assets/*; do
    [ -e "$dusty_known" ] || continue
    dusty_clear "${dusty_known##*/}"
    rm -f "$dusty_known"
done

# web: installed again when the digest of its code, which a sync writes, is another one, or when there is none.
dusty_digest=$(cat '/command_files/libs/web' 2>/dev/null || :)
if [ -z "$dusty_digest" ] || [ "$dusty_digest" != "$(cat '/.dusty/libs/web' 2>/dev/null || :)" ]; then
(
dusty_record='libs/web'
trap 'if [ $? -eq 0 ]; then dusty_keep "$dusty_record" "$dusty_digest"; fi' EXIT
cd '/libs/web'
make

dusty_keep "$dusty_record" "$dusty_digest"
)
. /.dusty/env
fi

cd '/web'
case ":$PATH:" in
*':/web:'*) ;;
*) export PATH="$PATH":'/web' ;;
esac

dusty_always_fn() {
:
run-web

}
dusty_always_fn
