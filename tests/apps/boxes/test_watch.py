"""Who looks after papers while a box runs: it is said once a day that they end, and the host signs its own anew."""

import asyncio
import threading

import pytest
from tests.logs import told

from prewatt.apps.boxes import watch
from prewatt.apps.boxes.authority import certify, write_box_papers, write_host_papers
from prewatt.apps.boxes.issued import ISSUED_NAME
from prewatt.apps.boxes.watch import watching_box, watching_host
from prewatt.apps.settings import read_settings
from prewatt.apps.vault import create_vault
from prewatt.link.names import area_name, station_name
from prewatt.link.papers import Papers
from prewatt.link.validity import BOX_DAYS, PAPERS_WARN_DAYS
from prewatt.units import DAY_S, Address

HERE = "ab" * 16
NOW_S = 1_795_000_000
AREA, STATION = area_name(HERE, 1), station_name(HERE, Address(1, 2))


@pytest.fixture
def settings(tmp_path, monkeypatch):
    made = read_settings(data=tmp_path / "data")
    made.data.mkdir()
    create_vault(made, ["aes-2026", "aes-2026"])
    return made


class Clock:
    """Time that a test sets; each look of a watcher is counted."""

    def __init__(self, now_s):
        self.now_s, self.looks = now_s, 0
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            self.looks += 1
        return self.now_s

    async def some_looks(self):
        until = self.looks + 12
        while self.looks < until:
            await asyncio.sleep(0.005)


def run(work):
    asyncio.run(asyncio.wait_for(work, 30))


def test_a_box_says_once_a_day_that_its_papers_end_and_is_quiet_before(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "_BOX_LOOKS_EVERY_S", 0.005)
    write_box_papers(settings, tmp_path / "box", certify(settings, AREA, NOW_S))
    soon_s = NOW_S + (BOX_DAYS - PAPERS_WARN_DAYS) * DAY_S
    clock = Clock(soon_s)

    async def work():
        async with watching_box(tmp_path / "box", clock):
            for now_s, said in ((soon_s, 0), (soon_s + 1, 1), (soon_s + DAY_S, 1), (soon_s + 1 + DAY_S, 2)):
                clock.now_s = now_s
                await clock.some_looks()
                assert [each["event"] for each in logs].count("papers end soon") == said
            write_box_papers(settings, tmp_path / "box", certify(settings, AREA, now_s))
            clock.now_s += 3 * DAY_S
            await clock.some_looks()
            assert len(logs) == 2 + 1  # and that it has new ones

    with told() as logs:
        run(work())
    assert logs[0]["renew_with"] == "`prewatt area certify`"


def test_the_host_says_whose_papers_end_and_signs_its_own_anew(settings, monkeypatch):
    monkeypatch.setattr(watch, "_HOST_LOOKS_EVERY_S", 0.005)
    folder = write_host_papers(settings, HERE, NOW_S)
    first = Papers(folder)
    certify(settings, AREA, NOW_S, days=100)
    certify(settings, STATION, NOW_S, days=600)
    clock = Clock(NOW_S)

    async def work():
        async with watching_host(settings, HERE, clock):
            await clock.some_looks()
            assert logs == []
            clock.now_s = NOW_S + 41 * DAY_S
            await clock.some_looks()
            assert [each["box"] for each in logs] == ["area 1"]
            assert Papers(folder).serial == first.serial
            clock.now_s = NOW_S + 700 * DAY_S
            await clock.some_looks()
            assert [each["box"] for each in logs] == ["area 1", "area 1", "station 1.2"]
            assert Papers(folder).expires_s == clock.now_s + BOX_DAYS * DAY_S

    with told() as logs:
        run(work())


def test_a_record_that_cannot_be_read_is_told_and_stops_nothing(settings, monkeypatch):
    monkeypatch.setattr(watch, "_HOST_LOOKS_EVERY_S", 0.005)
    write_host_papers(settings, HERE, NOW_S)
    whole = (settings.data / ISSUED_NAME).read_bytes()
    (settings.data / ISSUED_NAME).write_text("junk")
    clock = Clock(NOW_S)

    async def work():
        async with watching_host(settings, HERE, clock):
            await clock.some_looks()
            assert {each["event"] for each in logs} == {"papers cannot be looked after"}
            (settings.data / ISSUED_NAME).write_bytes(whole)
            await clock.some_looks()
            before = len(logs)
            clock.now_s += 2 * DAY_S
            await clock.some_looks()
            assert len(logs) == before

    with told() as logs:
        run(work())
