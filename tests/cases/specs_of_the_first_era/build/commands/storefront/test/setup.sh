set -e
if [ -e '/dusty_assets/GITHUB_KEY' ]; then
    mkdir -p '/root/.ssh'
    cp '/dusty_assets/GITHUB_KEY' '/root/.ssh/id_rsa'
    chmod 0600 '/root/.ssh/id_rsa'
fi
cd '/helpers'
python setup.py develop

cd '/storefront'
case ":$PATH:" in
*':/storefront:'*) ;;
*) export PATH="$PATH":'/storefront' ;;
esac
pip install nose

