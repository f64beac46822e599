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
for dusty_known in /command_files/assets/*; do
    [ -e "$dusty_known" ] || continue
    dusty_clear "${dusty_known##*/}"
    rm -f "$dusty_known"
done

cd '/app'
case ":$PATH:" in
*':/app:'*) ;;
*) export PATH="$PATH":'/app' ;;
esac

dusty_always_fn() {
:
exec serve

}
dusty_always_fn
