#!/bin/sh
# Brings .venv to what a lock says: `install.sh runtime` for running, `install.sh test` for testing as well.
# No root, no apt. Where .venv is right already (a stamp in it holds the digest of all that went in) nothing is done.
set -eu
cd "$(dirname "$0")/.."

kind=$1
venv=.venv
case $kind in
runtime) lock=requirements.lock ;;
test) lock=requirements-test.lock ;;
*) echo "install.sh: '$kind' is not allowed; allowed is runtime or test" >&2; exit 2 ;;
esac

say() { echo "prewatt: $*" >&2; }
die() { say "$@"; exit 1; }

# A stamp holds the digest of what was installed from: a lock (or the package's own data), how, by which Python, and
# where (the package is installed in place, and scripts hold the path).
digest_of() {
    { cat "$1" tools/install.sh "$venv/pyvenv.cfg"; pwd; } | sha256sum | cut -d ' ' -f 1
}

is_stamped() {
    [ -f "$venv/$1.stamp" ] && [ "$(cat "$venv/$1.stamp")" = "$(digest_of "$2")" ]
}

# What tests need includes what running needs, in the same versions.
has_packages() {
    [ -x "$venv/bin/python" ] &&
        { is_stamped test requirements-test.lock || { [ "$kind" = runtime ] && is_stamped runtime "$lock"; }; }
}

has_prewatt() {
    [ -x "$venv/bin/prewatt" ] && is_stamped package pyproject.toml
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has_venv() { "$1" -c 'import venv' >/dev/null 2>&1; }
# Debian ships the venv module in python3 but ensurepip only in python3-venv; either way to pip will do.
has_outer_pip() { "$1" -m pip --python "$1" --version >/dev/null 2>&1; }
has_ensurepip() { "$1" -c 'import ensurepip' >/dev/null 2>&1; }

find_python() {
    found=
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate" || continue
        # The interpreter behind the name, which may be a shim; pip --python wants a path.
        found=$("$candidate" -c 'import sys; print(sys.executable)')
        if has_venv "$found" && { has_outer_pip "$found" || has_ensurepip "$found"; }; then
            echo "$found"
            return
        fi
    done
    if [ -z "$found" ]; then
        die "Python 3.11 or newer is missing${PYTHON:+ at PYTHON=$PYTHON}; on Debian 12 or newer: apt install python3 python3-pip"
    elif ! has_venv "$found"; then
        die "$found has no venv module; on Debian: apt install python3 (the full package, not python3-minimal)"
    fi
    die "$found has neither pip nor ensurepip; on Debian: apt install python3-pip (or python3-venv)"
}

# A .venv that was made to the end, by a Python that is still there and new enough.
is_sound() {
    [ -x "$venv/bin/python" ] && is_new_enough "$venv/bin/python" &&
        { [ -s "$venv/made-by" ] || "$venv/bin/python" -m pip --version >/dev/null 2>&1; }
}

make_venv() {
    python=$(find_python)
    say "making $venv with $("$python" --version) ($python)"
    "$python" -m venv --clear --without-pip "$venv"
    printf '%s\n' "$python" >"$venv/made-by"
}

# Runs pip for .venv: .venv's own if it has one, else the pip of the Python that made it, else one from ensurepip.
run_pip() {
    python=$(cat "$venv/made-by" 2>/dev/null || true)
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        set -- "$venv/bin/python" -m pip "$@"
    elif [ -n "$python" ] && has_outer_pip "$python"; then
        set -- "$python" -m pip --python "$venv/bin/python" "$@"
    else
        "$venv/bin/python" -m ensurepip >/dev/null || die "no way to pip for $venv; remove $venv and try again"
        set -- "$venv/bin/python" -m pip "$@"
    fi
    # A person's pip settings may name a mirror; they may not send the packages elsewhere than into .venv.
    env -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PYTHONPATH PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 "$@"
}

install_packages() {
    rm -f "$venv"/*.stamp
    say "installing $(grep -c '==' "$lock") pinned packages into $venv; the first time takes about a minute"
    # A person sees pip at work; a log gets its errors only.
    quiet=-qq
    [ -t 1 ] && quiet=
    run_pip install $quiet --no-input --no-deps --require-hashes --requirement "$lock" ||
        die "pip could not install $lock; its message is above (is the network there?)"
    digest_of "$lock" >"$venv/$kind.stamp"
}

install_prewatt() {
    say "installing prewatt itself, in place"
    run_pip install -qq --no-input --no-deps --no-index --no-build-isolation --editable . ||
        die "the package itself could not be installed; the message is above"
    digest_of pyproject.toml >"$venv/package.stamp"
}

# A Python that is asked for by name, and is not the one that .venv was made by, gets a .venv of its own.
if [ -n "${PYTHON:-}" ] && [ -s "$venv/made-by" ]; then
    wanted=$(find_python) || exit 1
    [ "$wanted" = "$(cat "$venv/made-by")" ] || rm -rf "$venv"
fi
has_packages && has_prewatt && exit 0

# Two makes at once take turns; the second then finds the work done.
if command -v flock >/dev/null 2>&1; then
    exec 9>.install.lock
    flock -n 9 || { say "another make is installing; waiting for it"; flock 9; }
fi
is_sound || make_venv
has_packages || install_packages
has_prewatt || install_prewatt
