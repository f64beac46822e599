set -e
# /.dusty is the memory of this container: kept by a restart, gone with a recreation.
mkdir -p /.dusty/libs
dusty_start=$(pwd)
if [ -e /.dusty/env ]; then
    . /.dusty/env
    cd "$dusty_start"
fi

# The stack's certificate authority, for programs that read the image's own store; for others there are variables (SSL_CERT_FILE and so on).
# /.dusty/believed tells which authority was put where; a recreation or another authority does it anew.
dusty_believe() {
    [ -r /dusty_https/ca.pem ] || return 0
    dusty_ca=$(cksum </dusty_https/ca.pem)
    [ "$(head -n 1 /.dusty/believed 2>/dev/null)" != "$dusty_ca" ] || return 0
    dusty_where=
    if command -v update-ca-certificates >/dev/null 2>&1; then
        # Debian, Alpine and openSUSE.
        mkdir -p /usr/local/share/ca-certificates
        cp /dusty_https/ca.pem /usr/local/share/ca-certificates/dusty.crt
        update-ca-certificates >/dev/null 2>&1 && dusty_where=update-ca-certificates
    elif command -v update-ca-trust >/dev/null 2>&1; then
        # Fedora and its family.
        mkdir -p /etc/pki/ca-trust/source/anchors
        cp /dusty_https/ca.pem /etc/pki/ca-trust/source/anchors/dusty.pem
        update-ca-trust extract >/dev/null 2>&1 && dusty_where=update-ca-trust
    fi
    if [ -z "$dusty_where" ]; then
        for dusty_bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
            [ -f "$dusty_bundle" ] || continue
            # What is there already was put there for another authority, or for this one by a start that was cut off.
            sed '/^# Dusty begins$/,/^# Dusty ends$/d' "$dusty_bundle" >/.dusty/bundle || continue
            { echo '# Dusty begins'; cat /dusty_https/ca.pem; echo '# Dusty ends'; } >>/.dusty/bundle
            cat /.dusty/bundle >"$dusty_bundle" && dusty_where=$dusty_bundle
            rm -f /.dusty/bundle
            break
        done
    fi
    if command -v keytool >/dev/null 2>&1; then
        keytool -delete -cacerts -storepass changeit -alias dusty >/dev/null 2>&1
        keytool -importcert -noprompt -trustcacerts -cacerts -storepass changeit -alias dusty -file /dusty_https/ca.pem >/dev/null 2>&1 &&
            dusty_where="$dusty_where java"
    fi
    printf '%s\n' "$dusty_ca" "$dusty_where" >/.dusty/believed
}
dusty_believe || :

# Assets, by the number of their path. What lay there before is put back once an asset is gone. /.dusty/assets knows of this container,
# /command_files/assets of folders and volumes that outlive it: there a file goes only if it is what was put there.
dusty_sum() {
    sha256sum 2>/dev/null <"$1" || cksum 2>/dev/null <"$1" || :
}
dusty_read() {
    dusty_path= dusty_found=
    if [ -e "/command_files/assets/$1" ]; then
        { IFS= read -r dusty_path && IFS= read -r dusty_found || :; } <"/command_files/assets/$1"
    fi
}
dusty_clear() {
    dusty_read "$1"
    if [ -n "$dusty_found" ] && [ -f "$dusty_path" ] && [ "$(dusty_sum "$dusty_path")" = "$dusty_found" ]; then
        rm -f "$dusty_path"
    fi
}
for dusty_known in /command_files/assets/*; do
    [ -e "$dusty_known" ] || continue
    dusty_clear "${dusty_known##*/}"
    rm -f "$dusty_known"
done

cd "$dusty_start"

dusty_always_fn() {
:
run-web

}
dusty_always_fn
