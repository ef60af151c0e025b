"""Boxes that run while papers change: revoked ones are shut out and thrown out, new ones taken up, over real TLS."""

import asyncio
import os
import shutil
import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest
from tests.logs import told

from prewatt.link import tcpcarrier
from prewatt.link.carrier import CarrierClosedError, End
from prewatt.link.certificates import CertificateError, issue, make_authority
from prewatt.link.names import Bearer, area_name, host_name
from prewatt.link.nats import NATS
from prewatt.link.papers import REVOKED_NAME, Papers, write_file, write_papers
from prewatt.link.renewal import LivePapers
from prewatt.link.revocation import Revocation, build_list
from prewatt.link.tcp import TCP
from prewatt.link.validity import PAPERS_WARN_DAYS
from prewatt.units import DAY_S

HERE = "ab" * 16
HOST, AREA, OTHER = host_name(HERE), area_name(HERE, 1), area_name(HERE, 2)


class Field:
    """An installation with its authority, and a folder for each box."""

    def __init__(self, folder):
        self.folder, self.now_s = folder, int(time.time())
        self.authority = make_authority(HERE, self.now_s - 400 * DAY_S)
        self.revoked, self.number = [], 0
        for name in (HOST, AREA, OTHER):
            self.certify(name)

    def place(self, name):
        return self.folder / str(name).replace(" ", "-")

    def certify(self, name, edition=0, *, left_s=None, place=None):
        days, made_s = (30, self.now_s) if left_s is None else (10, int(time.time()) + left_s - 10 * DAY_S)
        papers = issue(self.authority, Bearer(name, edition), made_s, days=days)
        write_papers(place or self.place(name), papers)

    def end(self, name):
        return End(name, self.place(name))

    def revoke(self, name, *readers, serial=None):
        papers = Papers(self.place(name))
        self.revoked.append(Revocation(serial or papers.serial, papers.bearer, self.now_s))
        self.number += 1
        for reader in readers:
            write_file(self.place(reader), REVOKED_NAME, self.list())

    def list(self):
        return build_list(self.authority, self.number, self.revoked, self.now_s)


@pytest.fixture
def field(tmp_path, monkeypatch):
    monkeypatch.setattr(tcpcarrier, "ALIVE_EVERY_S", 0.05)
    return Field(tmp_path)


class Host:
    """Listens, and keeps whom it let in."""

    def __init__(self, field, name=HOST):
        self.field, self.name, self.carriers = field, name, asyncio.Queue()

    async def __aenter__(self):
        accept = lambda carrier, peer: self.carriers.put_nowait(carrier)  # noqa: E731
        self.listener = await TCP.listen("127.0.0.1:0", self.field.end(self.name), accept)
        return self

    async def __aexit__(self, *_):
        self.listener.close()
        await asyncio.sleep(0)

    async def dial(self, name):
        one = await TCP.dial(self.listener.place, self.field.end(name), self.name)
        return one, await self.carriers.get()


async def closes(carrier):
    with pytest.raises(CarrierClosedError) as caught:
        await asyncio.wait_for(carrier.receive(), 5)
    return str(caught.value)


async def talks(one, other):
    await one.send(b"up")
    assert await asyncio.wait_for(other.receive(), 5) == b"up"


def run(talk):
    asyncio.run(asyncio.wait_for(talk, 60))


def test_a_box_whose_papers_are_revoked_is_thrown_out_and_not_let_in_again_and_others_stay(field):
    async def talk():
        async with Host(field) as host:
            stolen, at_host = await host.dial(AREA)
            good = await host.dial(OTHER)
            field.revoke(AREA, HOST)
            assert "area 1 are revoked" in await closes(at_host)
            await closes(stolen)
            with pytest.raises(CarrierClosedError):
                await host.dial(AREA)
            assert host.carriers.empty()
            await talks(*good)
            await talks(*await host.dial(OTHER))

    run(talk())


def test_new_papers_of_the_box_are_let_in_and_the_stolen_ones_stay_out(field):
    shutil.copytree(field.place(AREA), field.folder / "thief")
    field.revoke(AREA, HOST)
    field.certify(AREA, 1)

    async def talk():
        async with Host(field) as host:
            await talks(*await host.dial(AREA))
            with pytest.raises(CarrierClosedError):
                await TCP.dial(host.listener.place, End(AREA, field.folder / "thief"), HOST)
            assert host.carriers.empty()

    run(talk())


def test_papers_that_nobody_had_on_record_are_refused_by_their_edition(field):
    field.revoke(AREA, HOST, serial=77)

    async def talk():
        async with Host(field) as host:
            with pytest.raises(CarrierClosedError):
                await host.dial(AREA)
            assert host.carriers.empty()
            field.certify(AREA, 1)
            await talks(*await host.dial(AREA))

    run(talk())


def test_a_caller_leaves_a_box_above_it_whose_papers_are_revoked(field):
    async def talk():
        async with Host(field) as host:
            one, _ = await host.dial(AREA)
            field.revoke(HOST, AREA)
            assert "host are revoked" in await closes(one)
            with pytest.raises(CarrierClosedError, match="revoked"):
                await TCP.dial(host.listener.place, field.end(AREA), HOST)

    run(talk())


def test_new_papers_are_used_by_the_next_connection_while_the_box_runs_and_the_open_one_goes_on(field):
    field.certify(HOST, left_s=3)
    field.certify(AREA, left_s=3)

    async def talk():
        async with Host(field) as host:
            old = await host.dial(AREA)
            await asyncio.sleep(4)
            await talks(*old)
            with pytest.raises(CarrierClosedError, match="expired"):
                await host.dial(AREA)
            field.certify(AREA)
            with pytest.raises(CarrierClosedError, match="expired"):
                await host.dial(AREA)
            field.certify(HOST)
            new = await host.dial(AREA)
            await talks(*new)
            await talks(*old)
            assert new[0].certificate["serialNumber"] == f"{Papers(field.place(HOST)).serial:X}".zfill(
                len(new[0].certificate["serialNumber"])
            )

    run(talk())


def spoilers(field):
    """What may lie in the folder of a box and is not taken up."""
    place = field.place(HOST)
    other = field.folder / "of another"
    field.certify(HOST, place=other)

    def half():
        shutil.copy(other / "box.key", place / "box.key")

    def anothers():
        field.certify(AREA, place=place)

    def gone():
        (place / "box.pem").unlink()

    def junk():
        write_file(place, "box.pem", b"junk")

    def shared():
        os.chmod(place / "box.key", 0o644)

    def strangers():
        stranger = make_authority(HERE, field.now_s)
        write_papers(place, issue(stranger, HOST, field.now_s))
        write_file(place, "authority.pem", field.authority.pem)

    def junk_list():
        write_file(place, REVOKED_NAME, b"junk")

    def strangers_list():
        stranger = make_authority(HERE, field.now_s)
        write_file(place, REVOKED_NAME, build_list(stranger, 99, [], field.now_s))

    return {each.__name__: each for each in (half, anothers, gone, junk, shared, strangers, junk_list, strangers_list)}


@pytest.mark.parametrize(
    "what", ["half", "anothers", "gone", "junk", "shared", "strangers", "junk_list", "strangers_list"]
)
def test_papers_that_cannot_be_used_are_not_taken_up_and_the_box_goes_on_with_what_it_had(field, what):
    field.revoke(AREA, HOST)

    async def talk():
        async with Host(field) as host:
            await talks(*await host.dial(OTHER))
            spoilers(field)[what]()
            await talks(*await host.dial(OTHER))
            with pytest.raises(CarrierClosedError):
                await host.dial(AREA)
            # Whole papers end it.
            (field.place(HOST) / REVOKED_NAME).unlink()
            field.certify(HOST)
            field.revoke(OTHER, HOST)
            with pytest.raises(CarrierClosedError):
                await host.dial(OTHER)
            assert host.carriers.empty()

    run(talk())


def test_a_box_that_dials_while_its_papers_are_being_copied_tries_again_and_does_not_end(field):
    async def talk():
        async with Host(field) as host:
            for name in ("box.pem", "box.key", "authority.pem"):
                whole = (field.place(AREA) / name).read_bytes()
                for part in (whole[: len(whole) // 2], None):
                    (field.place(AREA) / name).unlink()
                    if part is not None:
                        write_file(field.place(AREA), name, part)
                    with pytest.raises(CarrierClosedError, match="papers"):
                        await TCP.dial(host.listener.place, field.end(AREA), HOST)
                    with pytest.raises(CarrierClosedError, match="papers"):
                        await NATS.dial("127.0.0.1:1", field.end(AREA), HOST)
                    write_file(field.place(AREA), name, whole)
            await talks(*await host.dial(AREA))

    run(talk())


def test_an_older_list_is_not_taken_for_a_newer_one_nor_is_none(field):
    field.revoke(OTHER, HOST)
    older = (field.place(HOST) / REVOKED_NAME).read_bytes()
    field.revoke(AREA, HOST)

    async def talk():
        async with Host(field) as host:
            write_file(field.place(HOST), REVOKED_NAME, older)
            with pytest.raises(CarrierClosedError):
                await host.dial(AREA)
            (field.place(HOST) / REVOKED_NAME).unlink()
            with pytest.raises(CarrierClosedError):
                await host.dial(AREA)
            assert host.carriers.empty()

    run(talk())


def test_the_log_is_told_once_of_what_is_not_taken_up_and_of_what_is(field):
    with told() as logs:
        live = LivePapers(field.place(HOST), tells=True)
        for _ in range(3):
            write_file(field.place(HOST), "box.pem", b"junk")
            assert live.now.serial
        field.certify(HOST)
        field.revoke(AREA, HOST)
        assert live.now.revoked.number == 1
    assert [each["event"] for each in logs] == [
        "papers that changed are not taken up",
        "new papers are in use",
        "new list of revoked papers is in use",
    ]


def test_the_log_is_told_of_a_peer_whose_papers_end_within_the_days_and_of_no_other(field):
    live = LivePapers(field.place(HOST))
    for left_s, times in ((PAPERS_WARN_DAYS * DAY_S - 5, 1), (PAPERS_WARN_DAYS * DAY_S + 60, 0)):
        ends = time.gmtime(time.time() + left_s)
        certificate = {"notAfter": time.strftime("%b %d %H:%M:%S %Y GMT", ends), "subjectAltName": (("URI", AREA.uri),)}
        with told() as logs:
            live.warn_of(certificate)
        assert len(logs) == times


def test_papers_that_cannot_be_used_at_the_start_are_refused(field):
    write_file(field.place(HOST), REVOKED_NAME, b"junk")
    with pytest.raises(CertificateError, match=r"list of revoked papers: cannot be read"):
        LivePapers(field.place(HOST))


def test_tls_itself_refuses_revoked_papers_before_anybody_asks_for_a_name(field):
    field.revoke(AREA, HOST)
    context, caller = Papers(field.place(HOST)).listener_tls(), Papers(field.place(AREA)).caller_tls()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def call():
            with (
                suppress(OSError),
                socket.create_connection(server.getsockname(), timeout=10) as plain,
                caller.wrap_socket(plain) as tls,
            ):
                tls.recv(10)

        calling = threading.Thread(target=call)
        calling.start()
        plain, _ = server.accept()
        with plain, pytest.raises(ssl.SSLCertVerificationError, match="certificate revoked"):
            context.wrap_socket(plain, server_side=True)
        calling.join()


def test_no_session_is_taken_up_again_without_papers(field):
    """A ticket from before the revocation would let its bearer in without a look at the list."""
    context = Papers(field.place(HOST)).listener_tls()
    caller = Papers(field.place(AREA)).caller_tls()
    resumed, seen = [], []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            for _ in range(2):
                plain, _ = server.accept()
                with suppress(OSError), context.wrap_socket(plain, server_side=True) as tls:
                    tls.sendall(b"hello")
                    tls.recv(10)

        serving = threading.Thread(target=serve)
        serving.start()
        session = None
        for _ in range(2):
            with (
                socket.create_connection(server.getsockname(), timeout=10) as plain,
                caller.wrap_socket(plain, session=session) as tls,
            ):
                assert tls.recv(10) == b"hello"
                session = tls.session
                seen.append(session.has_ticket)
                resumed.append(tls.session_reused)
                tls.sendall(b"bye")
        serving.join()
    assert resumed == [False, False]
    assert seen == [False, False]
    assert context.maximum_version is ssl.TLSVersion.MAXIMUM_SUPPORTED
