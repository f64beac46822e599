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
