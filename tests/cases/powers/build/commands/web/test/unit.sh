set -e
cd '/app'
run "$@"
