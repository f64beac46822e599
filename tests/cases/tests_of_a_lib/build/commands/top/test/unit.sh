set -e
cd '/libs/top'
run "$@"
