"""What the host calls done and cancelled, held against what the meter was seen to do."""

import pytest

from prewatt.codec.commands import Code, control_digest
from prewatt.codec.receipt import RingEntry
from prewatt.device.meter.money import Money
from prewatt.sim.history import ViolationError
from prewatt.sim.verdicts import Verdicts

METER = "000001"
EPOCH = 1 << 24
TEXT, OPEN = (control_digest(Code.TEXT, b"text"), control_digest(Code.RELAY, b"\x01"))


class Books:
    """Commands as the host's database has them."""

    def __init__(self):
        self.controls = {}
        self.verdicts = Verdicts(self.rows, self.check)

    def rows(self, statement):
        low = int(statement.split(">=")[1].split("ORDER")[0])
        return [(number, *row) for number, row in sorted(self.controls.items()) if number >= low]

    @staticmethod
    def check(holds, law):
        if not holds:
            raise ViolationError(law)

    def order(self, number, digest, state="waiting", code=Code.TEXT):
        self.controls[number] = (METER, int(code), digest, state)
        self.verdicts.check_books()


def seen(verdicts, *, last=0, control=0, digest=bytes(8), body=METER):
    """A body of the meter is seen with this last number and this newest command."""
    ring = (RingEntry(EPOCH + last, bytes(8), 1),)
    verdicts.observe(METER, body, Money(ring=ring, last_control=control, control_digest=digest))


def code(last):
    """The digits of a code for this number."""
    return f"{((EPOCH + last) % 256) << 56:020d}"


@pytest.fixture
def books():
    found = Books()
    seen(found.verdicts)
    found.order(1, TEXT, "dropped")
    return found


def test_a_command_that_its_meter_applied_may_be_called_done(books):
    books.order(2, TEXT)
    seen(books.verdicts, control=1, digest=TEXT)
    seen(books.verdicts, control=2, digest=OPEN)
    books.order(2, TEXT, "done")


def test_a_command_that_nobody_applied_is_not_done(books):
    books.order(2, TEXT)
    seen(books.verdicts, control=1, digest=OPEN)
    with pytest.raises(ViolationError, match="command 2 is called done, and was not applied"):
        books.order(2, TEXT, "done")


def test_the_same_command_applied_before_it_was_ordered_again_does_not_count(books):
    seen(books.verdicts, control=1, digest=TEXT)
    seen(books.verdicts, control=2, digest=OPEN)
    books.order(2, TEXT)
    with pytest.raises(ViolationError):
        books.order(2, TEXT, "done")


def test_what_is_the_newest_at_the_meter_already_may_be_called_done(books):
    seen(books.verdicts, control=1, digest=TEXT)
    books.order(2, TEXT)
    books.order(2, TEXT, "done")


def test_each_body_of_a_meter_counts_its_commands_by_itself(books):
    seen(books.verdicts, control=1, digest=OPEN, body="000001.2")
    books.order(2, TEXT)
    seen(books.verdicts, control=1, digest=TEXT)
    books.order(2, TEXT, "done")
    books.order(3, OPEN)
    books.order(3, OPEN, "done")
    seen(books.verdicts, control=2, digest=TEXT, body="000001.2")
    books.order(4, OPEN)
    with pytest.raises(ViolationError, match="command 4 is called done"):
        books.order(4, OPEN, "done")


@pytest.mark.parametrize("state", ["refused", "dropped"])
def test_what_is_not_called_done_need_not_be_applied(books, state):
    books.order(2, TEXT)
    books.order(2, TEXT, state)


def test_what_waits_over_a_restart_may_have_been_applied_before(books):
    books.order(2, TEXT)
    seen(books.verdicts, control=1, digest=TEXT)
    seen(books.verdicts, control=2, digest=OPEN)
    books.verdicts.host_began()
    books.verdicts.check_books()
    books.order(2, TEXT, "done")


def test_the_steps_of_a_program_have_digests_of_their_own(books):
    books.order(2, TEXT, code=Code.PROGRAM_OFFER)
    books.order(2, OPEN, "done", code=Code.PROGRAM_OFFER)


def test_a_sale_is_not_cancelled_while_its_code_could_be_typed(books):
    seen(books.verdicts, last=254)
    books.verdicts.issued("p1", METER, code(257))
    seen(books.verdicts, last=256)
    with pytest.raises(ViolationError, match="p1 is cancelled, and its code is still good at meter 000001"):
        books.verdicts.cancelled("p1", METER)
    seen(books.verdicts, last=257)
    books.verdicts.cancelled("p1", METER)


def test_a_code_whose_number_was_gone_when_it_was_given_out_is_worthless(books):
    seen(books.verdicts, last=258)
    books.verdicts.issued("p1", METER, code(255))
    books.verdicts.cancelled("p1", METER)
    books.verdicts.cancelled("p2", METER)
