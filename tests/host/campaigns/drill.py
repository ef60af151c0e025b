"""The drill: a key change over many real meters, a fifth of them away for days, and somebody who says it all again.

    python tests/host/campaigns/drill.py --meters 65536

It tells how long each part took and how much memory, and ends with an error where a law does not hold.
"""

import argparse
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fleet import Fleet

from prewatt.host.campaigns.wishes import CampaignWish

AWAY_SHARE = 0.2
LOST_SHARE = 0.01
DAYS_AWAY = 4
PAID = "10.00"
PAID_MICRO = 10_000_000
PAYS_EVERY = 8
RECORDED_EVERY = 16


def drill(path: Path, meters: int, *, seed: int = 1, tell: Callable[[str], None] = lambda text: None) -> None:
    """Raises AssertionError where a replay was accepted, value was lost, or somebody did not converge."""
    fleet = Fleet(path, meters, seed=seed)
    try:
        tell(f"{meters} meters made and enrolled")
        fleet.run(2_000)
        paid = [f"{number:06X}" for number in range(1, meters + 1, PAYS_EVERY)]
        for meter in paid:
            fleet.host.vending.vend(meter, PAID)
        fleet.run(2_000)
        tell(f"commissioned, {len(paid)} of them paid")
        _change_keys(fleet, meters, tell)
        _check_keys(fleet, meters)
        _check_value(fleet, len(paid))
        tell(f"all keys and all value checked, {fleet.exchanged} messages went down")
        replayed = _replay(fleet)
        _check_keys(fleet, meters)
        _check_value(fleet, len(paid))
        tell(f"{replayed} recorded messages said again, none accepted")
        _check_old_set_can_go(fleet, meters)
        tell("the replaced set retired, and every meter asked is still reached")
    finally:
        fleet.close()


def _change_keys(fleet: Fleet, meters: int, tell: Callable[[str], None]) -> None:
    ids = sorted(fleet.meters)
    fleet.away = set(fleet.rng.sample(ids, round(meters * AWAY_SHARE)))
    fleet.lose = lambda payload: fleet.rng.random() < LOST_SHARE
    fleet.record = True
    new = fleet.vault.add(fleet.suite, now_s=fleet.now_s).index
    wish = CampaignWish("key", key_set=new, replaces=0, per_minute=60_000, per_station=256)
    campaign = fleet.host.campaigns.start(wish).outline.id

    def left() -> int:
        shown = fleet.host.campaigns.read(campaign).outline
        return shown.waiting + shown.sent

    here = len(fleet.away)
    _run_down(fleet, left, here)
    assert left() == here, _late(fleet, campaign)
    tell(f"changed but for the {here} that are away")
    gone = sorted(fleet.away)
    for day in range(DAYS_AWAY):
        fleet.sleep(86_400)
        back = gone[day * len(gone) // DAYS_AWAY : (day + 1) * len(gone) // DAYS_AWAY]
        fleet.away -= set(back)
        _run_down(fleet, left, len(fleet.away))
        assert left() == len(fleet.away), _late(fleet, campaign)
        tell(f"day {day + 1}: {len(back)} came back and changed")
    fleet.lose = lambda payload: False
    fleet.run(60, until=lambda: fleet.host.campaigns.read(campaign).outline.state == "done")
    shown = fleet.host.campaigns.read(campaign).outline
    assert (shown.state, shown.confirmed, shown.refused, shown.dropped) == ("done", meters, 0, 0), shown


def _run_down(fleet: Fleet, left: Callable[[], int], to: int) -> None:
    for _ in range(400):
        for _ in range(15):
            fleet.turn()
        if left() <= to:
            return


def _late(fleet: Fleet, campaign: str) -> str:
    """What stands where it should not: the counts, and some of the meters that are here and have not changed."""
    shown = fleet.host.campaigns.read(campaign)
    away = {meter_id.hex().upper() for meter_id in fleet.away}
    late = [each for each in shown.stragglers if each.id not in away]
    return f"{len(away)} away, {shown.outline}; late: {late[:5]}"


def _check_keys(fleet: Fleet, meters: int) -> None:
    wrong = [number for number in range(1, meters + 1) if fleet.keys_of(number) != {1, 2}]
    assert not wrong, f"meter {wrong[0]:06X} holds {fleet.keys_of(wrong[0])}"
    shown = fleet.host.registry.read_meters()
    assert all(set(each.key_sets) == {1, 2} for each in shown)


def _check_value(fleet: Fleet, paid: int) -> None:
    for meter in fleet.meters.values():
        meter.money.check()
    assert sum(meter.money.received_micro for meter in fleet.meters.values()) == paid * PAID_MICRO
    audit = fleet.host.audit.run()
    assert audit.ok, audit.violations[:1]


def _replay(fleet: Fleet) -> int:
    """Everything that was said to every sixteenth meter, once more and in order."""
    fleet.record, count = False, 0
    for meter_id in sorted(fleet.meters)[::RECORDED_EVERY]:
        core = fleet.meters[meter_id]._core
        fleet.line_ms += 2_000_000
        for payload in fleet.said[meter_id]:
            before = (core.money, dict(core.keys), core.settings)
            for answer in fleet.say(meter_id, payload):
                assert answer[0] != 0x13, f"{meter_id.hex()} gave a Result to a replay"
            assert (core.money, dict(core.keys), core.settings) == before
            fleet.line_ms += 2_000
            count += 1
    return count


def _check_old_set_can_go(fleet: Fleet, meters: int) -> None:
    fleet.vault.retire(0)
    asked = [f"{number:06X}" for number in range(1, meters + 1, RECORDED_EVERY)]
    for meter in asked:
        fleet.host.controls.send_text(meter, "still here")
    fleet.sleep(60)
    fleet.run(200)
    texts = [fleet.meters[meter_id]._core.text for meter_id in sorted(fleet.meters)[::RECORDED_EVERY]]
    assert texts == ["still here"] * len(asked)


def main() -> None:
    """The drill at a size of one's own."""
    parser = argparse.ArgumentParser(description="A key change over many real meters.")
    parser.add_argument("--meters", type=int, default=1_024)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    memory = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(prefix="prewatt-drill-", dir=memory if memory.is_dir() else None))
    begun = time.monotonic()

    def tell(text: str) -> None:
        used_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
        print(f"{time.monotonic() - begun:8.1f} s {used_mb:6d} MB  {text}", flush=True)

    try:
        drill(path, given.meters, seed=given.seed, tell=tell)
    finally:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
