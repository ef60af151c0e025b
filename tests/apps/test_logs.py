"""What `up` writes to its log: JSON lines, without anything that a frame of the program held."""

import json

import structlog

from prewatt.apps.logs import set_up_logs


def _fail(secret):
    raise ValueError(f"of {len(secret)} bytes")


def test_a_traceback_in_the_log_shows_no_locals(capsys):
    set_up_logs("info")
    try:
        try:
            _fail(b"KEYKEYKEYKEYKEYK")
        except ValueError:
            structlog.get_logger("prewatt.test").exception("it failed")
    finally:
        structlog.reset_defaults()
    line = capsys.readouterr().err
    assert json.loads(line)["exception"][0]["exc_value"] == "of 16 bytes"
    assert "KEYKEY" not in line
