"""The bodies behind the ids: what hangs on which wall, what lies on the shelf, and what somebody made a copy of.

An id has one body where it is right to have one. Here bodies are exchanged too early and too late, forgotten on the
line, put back years later, scrapped before anybody has read them, hung on each other's walls; their memory is copied
into a second body with the same keys (a clone), or an old copy of it is put back (a rollback). What is promised of each
is in docs/operating/simulator.md; the auditor keeps an account of every body by its own name.
"""

from random import Random
from typing import TYPE_CHECKING, Final

from prewatt.host.registry import Enrolment
from prewatt.protocol.transfer import BodyState
from prewatt.sim.account import Account
from prewatt.sim.home import Home, Image
from prewatt.sim.wishes import LOADS, some_birth
from prewatt.units import epoch_of

if TYPE_CHECKING:
    from prewatt.protocol.transfer import MeterBook
    from prewatt.sim.world import World

__all__ = ["NOW_S", "SETS", "Bodies"]

# Half an hour before a month begins: every walk comes to a midnight, with the reports of its day.
NOW_S: Final = 1_772_321_400  # 2026-02-28 23:30:00 UTC
# Key sets 0-2 and 3-5; meters are made with the first two of their suite.
SETS: Final = {"aes-2026": (0, 1, 2), "tdes-1998": (3, 4, 5)}
# A street may get so many homes more, for ids that are given up.
_MORE_HOMES_MAX: Final = 2
# Nobody exchanges or copies more bodies of an id than this; where its value waits for a next one, that one comes.
_BODIES_MAX: Final = 5
_IMAGES_MAX: Final = 3


class Bodies:
    """Operations on the world they are given; each takes its own chance."""

    def __init__(self, world: "World", meters: int) -> None:
        self.world = world
        self._births, self._meters = Random(f"births {world.seed}"), meters
        # All bodies of an id that is not used plainly, the first one first; the one in use is in ``world.homes``.
        self.all: dict[str, list[Home]] = {}
        # Copies of memories, and what the auditor knew of the body then.
        self._images: dict[str, list[tuple[Image, Account]]] = {}

    # -- what hangs where

    def new_home(self) -> str:
        """A meter more, made and enrolled, under an id of its own; gives that."""
        world = self.world
        number, chance = len(world.homes) + 1, self._births
        meter = f"{number:06X}"
        self._make(meter, world.field.place_of(number), chance)
        self.enrol(meter)
        return meter

    def _make(self, meter: str, place: str, chance: Random, copy: tuple[Image, Account] | None = None) -> Home:
        world = self.world
        suite = "tdes-1998" if int(meter, 16) % 2 == 0 else "aes-2026"
        keys = {index: world.installation.vault.terminal_key(index, bytes.fromhex(meter)) for index in SETS[suite][:2]}
        birth = {
            "unit_price_micro": 2_500_000,
            "drift_ppm": chance.choice((0, 0, 20, -200, 1_000, -1_000)),
            "made_s": NOW_S,
            "settings": some_birth(chance),
            "clock_ahead_s": chance.choice((0, 0, 0, 90, -90, 86_400, -86_400 * 40)),
        }
        others = self.all.setdefault(meter, [])
        body = f"{meter}.{len(others) + 1}" if others else meter
        if copy is not None:
            world.auditor.add(copy[1].twin(body), of=copy[1].body)
        home = Home(world, meter, place, suite, keys, birth, body=body, image=copy[0] if copy else None)
        home.pulses_per_minute = chance.choice(LOADS[:4])
        others.append(home)
        if copy is None:
            world.homes[meter] = home
        return home

    def enrol(self, meter: str) -> None:
        """Takes a home into the registry."""
        world, home = self.world, self.world.homes[meter]
        wanted = Enrolment(meter, station=home.place, m_id=home.m_id, suite=home.suite, key_sets=SETS[home.suite][:2])
        world.call(lambda host: host.registry.enrol(wanted))
        world.note_enrolled()

    def one_more(self) -> str | None:
        """A home with an id of its own for one that was given up; None where the street is full."""
        return self.new_home() if len(self.world.homes) < self._meters + _MORE_HOMES_MAX else None

    def plain(self, meter: str) -> bool:
        """Whether this id never had more than one body."""
        return len(self.all[meter]) == 1

    def standing(self, meter: str) -> list[Home]:
        """Every body of an id that hangs somewhere."""
        return [home for home in self.all.get(meter, ()) if not home.away]

    def epoch(self, home: Home) -> int:
        """The epoch a body is in; 0 without one."""
        return epoch_of(max(self.world.auditor.account(home).last_sequence, 0))

    def put(self, home: Home) -> None:
        """This body hangs where its id belongs, and no other of that id hangs anywhere."""
        before = self.world.homes[home.meter]
        pulses = before.pulses_per_minute
        for other in self.standing(home.meter):
            if other is not home:
                other.take_away()
                other.pulses_per_minute = 0
        if home.away or home.place != before.place:
            home.take_away()
            home.hang(before.place)
        home.pulses_per_minute = pulses
        self.world.homes[home.meter] = home

    def take_down(self, meter: str) -> None:
        """Nothing of this id hangs anywhere any more."""
        for home in self.standing(meter):
            home.take_away()
            home.pulses_per_minute = 0

    def hang_new(self, meter: str, chance: Random) -> None:
        """A body without an epoch where the id belongs: one that is at hand, or a new one."""
        home = next((each for each in self.all[meter] if _usable(each) and not self.epoch(each)), None)
        if home is None:
            before = self.world.homes[meter]
            home = self._make(meter, before.place, chance)
            home.pulses_per_minute = before.pulses_per_minute
            self.world.homes[meter] = before
        self.put(home)

    @staticmethod
    def read_through(book: "MeterBook") -> int:
        """The epoch whose body, and all before it, is done with. Of an id that was never used none is, though a host
        that has forgotten it hears what its body says."""
        return 0 if book.body is BodyState.NEW else epoch_of(max(book.settled, 0))

    def right(self, meter: str, book: "MeterBook", *, bare: bool) -> Home | None:
        """The body that has to hang there: the newest; None where it is scrapped, or where one without an epoch is due
        (``bare``) and none came yet."""
        newest = max(self.all[meter], key=lambda home: (self.epoch(home), home is self.world.homes[meter]))
        if bare and self.epoch(newest) <= self.read_through(book):
            return None
        return newest if _usable(newest) else None

    # -- operations

    def op_exchange(self, chance: Random) -> None:
        """A new body under the same id, whatever the books say; the old one is shelved, forgotten there, or scrapped.
        A wise person asks first whether it was retired and read."""
        world, home = self.world, self.world.some_home(chance)
        meter, how, wise = home.meter, chance.random(), chance.random() < 0.7
        if len(self.all[meter]) >= _BODIES_MAX or (wise and not world.office.final(meter)):
            return
        self.hang_new(meter, chance)
        if how < 0.3:
            home.hang(home.place)
        elif how > 0.85:
            home.scrapped = True

    def op_back(self, chance: Random) -> None:
        """An old body comes back to life beside the one in use, here or on another line, or goes to sleep again."""
        old = [
            home
            for meter in sorted(self.all)
            for home in self.all[meter]
            if home is not self.world.homes[meter] or home.away
        ]
        old = [home for home in old if _usable(home)]
        if not old:
            return
        home = chance.choice(old)
        if home.away:
            home.hang(chance.choice((home.place, self.world.field.place_of(chance.randrange(8)))))
            home.pulses_per_minute = chance.choice((0, 60, 900))
        else:
            home.take_away()

    def op_swap(self, chance: Random) -> None:
        """Two homes get each other's meters, and nobody tells the host."""
        one, other = self.world.some_home(chance), self.world.some_home(chance)
        if one is other or one.away or other.away:
            return
        places = one.place, other.place
        on = one.on, other.on
        one.take_away()
        other.take_away()
        one.distance_m, other.distance_m = other.distance_m, one.distance_m
        one.pulses_per_minute, other.pulses_per_minute = other.pulses_per_minute, one.pulses_per_minute
        for home, place, lit in ((one, places[1], on[0]), (other, places[0], on[1])):
            home.place, home.away = place, False
            if lit:
                home.restore_power()

    def op_image(self, chance: Random) -> None:
        """Somebody reads a body's memory out."""
        home = self.world.some_home(chance)
        account = self.world.auditor.account(home)
        if home.dead or not account.entries:
            return
        copy = home.image(), account.twin(home.body)
        self._images[home.meter] = [*self._images.get(home.meter, ()), copy][-_IMAGES_MAX:]

    def op_twin(self, chance: Random) -> None:
        """An image becomes a second body beside the first (a clone), or is put back into the first (a rollback)."""
        meters = sorted(meter for meter in self._images if len(self.all[meter]) < _BODIES_MAX)
        if not meters:
            return
        meter = chance.choice(meters)
        home, copy = self.world.homes[meter], chance.choice(self._images[meter])
        back = chance.random() < 0.5
        if back:
            home.take_away()
            home.scrapped = True
        twin = self._make(meter, home.place, chance, copy)
        twin.pulses_per_minute = chance.choice((0, 60, 900))
        if back:
            twin.pulses_per_minute = home.pulses_per_minute
            self.world.homes[meter] = twin


def _usable(home: Home) -> bool:
    return not home.scrapped and not home.dead
