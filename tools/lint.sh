#!/bin/sh
# Every check that does not run the code, all of them even where one fails. Exit 1 if any failed.
set -u
cd "$(dirname "$0")/.."

status=0
check() {
    echo "== $*"
    ".venv/bin/$@" || status=1
}

check ruff check --quiet
check ruff format --check --quiet
check mypy --no-error-summary
check lint-imports --no-logo
exit $status
