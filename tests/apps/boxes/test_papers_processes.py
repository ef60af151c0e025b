"""Boxes as processes whose papers are revoked and renewed while they run: who is shut out, and who notices nothing."""

import shutil
import time

import pytest

from prewatt.apps.boxes.authority import open_authority
from prewatt.apps.settings import read_settings
from prewatt.link.certificates import issue
from prewatt.link.papers import Papers, write_papers
from prewatt.units import DAY_S

pytestmark = pytest.mark.heavy


@pytest.fixture
def trusted(field, four):
    """Four boxes that have let each other in: value went from end to end."""
    field.vend("000001", "1.00", "first")
    field.wait_confirmed("first")
    return four


def test_a_stolen_area_server_and_a_stolen_station_are_shut_out_and_their_successors_serve(field, trusted, eventually):
    for box, identity in (("area", "A1"), ("station", "S1")):
        thief = field.folder / f"stolen-{box}"
        shutil.copytree(field.folder / box, thief)
        field.run(box, "revoke", identity, "--reason", "stolen")
        field.run("papers", "bring", field.folder / "area")
        # The box that ran on is thrown out by whom it calls, and does not come in again.
        log = trusted["host" if box == "area" else "area"].failed
        eventually(lambda log=log: "are revoked" in log.read_text())
        field.vend("000001", "1.00", f"while-{box}")
        time.sleep(2)
        assert field.get(f"/transfers/while-{box}")["state"] == "pending"
        trusted[box].kill()
        stolen = field.box(f"stolen-{box}", box, "run", thief, *field.words[box]).start()
        eventually(lambda stolen=stolen: "no way up yet" in stolen.failed.read_text())
        assert field.get(f"/transfers/while-{box}")["state"] == "pending"
        stolen.kill()
        # Its successor stands at the same place, with new papers and no memory of the old one's.
        shutil.rmtree(field.folder / box)
        field.run(box, "certify", identity, "--out", field.folder / box)
        trusted[box].start()
        field.wait_confirmed(f"while-{box}")
    for box in reversed(trusted):
        assert trusted[box].stop() == 0


def test_papers_that_end_are_told_of_in_time_and_new_ones_are_taken_up_by_boxes_that_run(field, trusted, eventually):
    settings = read_settings(data=field.data)
    for box in ("area", "station"):
        trusted[box].stop()
        place = field.folder / box
        bearer = Papers(place).bearer
        authority = open_authority(settings, bearer.box.installation, int(time.time()))
        # Valid for another ten seconds, as if this were their last day.
        made_s = int(time.time()) + 10 - DAY_S
        write_papers(place, issue(authority, bearer, made_s, days=1))
    ends_s = max(Papers(field.folder / box).expires_s for box in ("area", "station"))
    for box in ("area", "station"):
        trusted[box].start()
        eventually(lambda box=box: "papers end soon" in trusted[box].failed.read_text())
        assert "renew them" in trusted[box].said.read_text()
    field.vend("000001", "1.00", "last-day")
    field.wait_confirmed("last-day")
    time.sleep(max(ends_s + 1 - time.time(), 0))
    # Open connections go on; new ones take new papers.
    field.vend("000001", "1.00", "day-after")
    field.wait_confirmed("day-after")
    pids = {box: trusted[box].pid for box in ("area", "station")}
    trusted["host"].kill()
    trusted["host"].start()
    field.wait_host(trusted["host"])
    eventually(lambda: "has expired" in trusted["area"].failed.read_text())
    field.vend("000001", "1.00", "renewed")
    for box, identity in (("area", "A1"), ("station", "S1")):
        field.run(box, "certify", identity, "--out", field.folder / box)
    field.wait_confirmed("renewed")
    assert {box: trusted[box].pid for box in ("area", "station")} == pids
    for box in reversed(trusted):
        assert trusted[box].stop() == 0
