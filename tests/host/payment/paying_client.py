"""A seller as a process of its own: pays p0, p1, ... at an acquirer on a port, with its rows in a file; may be killed.

    python paying_client.py PORT FILE COUNT

Says `ended N` whenever another payment has ended. Started again, it goes on with what the file has.
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.host.payment.sqlite_journal import SqliteJournal

from prewatt.host.payment.acquirer.channel import AcquirerChannel
from prewatt.host.payment.acquirer.connection import AcquirerPlace
from prewatt.host.payment.iso8583.card import Card, TokenKey
from prewatt.host.payment.iso8583.profile import AcquirerProfile
from prewatt.host.payment.port import Declined, Guaranteed, outcome_has_ended

PROFILE = AcquirerProfile(
    "TERM0001", "MERCHANT0000001", "123456", "840",
    answer_wait_ms=1_500, advice_wait_ms=700, repeat_first_ms=50, repeat_longest_ms=400, dial_first_ms=10,
    dial_longest_ms=100,
)  # fmt: skip
AT_ONCE = 40
CARD = Card("9999990000000006", "3012")


def amount_of(number: int) -> int:
    return 100 + number % 97


async def pay(channel: AcquirerChannel, number: int) -> None:
    payment_id = f"p{number}"
    while True:
        outcome = await channel.ask(payment_id, amount_of(number), CARD)
        if not (isinstance(outcome, Declined) and not outcome.asked):
            break
        await asyncio.sleep(0.05)
    if isinstance(outcome, Guaranteed):
        # One in five changes his mind.
        await (channel.reverse(payment_id) if number % 5 == 0 else channel.capture(payment_id))
    if not outcome_has_ended(outcome):
        await channel.wait_ended(payment_id)


async def main(port: int, file: str, count: int) -> None:
    channel = AcquirerChannel(
        AcquirerPlace("127.0.0.1", port), PROFILE, TokenKey(bytes(32)), SqliteJournal(file), notes=lambda note: None
    )
    working = asyncio.create_task(channel.run())
    await channel.ready.wait()
    numbers = iter(range(count))
    ended = 0

    async def payer() -> None:
        nonlocal ended
        for number in numbers:
            await pay(channel, number)
            ended += 1
            print("ended", ended, flush=True)

    await asyncio.gather(*(payer() for _ in range(AT_ONCE)))
    working.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
