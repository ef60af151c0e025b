"""Wrong input to the commands that make and run boxes: one line that names it, exit 1 or 2, and nothing half done."""

import io
import os
import time
from contextlib import redirect_stderr, redirect_stdout

import pytest

from prewatt.apps.boxes.authority import open_authority
from prewatt.apps.cli import app
from prewatt.apps.cli.shell import run
from prewatt.apps.database import read_installation_id
from prewatt.apps.settings import read_settings
from prewatt.units import DAY_S

FREE = "tcp://127.0.0.1:0"
ELSEWHERE = "tcp://203.0.113.9:1"
SERVER = ("host", "server", "1", "--out", "made")

REFUSED = {
    "certify an unknown area": (("area", "certify", "A9", "--out", "made"), "'A9'"),
    "certify an area into a file": (("area", "certify", "A1", "--out", "file"), "file"),
    "certify an area into no folder": (("area", "certify", "A1", "--out", "/proc/made"), "/proc/made"),
    "certify beyond the authority": (("area", "certify", "A1", "--out", "made", "--days", "7300"), "days"),
    "certify an unknown station": (("station", "certify", "S9", "--out", "made"), "prewatt station list"),
    "certify a path for a station": (("station", "certify", "../x", "--out", "made"), "'../x'"),
    "make an unknown meter": (("meter", "make", "000009", "--out", "made"), "000009"),
    "make no meter": (("meter", "make", "xx", "--out", "made"), "six hex digits"),
    "make a meter before there is a price": (("meter", "make", "000001", "--out", "made"), "prewatt tariff set"),
    "run no meter": (("meter", "run", "none"), "prewatt meter make"),
    "run a file that is no meter": (("meter", "run", "junk"), "no whole meter"),
    "run a folder as a meter": (("meter", "run", "."), "."),
    "run an area without papers": (("area", "run", "none"), "prewatt area certify"),
    "run an area as a station": (("area", "run", "station"), "those of an area"),
    "run an area below no host": (("area", "run", "area", "--host", "pigeon", "--stations", FREE), "'pigeon'"),
    "run an area at no address": (("area", "run", "area", "--stations", "pigeon"), "'pigeon'"),
    "run an area at another's address": (("area", "run", "area", "--stations", ELSEWHERE), "203.0.113.9"),
    "run an area with a server that ends": (
        ("area", "run", "area", "--host", "nats://127.0.0.1:1", "--nats-server", "/bin/false"),
        "does not start",
    ),
    "run an area beside no server": (("area", "run", "area", "--host", "nats://pigeon"), "HOST:PORT"),
    "run a station without papers": (("station", "run", "none"), "prewatt station certify"),
    "run a station below no area": (
        ("station", "run", "station", "--area", "tcp://a:b", "--meters", FREE),
        "HOST:PORT",
    ),
    "run a station at no address": (("station", "run", "station", "--meters", "pigeon"), "'pigeon'"),
    "run a station on no such line": (("station", "run", "station", "--line", "string"), "powerline-9600"),
    "run a host at no address": (("host", "run", "--port", "0", "--areas", "pigeon"), "'pigeon'"),
    "run a host at another's address": (("host", "run", "--port", "0", "--areas", ELSEWHERE), "203.0.113.9"),
    "make a server for no clients": ((*SERVER, "--clients", "x", "--leaves", "a:2"), "clients"),
    "make a server for no leaves": ((*SERVER, "--clients", "a:1", "--leaves", "x"), "leaves"),
    "make a server in no cluster": ((*SERVER, "--clients", "a:1", "--leaves", "a:2", "--cluster", "x"), "cluster"),
    "make a server on no route": ((*SERVER, "--clients", "a:1", "--leaves", "a:2", "--route", "x"), "route"),
    "make a server at no address": ((*SERVER, "--clients", "a:1", "--leaves", "a:2", "--at", "no place"), "'no place'"),
    "set no such line": (("station", "line", "S1", "string"), "powerline-9600"),
    "set the line of no station": (("station", "line", "S9", "powerline-9600"), "S9"),
    "cover no station": (("station", "coverage", "S9"), "S9"),
    "add an area of bad name": (("area", "add", "bad name"), "'bad name'"),
    "show no campaign": (("campaign", "show", "99"), "99"),
    "cancel no campaign": (("campaign", "cancel", "99"), "99"),
}
USAGE = {
    "no days": ("area", "certify", "A1", "--out", "made", "--days", "0"),
    "too many days": ("area", "certify", "A1", "--out", "made", "--days", "7301"),
    "papers without a folder": ("station", "certify", "S1"),
    "a home below nothing": ("meter", "run", "junk", "--home", "-1"),
    "meters without a file": ("meter", "run"),
    "a port past all": ("host", "run", "--port", "65536"),
    "a server past all": ("host", "server", "256", "--out", "made", "--clients", "a:1", "--leaves", "a:2"),
    "a program without its signature": ("program", "add", "file"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An installation without a price, papers of a box of each kind, a file, and one that is no meter.

    Its authority is a day old: papers of this second for as long as an authority lives would end with a fresh one.
    """
    folder = tmp_path_factory.mktemp("wrong")
    before, state = os.getcwd(), os.environ.get("XDG_STATE_HOME")
    os.chdir(folder)
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    assert told(("init",))[0] == 0
    settings = read_settings()
    open_authority(settings, read_installation_id(settings), int(time.time()) - DAY_S)
    for words in (
        ("meter", "enrol", "000001"),
        ("area", "certify", "A1", "--out", "area"),
        ("station", "certify", "S1", "--out", "station"),
    ):
        assert told(words)[0] == 0
    (folder / "file").write_text("a file")
    (folder / "junk").write_bytes(b"junk" * 100)
    yield folder
    os.chdir(before)
    if state is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = state


def told(words):
    """Exit code, and what was said as an error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(app, list(words))
    return code, err.getvalue()


def refused(place, words, code):
    found, error = told(words)
    assert found == code, error
    assert error.startswith("prewatt: ")
    assert error.count("\n") == 1, error
    assert not (place / "made").exists()
    return error


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_allowed_is_named_in_one_line(place, case):
    words, named = REFUSED[case]
    assert named in refused(place, words, 1)


@pytest.mark.parametrize("case", USAGE)
def test_what_is_typed_wrongly_is_told_in_one_line(place, case):
    assert "--help" in refused(place, USAGE[case], 2)
