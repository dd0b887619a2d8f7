#!/bin/sh
# Makes .venv from the locked dependencies, or brings it up to date; a second run does nothing.
# Usage: requirements/environment.sh server|dev. PYTHON chooses the interpreter.
set -eu
what=$1
cd "$(dirname "$0")/.."

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if usable "$PYTHON"; then echo "$PYTHON"; return; fi
        echo "keyturn: PYTHON=$PYTHON is no Python 3.11 or newer" >&2
        return 1
    fi
    for candidate in python3.13 python3.12 python3.11 python3.14 python3 python; do
        if usable "$candidate"; then echo "$candidate"; return; fi
    done
    echo "keyturn: needs Python 3.11 or newer; found $(python3 --version 2>/dev/null || echo no python3)." \
        "Install one, or name one with PYTHON=/path/to/python3" >&2
    return 1
}

# pyproject.toml counts, since the commands of .venv/bin are declared there.
key=$(cat "requirements/$what.lock" requirements/build.lock pyproject.toml | cksum | tr ' ' '-')
stamp=.venv/.$what-$key
if [ -f "$stamp" ] && usable .venv/bin/python; then exit 0; fi

if ! usable .venv/bin/python; then
    python=$(find_python)
    echo "making .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "keyturn: $python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi
echo "installing the locked dependencies ($what)"
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"; }
# The locks are whole: nothing is left to resolve. Python compiles what is imported; most of it never is.
pip install --no-deps --no-compile --require-hashes -r requirements/build.lock -r "requirements/$what.lock"
pip install --no-deps --no-build-isolation --editable .
rm -f ".venv/.$what"-*
touch "$stamp"
