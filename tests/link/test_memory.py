"""The carriers inside one process keep what every carrier promises."""

import asyncio

import pytest

from prewatt.link import Carrier, CarrierClosedError, MemoryLine, memory_pipe
from prewatt.link.memory import WAITING_MAX


def line_pair() -> tuple[Carrier, Carrier]:
    line = MemoryLine()
    return line.attach(), line.attach()


@pytest.mark.parametrize("pair", [memory_pipe, line_pair])
def test_messages_arrive_whole_and_in_order_both_ways(pair) -> None:
    async def talk() -> None:
        one, other = pair()
        for n in range(20):
            await one.send(bytes(n))
            await other.send(b"back" + bytes(n))
        assert [await other.receive() for _ in range(20)] == [bytes(n) for n in range(20)]
        assert [await one.receive() for _ in range(20)] == [b"back" + bytes(n) for n in range(20)]

    asyncio.run(talk())


@pytest.mark.parametrize("pair", [memory_pipe, line_pair])
def test_receive_ends_when_this_end_closes(pair) -> None:
    async def talk() -> None:
        one, _other = pair()
        waiting = asyncio.create_task(one.receive())
        await asyncio.sleep(0)
        one.close()
        with pytest.raises(CarrierClosedError):
            await asyncio.wait_for(waiting, 1)
        with pytest.raises(CarrierClosedError):
            await one.send(b"x")

    asyncio.run(talk())


def test_a_pipe_gives_what_was_sent_before_the_peer_closed_and_then_ends() -> None:
    async def talk() -> None:
        one, other = memory_pipe()
        await one.send(b"last words")
        one.close()
        assert await other.receive() == b"last words"
        with pytest.raises(CarrierClosedError):
            await asyncio.wait_for(other.receive(), 1)
        with pytest.raises(CarrierClosedError):
            await other.send(b"x")

    asyncio.run(talk())


def test_a_full_pipe_makes_the_sender_wait_and_loses_nothing() -> None:
    async def talk() -> None:
        one, other = memory_pipe()

        async def send_all() -> None:
            for n in range(WAITING_MAX + 10):
                await one.send(n.to_bytes(2, "big"))

        sending = asyncio.create_task(send_all())
        await asyncio.sleep(0.01)
        assert not sending.done()
        for n in range(WAITING_MAX + 10):
            assert await asyncio.wait_for(other.receive(), 1) == n.to_bytes(2, "big")
        await sending

    asyncio.run(talk())


def test_everybody_on_a_line_hears_but_the_sender_and_who_does_not_listen_misses() -> None:
    async def talk() -> None:
        line = MemoryLine()
        ends = [line.attach() for _ in range(3)]
        await ends[0].send(b"hello")
        assert [await ends[1].receive(), await ends[2].receive()] == [b"hello", b"hello"]
        for _ in range(WAITING_MAX + 5):
            await ends[0].send(b"flood")
        ends[2].close()
        await ends[0].send(b"after")
        heard = [await ends[1].receive() for _ in range(WAITING_MAX)]
        assert heard == [b"flood"] * WAITING_MAX
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(ends[0].receive(), 0.01)

    asyncio.run(talk())


def test_messages_that_are_handed_over_come_in_order_with_those_that_waited() -> None:
    async def talk() -> None:
        one, other = memory_pipe()
        sent = [n.to_bytes(2, "big") for n in range(3 * WAITING_MAX)]
        for data in sent[:5]:
            await one.send(data)
        heard: list[bytes] = []
        other.hand_over(heard.append)
        for data in sent[5:]:
            await one.send(data)
        one.close()
        assert "closed" in await asyncio.wait_for(other.wait_closed(), 1)
        assert heard == sent

    asyncio.run(talk())


def test_nobody_is_given_a_message_in_the_middle_of_what_it_does() -> None:
    """Each end answers whatever it hears, and takes a while to say so: it is never called while it still speaks."""

    async def talk() -> None:
        ends = memory_pipe()
        inside, heard = [False, False], [0, 0]

        def speaks(which: int, times: int) -> None:
            assert not inside[which]
            inside[which] = True
            for _ in range(times):
                assert ends[which].try_send(b"x")
            inside[which] = False

        def hears(which: int) -> None:
            heard[which] += 1
            speaks(which, 1 if sum(heard) < 100 else 0)

        ends[0].hand_over(lambda _: hears(0))
        ends[1].hand_over(lambda _: hears(1))
        speaks(0, 3)
        assert heard == [0, 0]
        for _ in range(100):
            await asyncio.sleep(0)
        assert sum(heard) >= 100

    asyncio.run(talk())


def test_an_answer_reaches_who_waits_for_it_at_once_and_never_overtakes() -> None:
    async def talk() -> None:
        one, other = memory_pipe()
        heard: list[bytes] = []
        one.hand_over(heard.append)

        def answer(data: bytes) -> None:
            other.try_send(b"answer to " + data)
            seen.append(len(heard))

        seen: list[int] = []
        other.hand_over(answer)
        one.try_send(b"1")
        one.try_send(b"2")
        await asyncio.sleep(0)
        assert seen == [1, 2]
        one.try_send(b"3")
        other.try_send(b"by itself")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert heard == [b"answer to 1", b"answer to 2", b"by itself", b"answer to 3"]

    asyncio.run(talk())


def test_whoever_cannot_take_a_message_closes_its_own_end_says_why_and_hears_nothing_more() -> None:
    async def talk() -> None:
        one, other = memory_pipe()
        heard: list[bytes] = []

        def refuse(data: bytes) -> None:
            heard.append(data)
            raise RuntimeError("the disk is full")

        other.hand_over(refuse)
        await one.send(b"1")
        await one.send(b"2")
        with pytest.raises(RuntimeError, match="disk is full"):
            await asyncio.wait_for(other.wait_closed(), 1)
        assert heard == [b"1"]
        with pytest.raises(CarrierClosedError):
            await asyncio.wait_for(one.receive(), 1)
        assert not one.try_send(b"3")

    asyncio.run(talk())


def test_a_full_pipe_takes_nothing_from_whoever_cannot_wait_also_while_it_is_handed_over() -> None:
    async def talk() -> None:
        one, other = memory_pipe()
        heard: list[bytes] = []
        other.hand_over(heard.append)
        taken = sum(one.try_send(b"x") for _ in range(2 * WAITING_MAX))
        assert taken == WAITING_MAX
        waiting = asyncio.create_task(one.send(b"y"))
        await asyncio.sleep(0)
        await asyncio.wait_for(waiting, 1)
        assert heard[:WAITING_MAX] == [b"x"] * WAITING_MAX
        assert one.try_send(b"z")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert heard[WAITING_MAX:] == [b"y", b"z"]

    asyncio.run(talk())
