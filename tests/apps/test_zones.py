"""The rule of a zone says, for years to come, what the zone database says hour by hour."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from prewatt.apps.tables import named_table
from prewatt.apps.zones import zone_rule
from prewatt.device.meter.calendar import LocalCalendar

HOUR_S = 3_600


@pytest.mark.parametrize(
    "name",
    [
        "UTC",
        "Europe/Paris",
        "America/New_York",
        "Australia/Sydney",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
    ],
)
def test_a_meters_calendar_agrees_with_the_zone_database(name: str) -> None:
    zone = ZoneInfo(name)
    calendar = LocalCalendar.of(named_table("flat", zone_rule(zone, 2026)))
    for second in range(
        int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2029, 1, 1, tzinfo=UTC).timestamp()), HOUR_S
    ):
        offset = datetime.fromtimestamp(second, zone).utcoffset() or timedelta()
        assert calendar.read_offset_s(second) == offset.total_seconds(), datetime.fromtimestamp(second, UTC)


@pytest.mark.parametrize("name", ["Africa/Casablanca", "Asia/Jerusalem"])
def test_a_zone_whose_turns_follow_no_rule_keeps_standard_time(name: str) -> None:
    assert zone_rule(ZoneInfo(name), 2026).daylight is None
