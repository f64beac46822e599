set -e
# /.dusty is the memory of this container: kept by a restart, gone with a recreation.
mkdir -p /.dusty/libs
dusty_start=$(pwd)
if [ -e /.dusty/env ]; then
    . /.dusty/env
    cd "$dusty_start"
fi

# Keep what was exported so far, then the record $1 that its work is done: the order makes a kill in between harmless.
dusty_keep() {
    export -p >/.dusty/env.new
    mv /.dusty/env.new /.dusty/env
    printf '%s\n' "$2" >"/.dusty/$1.new"
    mv "/.dusty/$1.new" "/.dusty/$1"
}

if [ -e '/dusty_assets/GITHUB_KEY' ]; then
    mkdir -p '/root/.ssh'
    cp '/dusty_assets/GITHUB_KEY' '/root/.ssh/id_rsa'
    chmod 0600 '/root/.ssh/id_rsa'
fi
if [ -e '/dusty_assets/OPTIONAL' ]; then
    mkdir -p '/etc'
    cp '/dusty_assets/OPTIONAL' '/etc/opt'
    chmod 0600 '/etc/opt'
fi
if [ -e '/dusty_assets/SIGNING_KEY' ]; then
    mkdir -p '/keys'
    cp '/dusty_assets/SIGNING_KEY' '/keys/sign.pem'
    chmod 0600 '/keys/sign.pem'
fi
if [ -e '/dusty_assets/OPTIONAL' ]; then
    mkdir -p '/etc'
    cp '/dusty_assets/OPTIONAL' '/etc/opt2'
    chmod 0600 '/etc/opt2'
fi

# signer: installed again when the digest of its code, which a sync writes, is another one, or when there is none.
dusty_digest=$(cat '/command_files/libs/signer' 2>/dev/null || :)
if [ -z "$dusty_digest" ] || [ "$dusty_digest" != "$(cat '/.dusty/libs/signer' 2>/dev/null || :)" ]; then
(
dusty_record='libs/signer'
trap 'if [ $? -eq 0 ]; then dusty_keep "$dusty_record" "$dusty_digest"; fi' EXIT
cd '/libs/signer'
install-signer

dusty_keep "$dusty_record" "$dusty_digest"
)
. /.dusty/env
fi

cd "$dusty_start"

dusty_always_fn() {
:
run-web

}
dusty_always_fn
