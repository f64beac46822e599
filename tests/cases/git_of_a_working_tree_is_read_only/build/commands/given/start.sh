set -e
# /.dusty is the memory of this container: kept by a restart, gone with a recreation.
mkdir -p /.dusty/libs
dusty_start=$(pwd)
if [ -e /.dusty/env ]; then
    . /.dusty/env
    cd "$dusty_start"
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
