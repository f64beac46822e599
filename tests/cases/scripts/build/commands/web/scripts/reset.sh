set -e
cd '/web'
cd db
./reset.sh --hard "$@"
