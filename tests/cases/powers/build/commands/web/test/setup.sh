set -e
cd '/app'
case ":$PATH:" in
*':/app:'*) ;;
*) export PATH="$PATH":'/app' ;;
esac

