"""What stations keep reaches the host through the area server, in order per meter, whatever happens on the way."""

import pytest
from tests.device.boxes_walk import Hole, ViolatedError, World, walk_until_violated

SEEDS = range(200)
MOVES = 400


def test_everything_kept_is_booked_in_order_whatever_happens_on_the_way() -> None:
    worlds = [World(seed).run(MOVES) for seed in SEEDS]
    assert sum(len(world.booked) for world in worlds) > 5_000
    assert sum(world.copies for world in worlds), "nothing ever came twice: the walk is too kind"
    assert sum(world.set_back for world in worlds) > 50, "hardly a memory was ever set back: the walk is too kind"


@pytest.mark.parametrize("hole", list(Hole))
def test_every_planted_hole_is_found(hole: Hole) -> None:
    with pytest.raises(ViolatedError):
        walk_until_violated(hole, MOVES, 400, with_area=True)
