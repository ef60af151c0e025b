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
