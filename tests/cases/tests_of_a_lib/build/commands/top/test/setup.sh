set -e
cd '/libs/base'
install-base

cd '/libs/top'
case ":$PATH:" in
*':/libs/top:'*) ;;
*) export PATH="$PATH":'/libs/top' ;;
esac

