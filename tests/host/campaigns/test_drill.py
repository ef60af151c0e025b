"""The key drill over 1,024 real meters; `drill.py --meters 65536` is the whole of it."""

import pytest
from drill import drill

pytestmark = pytest.mark.heavy


def test_keys_change_over_a_thousand_meters_of_which_a_fifth_is_away_for_days(fleet_paths):
    drill(fleet_paths(), 1_024)
