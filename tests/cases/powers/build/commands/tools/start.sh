set -e
# /.dusty is the memory of this container: kept by a restart, gone with a recreation.
mkdir -p /.dusty/libs
dusty_start=$(pwd)
if [ -e /.dusty/env ]; then
    . /.dusty/env
    cd "$dusty_start"
fi

cd '/keys'
case ":$PATH:" in
*':/keys:'*) ;;
*) export PATH="$PATH":'/keys' ;;
esac

dusty_always_fn() {
:
exec sleep 1000

}
dusty_always_fn
