"""The key drill over 1,024 real meters; `drill.py --meters 65536` is the whole of it."""

import pytest
from drill import drill

pytestmark = pytest.mark.heavy


def test_keys_change_over_many_meters_of_which_a_fifth_is_away_for_days(fleet_paths, databases):
    # The host's own time hardly depends on the database; the waiting for statements does.
    drill(fleet_paths(), {"sqlite": 1_024, "postgresql": 256}[databases.kind], place=databases.place)
