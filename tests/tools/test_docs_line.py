"""The page and the picture of the line are those of the presets and of what was measured."""

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

from bench.field_line import PROFILES_MEASURED, LineFigures


@pytest.fixture
def docs_line(monkeypatch):
    """The generator: a script in tools/, which finds others there."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "tools")
    yield import_module("docs_line")
    for name in ("marked", "docs_line"):
        sys.modules.pop(name, None)


def test_the_page_shows_the_presets_and_the_measured_day_as_they_are(docs_line):
    text = docs_line.PAGE.read_text()
    assert docs_line.with_line(text, json.loads(docs_line.DAY.read_text())) == text


def test_the_picture_is_that_of_the_model(docs_line):
    assert docs_line.PICTURE.read_text() == docs_line.plot()


def test_the_measured_day_has_every_figure_of_every_rate_and_all_meters_were_read(docs_line):
    days = [LineFigures(**day) for day in json.loads(docs_line.DAY.read_text())]
    assert tuple(day.profile for day in days) == PROFILES_MEASURED
    for day in days:
        assert day.polled == day.meters == 256
        # Value overtakes the poll: it waits for one answer under way and its own session, not for the meters before it.
        assert day.value_worst_s < 3 * day.poll_s / day.meters + 3 * day.value_idle_s


def test_a_page_without_its_markers_is_refused(docs_line):
    with pytest.raises(ValueError, match="presets"):
        docs_line.with_line("", json.loads(docs_line.DAY.read_text()))
