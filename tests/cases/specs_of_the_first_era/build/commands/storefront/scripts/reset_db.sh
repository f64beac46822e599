set -e
cd '/storefront'
./reset.sh --hard "$@"
