#!/bin/sh
# Makes .venv and installs FILE into it: only when it is not there yet or the requirements have changed.
set -eu
file=$1
installed=.venv/installed-$file.txt

suits='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
works='import sys, pip; sys.exit(sys.version_info < (3, 11))'

find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python3.14; do
        if "$candidate" -c "$suits" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

if ! .venv/bin/python -c "$works" >/dev/null 2>&1; then
    if ! python=$(find_python); then
        # Debian packs the venv module apart from Python.
        if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            sh scripts/debian_packages.sh python3-venv
        fi
        if ! python=$(find_python); then
            echo "Python 3.11 or later is needed; install it, or name it: PYTHON=/path/to/python3 make …" >&2
            exit 1
        fi
    fi
    echo "Making .venv with $("$python" --version) …"
    "$python" -m venv --clear .venv
fi

wanted=$(cat requirements.txt "$file")
if [ "$wanted" != "$(cat "$installed" 2>/dev/null || true)" ]; then
    echo "Installing $file …"
    if ! .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input -r "$file"; then
        echo "Installing $file failed; the lines above say why. A network connection is needed the first time." >&2
        exit 1
    fi
    printf '%s\n' "$wanted" >"$installed"
fi
