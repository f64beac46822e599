set -e
if [ -e '/dusty_assets/GITHUB_KEY' ]; then
    mkdir -p '/root/.ssh'
    cp '/dusty_assets/GITHUB_KEY' '/root/.ssh/id_rsa'
    chmod 0600 '/root/.ssh/id_rsa'
fi
cd '/storefront'
if [ $# -eq 0 ]; then
set -- -v tests
fi
nosetests "$@"
