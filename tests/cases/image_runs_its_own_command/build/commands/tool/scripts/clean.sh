set -e
rm -rf /tmp/x "$@"
