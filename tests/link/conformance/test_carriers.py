"""What every carrier keeps, whatever moves its bytes. Where a carrier promises less, the promise is what is held."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import EntryPoint

import pytest

from prewatt.link import carrier
from prewatt.link.carrier import CarrierClosedError, End, dial, find_scheme, installed_carriers
from prewatt.units import ValueFieldError

# A hang is told from a busy computer by a wide margin.
WITHIN_S = 60
MANY = 300


def run(talk: Callable[[], Awaitable[None]]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(WITHIN_S):
            await talk()

    asyncio.run(in_time())


async def send_all(end, messages: Iterable[bytes]) -> None:
    for message in messages:
        await end.send(message)


async def take(at, end, most: int, sent: list[bytes]) -> list[bytes]:
    """Up to ``most`` messages; on a carrier that may lose some, what comes until nothing has come for a while."""
    got: list[bytes] = []
    while len(got) < most:
        try:
            async with asyncio.timeout(None if at.promise.lossless else 3):
                got.append(at.own(await end.receive()))
        except TimeoutError:
            break
    hold(at, got, sent)
    return got


def hold(at, got: list[bytes], sent: list[bytes]) -> None:
    """Whole messages, none twice; all of them and in order, as far as that is promised."""
    assert set(got) <= set(sent)
    assert len(set(got)) == len(got) or len(set(sent)) < len(sent)
    if at.promise.ordered:
        rest = iter(sent)
        assert all(message in rest for message in got)
    if at.promise.lossless:
        assert len(got) == len(sent)
    else:
        assert len(got) >= 0.8 * len(sent)


def test_messages_of_every_size_arrive_whole_both_ways(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            sizes = [0, 1, 2, 55, 1_001, at.size_max - 1, at.size_max]
            for up, sender, receiver in ((True, ends.dialled, ends.accepted), (False, ends.accepted, ends.dialled)):
                messages = [at.message(ends, number + 1, size, up=up) for number, size in enumerate(sizes)]
                sending = asyncio.create_task(send_all(sender, messages))
                await take(at, receiver, len(sizes), [at.own(message) for message in messages])
                await sending

    run(talk)


def test_many_messages_arrive_both_ways_at_once(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            if at.promise.turns:
                pytest.skip("its ends take turns; the next test is theirs")
            up = [at.message(ends, n, 8, up=True) for n in range(MANY)]
            down = [at.message(ends, n + MANY, 8, up=False) for n in range(MANY)]
            async with asyncio.TaskGroup() as group:
                group.create_task(send_all(ends.dialled, up))
                group.create_task(send_all(ends.accepted, down))
                group.create_task(take(at, ends.accepted, MANY, [at.own(each) for each in up]))
                group.create_task(take(at, ends.dialled, MANY, [at.own(each) for each in down]))

    run(talk)


def test_many_messages_arrive_in_turns(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            lost = 0
            for number in range(MANY):
                call, answer = at.message(ends, number, 12, up=False), at.message(ends, number, 40, up=True)
                try:
                    async with asyncio.timeout(None if at.promise.lossless else 1):
                        await ends.accepted.send(call)
                        assert at.own(await ends.dialled.receive()) == at.own(call)
                        await ends.dialled.send(answer)
                        assert at.own(await ends.accepted.receive()) == at.own(answer)
                except TimeoutError:
                    lost += 1
            assert lost <= (0 if at.promise.lossless else MANY // 20)

    run(talk)


@pytest.mark.parametrize("closing", ["dialled", "accepted"])
def test_who_waits_is_woken_when_either_end_closes(place, closing):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            waiting = {name: asyncio.create_task(getattr(ends, name).receive()) for name in ("dialled", "accepted")}
            await asyncio.sleep(0.01)
            getattr(ends, closing).close()
            if at.promise.shared and closing == "dialled":
                with pytest.raises(CarrierClosedError):
                    await waiting.pop("dialled")
                # The others on the line are as they were.
                assert not waiting["accepted"].done()
                waiting["accepted"].cancel()
                return
            for task in waiting.values():
                with pytest.raises(CarrierClosedError):
                    await task

    run(talk)


def test_nothing_is_sent_after_closing_and_closing_twice_is_closing_once(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            message = at.message(ends, 1, 8, up=True)
            ends.dialled.close()
            ends.dialled.close()
            with pytest.raises(CarrierClosedError):
                await ends.dialled.send(message)
            with pytest.raises(CarrierClosedError):
                await ends.dialled.receive()

    run(talk)


def test_what_was_sent_before_the_peer_closed_can_still_be_taken(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            if at.promise.shared:
                return
            await send_all(ends.dialled, [at.message(ends, n, 8, up=True) for n in range(3)])
            ends.dialled.close()
            assert [await ends.accepted.receive() for _ in range(3)] == [
                at.message(ends, n, 8, up=True) for n in range(3)
            ]
            with pytest.raises(CarrierClosedError):
                await ends.accepted.receive()

    run(talk)


def test_a_receive_that_is_cancelled_loses_no_message(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            for _ in range(5):
                waiting = asyncio.create_task(ends.accepted.receive())
                await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            messages = [at.message(ends, n, 8, up=True) for n in range(10)]
            sending = asyncio.create_task(send_all(ends.dialled, messages))
            await take(at, ends.accepted, 10, [at.own(message) for message in messages])
            await sending

    run(talk)


def test_a_message_that_is_too_long_is_refused_and_the_next_goes_through(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            longest = at.message(ends, 1, at.size_max, up=True)
            with pytest.raises(ValueError, match="allowed is"):
                await ends.dialled.send(longest + b"x")
            fitting = at.message(ends, 2, 9, up=True)
            await ends.dialled.send(fitting)
            assert at.own(await ends.accepted.receive()) == at.own(fitting)

    run(talk)


def test_an_end_that_does_not_receive_makes_its_sender_wait_or_loses_and_never_grows(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            # 64 MB, which no carrier holds for anybody.
            size = min(at.size_max, 65_536)
            sent: list[bytes] = []

            async def flood() -> None:
                for number in range(1_000):
                    await ends.dialled.send(at.message(ends, number, size, up=True))
                    sent.append(at.own(at.message(ends, number, size, up=True)))

            flooding = asyncio.create_task(flood())
            await asyncio.sleep(1)
            if not at.promise.lossless:
                flooding.cancel()
                await asyncio.gather(flooding, return_exceptions=True)
                return
            if not flooding.done():
                before = len(sent)
                await asyncio.sleep(0.2)
                assert len(sent) == before, "still sending though nobody receives"
            got = [at.own(await ends.accepted.receive()) for _ in range(1_000)]
            await flooding
            assert got == sent

    run(talk)


def test_a_send_that_waits_can_be_cancelled_and_the_rest_arrives(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            if not at.promise.lossless:
                return
            size = min(at.size_max, 16_384)
            sent = 0

            async def flood() -> None:
                nonlocal sent
                while True:
                    await ends.dialled.send(at.message(ends, sent, size, up=True))
                    sent += 1

            flooding = asyncio.create_task(flood())
            while sent < 1 or not flooding.done():
                before = sent
                await asyncio.sleep(0.1)
                if sent == before:
                    break
            flooding.cancel()
            await asyncio.gather(flooding, return_exceptions=True)
            for number in range(sent):
                assert await ends.accepted.receive() == at.message(ends, number, size, up=True)

    run(talk)


def test_after_a_farewell_a_new_end_is_a_new_beginning(place):
    async def talk() -> None:
        async with place() as at:
            for turn in range(3):
                ends = await at.open()
                message = at.message(ends, turn, 12, up=True)
                await ends.dialled.send(message)
                assert at.own(await ends.accepted.receive()) == at.own(message)
                back = at.message(ends, turn + 10, 12, up=False)
                await ends.accepted.send(back)
                assert at.own(await ends.dialled.receive()) == at.own(back)
                ends.dialled.close()

    run(talk)


def test_two_pairs_do_not_hear_each_other(place):
    async def talk() -> None:
        async with place() as at:
            one, other = await at.open(), await at.open()
            for number, ends in enumerate((one, other)):
                message = at.message(ends, number + 1, 12, up=False)
                await ends.accepted.send(message)
                assert at.own(await ends.dialled.receive()) == at.own(message)
            waiting = [asyncio.create_task(ends.dialled.receive()) for ends in (one, other)]
            await asyncio.sleep(0.05)
            assert not any(task.done() for task in waiting)
            for task in waiting:
                task.cancel()

    run(talk)


def test_when_the_listener_closes_all_its_ends_close_and_the_place_is_free_again(place):
    async def talk() -> None:
        async with place() as at:
            ends = await at.open()
            waiting = asyncio.create_task(ends.dialled.receive())
            await asyncio.sleep(0.01)
            at.listener.close()
            with pytest.raises(CarrierClosedError):
                await waiting
            with pytest.raises(CarrierClosedError):
                await at.open()
            async with at.reopen() as again:
                ends = await again.open()
                message = again.message(ends, 1, 5, up=True)
                await ends.dialled.send(message)
                assert again.own(await ends.accepted.receive()) == again.own(message)

    run(talk)


def test_every_carrier_that_is_installed_is_put_through_this_suite(schemes):
    assert set(installed_carriers()) - schemes == set()


def test_a_clause_that_a_carrier_differs_in_is_one_of_this_suite(differs, schemes):
    for case, clause in differs:
        assert case.split()[0] in schemes
        assert clause in globals()


def test_an_address_of_no_carrier_is_refused_with_the_names_of_all():
    for address in ("pigeon:loft", "", "memory", ":x"):
        with pytest.raises(ValueFieldError, match="carrier") as caught:
            find_scheme(address)
        assert all(f"{name}:" in str(caught.value) for name in installed_carriers())


def test_both_ways_to_write_an_address_mean_the_same():
    assert find_scheme("memory:a") == find_scheme("memory://a")
    assert find_scheme("memory:")[1] == ""


def test_dialling_where_nobody_listens_ends_with_one_line():
    async def talk() -> None:
        for address in ("memory:nobody", "powerline:nowhere?meter=000001&m_id=1"):
            with pytest.raises(CarrierClosedError):
                await dial(address, End())

    run(talk)


def test_a_carrier_that_does_not_load_or_is_none_is_named(monkeypatch):
    broken = {
        "gone": EntryPoint("gone", "prewatt.link.nowhere:X", carrier.CARRIERS_GROUP),
        "none": EntryPoint("none", "prewatt.link.carrier:MESSAGE_BYTES_MAX", carrier.CARRIERS_GROUP),
    }
    monkeypatch.setattr(carrier, "installed_carriers", lambda: broken)
    for name in broken:
        with pytest.raises(ValueFieldError, match=name):
            find_scheme(f"{name}:x")
