#!/bin/sh
# Installs those of the named packages that are missing, where it may; otherwise says in one line what to install.
set -eu

is_there() {
    case $1 in
        chromium) command -v "${CHROMIUM:-/usr/bin/chromium}" && has_fonts ;;
        postgresql) command -v initdb || ls /usr/lib/postgresql/*/bin/initdb ;;
        nginx) PATH="$PATH:/usr/sbin" command -v nginx ;;
        openssl) command -v openssl ;;
        pgbouncer) PATH="$PATH:/usr/sbin" command -v pgbouncer ;;
        python3-venv) python3 -c 'import venv, ensurepip' ;;
    esac >/dev/null 2>&1
}

has_fonts() {
    [ -n "$(find /usr/share/fonts /usr/local/share/fonts -name '*.[ot]tf' -print -quit 2>/dev/null)" ]
}

missing=""
for package in "$@"; do
    is_there "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
case $missing in *chromium*) has_fonts || missing="$missing fonts-noto-core" ;; esac

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing:$missing. On Debian or Ubuntu: sudo apt-get install$missing" >&2
    exit 1
fi
echo "Installing$missing …"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # several words on purpose
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } </dev/null >/dev/null; then
    echo "Could not install$missing; the lines above say why." >&2
    exit 1
fi
