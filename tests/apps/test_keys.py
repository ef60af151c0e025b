"""Retiring a key set never leaves a meter without one."""

from pathlib import Path

import pytest

from prewatt.apps.cli import app
from prewatt.apps.cli.shell import EXIT_DONE, EXIT_REFUSED, run


@pytest.fixture
def prewatt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda *words: run(app, [*words, "--data", str(tmp_path / "data")])


def test_the_last_set_that_a_meter_has_is_not_retired(prewatt, capsys: pytest.CaptureFixture[str]) -> None:
    assert prewatt("init") == EXIT_DONE
    assert prewatt("meter", "enrol", "0000A1") == EXIT_DONE
    assert prewatt("keys", "retire", "0") == EXIT_DONE
    assert prewatt("keys", "add") == EXIT_DONE
    capsys.readouterr()
    assert prewatt("keys", "retire", "1") == EXIT_REFUSED
    assert "0000A1 would have none" in capsys.readouterr().err


def test_a_vault_without_an_installation_retires_freely(prewatt) -> None:
    assert prewatt("keys", "init") == EXIT_DONE
    assert prewatt("keys", "retire", "0") == EXIT_DONE
    assert prewatt("keys", "retire", "1") == EXIT_DONE
