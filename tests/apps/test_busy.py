"""A command that meets somebody else on the data folder waits a while for them: for an `up` that starts, or another
command that ends. What does not end is said in one line."""

import threading
import time

import pytest

from prewatt.apps.cli import seller
from prewatt.host.folder import DataFolder, read_holder


@pytest.fixture
def made(programs):
    """An installation on which nobody works."""
    assert programs.run("init").code == 0
    return programs


def test_a_command_given_while_an_up_is_starting_is_answered_by_it(made, monkeypatch):
    monkeypatch.setattr(seller, "BUSY_WAIT_S", 60.0)
    up = made.begin("up", "--port", "0", "--meters", "1", "--data", str(made.data))
    while read_holder(made.data) is None:
        assert up.poll() is None
        time.sleep(0.01)
    found = made.json("meter", "list")
    assert [meter["id"] for meter in found if meter["kind"] == "home"] == ["000001"], "the meters that it has made"
    assert read_holder(made.data).port is not None


def test_a_command_waits_for_another_to_end(made):
    folder = DataFolder.claim(made.data)
    ending = threading.Timer(0.4, folder.release)
    ending.start()
    assert made.run("meter", "list").code == 0
    ending.join()


@pytest.mark.parametrize(
    ("starting", "said"),
    [(True, "prewatt is starting on it (process "), (False, "another prewatt works on it; wait for it to end")],
)
def test_who_does_not_end_is_named_in_one_line(made, monkeypatch, starting, said):
    monkeypatch.setattr(seller, "BUSY_WAIT_S", 0.2)
    with DataFolder.claim(made.data, starting=starting):
        ran = made.run("meter", "list")
    assert ran.code == 1
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    assert ran.out == ""


def test_a_folder_without_an_installation_is_said_at_once(programs, monkeypatch):
    monkeypatch.setattr(seller, "BUSY_WAIT_S", float("inf"))
    assert "no installation here" in programs.run("meter", "list").err
