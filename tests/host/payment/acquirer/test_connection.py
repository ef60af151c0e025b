import asyncio

from prewatt.host.payment.acquirer.connection import WAITING_BYTES_MAX, AcquirerPlace, Connection
from prewatt.host.payment.iso8583.messages import MESSAGE_BYTES_MAX


async def nothing(*_):
    return None


async def serve(reader, writer):
    """Lets everybody in and reads nothing."""
    try:
        await asyncio.sleep(60)
    finally:
        writer.transport.abort()


def test_an_acquirer_that_reads_nothing_is_left_before_memory_fills():
    async def story():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        connection = Connection(AcquirerPlace("127.0.0.1", server.sockets[0].getsockname()[1]))
        opened = asyncio.Event()

        async def tell():
            opened.set()

        running = asyncio.create_task(connection.run(tell, nothing))
        async with asyncio.timeout(30):
            await opened.wait()
            while not running.done():
                connection.send(b"x" * MESSAGE_BYTES_MAX)
                assert connection._writer.transport.get_write_buffer_size() <= WAITING_BYTES_MAX + 2 * MESSAGE_BYTES_MAX
                await asyncio.sleep(0)
            await running
        connection.send(b"x")
        connection.close()
        server.close()

    asyncio.run(story())


def test_nobody_there_is_said_in_one_line():
    async def story():
        why = await Connection(AcquirerPlace("127.0.0.1", 1)).run(nothing, nothing)
        assert why
        assert "\n" not in why

    asyncio.run(story())
