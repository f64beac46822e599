set -e
cd '/srv/app'
ls "$@"
