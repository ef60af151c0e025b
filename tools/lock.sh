#!/bin/sh
# Pins what runs (requirements.lock), what tests besides (requirements-test.lock) and what checks the models
# (requirements-formal.lock, by itself), each file with its hashes. They hold no address: where packages come from is for whoever installs to say. One lock serves every CPython >= 3.11
# on Linux, so the resolution is universal and one version of each package is chosen for all.
set -eu
cd "$(dirname "$0")/.."

uv=$(command -v uv || true)
[ -x .venv/bin/uv ] && uv=.venv/bin/uv
if [ -z "$uv" ]; then
    echo "make lock: uv is missing; install it with: python3 -m pip install uv" >&2
    exit 1
fi

compile() {
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --no-emit-index-url --no-annotate --no-header "$@"
}

compile pyproject.toml --group build --output-file requirements.lock
compile pyproject.toml --group build --group test --constraint requirements.lock --output-file requirements-test.lock
compile --group formal --output-file requirements-formal.lock

if grep -n '://' requirements*.lock; then
    echo "make lock: the lines above hold an address; a lock may not" >&2
    exit 1
fi
echo "requirements.lock: $(grep -c == requirements.lock) packages; requirements-test.lock: $(grep -c == requirements-test.lock)"
