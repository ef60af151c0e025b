"""docs/reference/meter.md shows the tables that the code decides by, and names every event and effect."""

from pathlib import Path

import pytest

import prewatt.device.meter as meter
from prewatt.codec.settings import render_settings_table
from prewatt.device.meter.bypass import render_bypass_table
from prewatt.device.meter.relay import render_relay_table

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "meter.md").read_text()
TABLES = {"relay": render_relay_table, "bypass": render_bypass_table, "settings": render_settings_table}
EVENTS = (
    "Tick",
    "Load",
    "Measured",
    "LineFrame",
    "KeyPress",
    "Button",
    "Cover",
    "Surge",
    "Sense",
    "SourceAt",
    "LastGasp",
)


@pytest.mark.parametrize("name", TABLES)
def test_the_page_shows_the_table_that_decides(name):
    shown = PAGE.split(f"<!-- {name} table -->\n")[1].split("<!-- end -->")[0]
    assert shown == TABLES[name]()


@pytest.mark.parametrize("name", EVENTS)
def test_the_page_names_every_event(name):
    assert hasattr(meter, name)
    assert f"`{name}`" in PAGE
