"""What a station keeps reaches the host, in order per meter, also where no area server stands between them."""

import pytest
from tests.device.boxes_walk import Hole, ViolatedError, World, walk_until_violated

SEEDS = range(200)
MOVES = 400
# The other holes are those of area servers.
HOLES = (
    Hole.ACK_OF_A_WRONG_SPOOL,
    Hole.ALARM_ALWAYS_KNOWN,
    Hole.DELETE_ON_SEND,
    Hole.DROP_ON_RESTART,
    Hole.NEVER_AGAIN,
    Hole.NUMBERS_FALL,
    Hole.OLD_ID,
    Hole.OUT_OF_ORDER,
    Hole.SEND_BEFORE_APPEND,
)


def test_everything_kept_is_booked_in_order_whatever_happens_on_the_way() -> None:
    worlds = [World(seed, with_area=False).run(MOVES) for seed in SEEDS]
    assert sum(len(world.booked) for world in worlds) > 5_000
    assert sum(world.copies for world in worlds), "nothing ever came twice: the walk is too kind"
    assert sum(world.set_back for world in worlds) > 50, "hardly a memory was ever set back: the walk is too kind"


@pytest.mark.parametrize("hole", HOLES)
def test_every_planted_hole_is_found(hole: Hole) -> None:
    with pytest.raises(ViolatedError):
        walk_until_violated(hole, MOVES, 400, with_area=False)
