set -e
cd '/web'
echo one
exec two "$@"
