set -e
echo "$@"
