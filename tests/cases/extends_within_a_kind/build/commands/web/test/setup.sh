set -e
cd '/libs/tools'
pip install -e .

cd '/srv/shop'
case ":$PATH:" in
*':/srv/shop:'*) ;;
*) export PATH="$PATH":'/srv/shop' ;;
esac

