#!/bin/sh
# All checks and all tests: lint, then tests marked `serial` alone, then the rest side by side. Everything runs even
# where something failed before, so that one run tells all. The big run is last: its summary line closes the output.
# Arguments go to pytest, and are then all that is run.
set -u
cd "$(dirname "$0")/.."

pytest=".venv/bin/python -m pytest"
if [ $# -gt 0 ]; then
    exec $pytest "$@"
fi

before=
sh tools/lint.sh || before="$before lint"

# Collecting costs seconds; that there is nothing to collect is known faster.
if grep -rqE 'mark\.serial' tests --include='*.py'; then
    $pytest -m serial || before="$before serial-tests"
fi

$pytest -m 'not serial' -n "${JOBS:-3}" --dist worksteal --durations=15 --durations-min=1
status=$?

if [ -n "$before" ]; then
    [ $status -ne 0 ] || echo "prewatt: failed before these tests, see above:$before"
    status=1
fi
exit $status
