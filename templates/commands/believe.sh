
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
