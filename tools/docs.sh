#!/bin/sh
# Writes the generated parts of docs/ anew: each tools/docs_*.py is one generator, run from the root without arguments.
set -eu
cd "$(dirname "$0")/.."

for generator in tools/docs_*.py; do
    [ -e "$generator" ] || { echo "prewatt: no generators"; exit 0; }
    echo "$generator"
    .venv/bin/python "$generator"
done
