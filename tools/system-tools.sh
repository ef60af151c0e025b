#!/bin/sh
# The commands that tests need from the system, with the Debian package that has each. As root on a Debian a missing one
# is installed; otherwise it is named, and the tests are not started.
set -eu

# command:package
needed="openssl:openssl"

missing=
for entry in $needed; do
    command -v "${entry%%:*}" >/dev/null 2>&1 || missing="$missing ${entry#*:}"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "prewatt: installing$missing with apt-get" >&2
    export DEBIAN_FRONTEND=noninteractive
    # The lists may be missing or old; only then are they fetched.
    # shellcheck disable=SC2086
    apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing >/dev/null; } ||
        { echo "prewatt: apt-get could not install$missing; its message is above" >&2; exit 1; }
    exit 0
fi
echo "prewatt: tests need what Debian has in the package(s)$missing; as root: apt-get install$missing" >&2
exit 1
