set -e
if [ -e '/dusty_assets/KEY' ]; then
    mkdir -p '/root'
    cp '/dusty_assets/KEY' '/root/key'
    chmod 0600 '/root/key'
fi
cd '/libs/helper'
install-helper

cd '/web'
case ":$PATH:" in
*':/web:'*) ;;
*) export PATH="$PATH":'/web' ;;
esac
pip install nose

