set -e
if [ -e '/dusty_assets/KEY' ]; then
    mkdir -p '/root'
    cp '/dusty_assets/KEY' '/root/key'
    chmod 0600 '/root/key'
fi
cd '/web'
if [ $# -eq 0 ]; then
set -- -v 'two words'
fi
cd tests
nosetests "$@"
