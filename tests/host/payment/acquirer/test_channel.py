"""Card payments over real TCP against the sandbox: each way in which an acquirer can behave."""

import asyncio
import gc
import ssl
import threading
from types import FunctionType, ModuleType

import pytest
from tests.host.payment.conftest import EAGER, QUICK, SLOW
from tests.host.payment.world import patient

from prewatt.host.payment.acquirer.calls import ChannelError
from prewatt.host.payment.acquirer.channel import EVENTS_MAX
from prewatt.host.payment.acquirer.framing import Framing
from prewatt.host.payment.iso8583.card import Card, CardOnFile
from prewatt.host.payment.iso8583.fields import De, Dialect
from prewatt.host.payment.iso8583.messages import Message
from prewatt.host.payment.iso8583.profile import ASKS_MAX
from prewatt.host.payment.iso8583.reasons import Reason
from prewatt.host.payment.port import Captured, Capturing, Declined, Guaranteed, PaymentState, Reversed, Unknown
from prewatt.host.payment.sandbox.behaviour import TEST_CARDS, Behaviour
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.units import ValueFieldError

GOOD_CARD = "9999990000000006"


def card(ends="0006"):
    (number,) = (pan for pan in TEST_CARDS if pan.endswith(ends))
    return Card(number, "3012")


def money(sandbox, shop, payment_id):
    row = shop.journal.read([payment_id])[payment_id]
    account = sandbox.books.accounts.get(row.rrn)
    return (account.held, account.taken) if account is not None else (0, 0)


def run(story):
    asyncio.run(story())


def test_a_payment_is_guaranteed_by_their_approval_code_and_captured(opened):
    async def story():
        async with opened() as (sandbox, shop):
            outcome = await shop.channel.ask("p1", 1_000, card())
            row = shop.journal.read(["p1"])["p1"]
            assert outcome == Guaranteed(f"A000001-{row.rrn}")
            assert money(sandbox, shop, "p1") == (1_000, 0)
            assert await shop.channel.capture("p1") == Capturing(outcome.authorization)
            assert await shop.ended("p1") == Captured(outcome.authorization)
            assert money(sandbox, shop, "p1") == (0, 1_000)
            assert await shop.channel.capture("p1") == Captured(outcome.authorization)
            assert await shop.channel.ask("p1", 1_000, card()) == Captured(outcome.authorization)
            with pytest.raises(RefusedError) as refused:
                await shop.channel.reverse("p1")
            assert refused.value.outcome is RefusalOutcome.ALREADY_SETTLED

    run(story)


@pytest.mark.parametrize(
    ("ends", "reason", "code"),
    [("0014", Reason.FUNDS, "51"), ("0022", Reason.DO_NOT_HONOUR, "05"), ("0030", Reason.EXPIRED, "54"),
     ("0048", Reason.LOST, "41")],
)  # fmt: skip
def test_a_decline_says_why_and_leaves_nothing(opened, ends, reason, code):
    async def story():
        async with opened() as (sandbox, shop):
            assert await shop.channel.ask("p1", 1_000, card(ends)) == Declined(reason.value, code)
            assert money(sandbox, shop, "p1") == (0, 0)
            assert shop.journal.read(["p1"])["p1"].state is PaymentState.DECLINED

    run(story)


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ("0063", Reason.TIMED_OUT),
        ("0071", Reason.TIMED_OUT),
        ("0089", Reason.TIMED_OUT),
        ("0105", Reason.LINE_LOST),
        ("0113", Reason.CONDITIONAL),
        ("0121", Reason.NO_APPROVAL_CODE),
        ("0139", Reason.DOUBTFUL_CODE),
        ("0162", Reason.TIMED_OUT),
    ],
)
def test_what_nobody_can_know_is_reversed_until_it_is_undone(opened, ends, reason):
    async def story():
        async with opened(QUICK) as (sandbox, shop):
            assert await shop.channel.ask("p1", 1_000, card(ends)) == Unknown(reason.value)
            assert await shop.ended("p1") == Reversed(reason.value)
            assert money(sandbox, shop, "p1") == (0, 0)
            assert sandbox.received["0100"] == 1
            assert await shop.channel.ask("p1", 1_000, card(ends)) == Reversed(reason.value)

    run(story)


def test_an_answer_that_takes_its_time_is_waited_for(opened):
    async def story():
        async with opened() as (_, shop):
            assert isinstance(await shop.channel.ask("p1", 1_000, card("0055")), Guaranteed)

    run(story)


def test_an_answer_after_the_reversal_began_changes_nothing(opened):
    async def story():
        async with opened(QUICK) as (sandbox, shop):
            sandbox.tell("authorization", Behaviour(delay_ms=2_000))
            sandbox.tell("reversal", Behaviour(answers=0), times=8)
            assert await shop.channel.ask("p1", 1_000, card()) == Unknown(Reason.TIMED_OUT.value)
            assert await shop.ended("p1") == Reversed(Reason.TIMED_OUT.value)
            assert "an answer after the reversal began" in shop.notes
            assert shop.journal.read(["p1"])["p1"].approval == "000001"
            assert money(sandbox, shop, "p1") == (0, 0)

    run(story)


def test_answers_that_come_twice_are_taken_once(opened):
    async def story():
        async with opened() as (sandbox, shop):
            assert isinstance(await shop.channel.ask("p1", 1_000, card("0097")), Guaranteed)
            await shop.channel.capture("p1")
            assert isinstance(await shop.ended("p1"), Captured)
            assert isinstance(await shop.channel.ask("p2", 1_000, card("0097")), Guaranteed)
            await shop.channel.reverse("p2")
            assert isinstance(await shop.ended("p2"), Reversed)
            assert [money(sandbox, shop, each) for each in ("p1", "p2")] == [(0, 1_000), (0, 0)]
            assert "answered twice" in shop.notes

    run(story)


@pytest.mark.parametrize("ends", ["0147", "0170"])
def test_a_completion_is_repeated_until_it_is_confirmed_and_taken_once(opened, ends):
    async def story():
        async with opened(EAGER) as (sandbox, shop):
            assert isinstance(await shop.channel.ask("p1", 1_000, card(ends)), Guaranteed)
            await shop.channel.capture("p1")
            assert isinstance(await shop.ended("p1"), Captured)
            assert money(sandbox, shop, "p1") == (0, 1_000)
            assert (sandbox.received["0220"], sandbox.received["0221"] > 0) == (1, True)

    run(story)


def test_a_refused_completion_gives_the_money_back_and_says_so(opened):
    async def story():
        async with opened() as (sandbox, shop):
            assert isinstance(await shop.channel.ask("p1", 1_000, card("0154")), Guaranteed)
            await shop.channel.capture("p1")
            assert await shop.ended("p1") == Reversed(Reason.COMPLETION_REFUSED.value)
            assert money(sandbox, shop, "p1") == (0, 0)

    run(story)


def test_a_reversal_is_requested_then_repeated_then_advised(opened):
    async def story():
        async with opened(SLOW) as (sandbox, shop):
            await shop.channel.ask("p1", 1_000, card())
            sandbox.tell("reversal", Behaviour("96", books=False), times=4)
            await shop.channel.reverse("p1")
            assert await shop.ended("p1") == Reversed(Reason.WITHDRAWN.value)
            received = {mti: count for mti, count in sandbox.received.items() if mti[1] == "4"}
            assert received == {"0400": 1, "0401": 2, "0420": 1, "0421": 1}

    run(story)


def test_the_same_id_is_the_same_payment_and_no_other(opened):
    async def story():
        async with opened() as (sandbox, shop):
            both = await asyncio.gather(*(shop.channel.ask("p1", 1_000, card()) for _ in range(5)))
            assert len(set(both)) == 1
            assert sandbox.received["0100"] == 1
            for amount, other in ((1_001, card()), (1_000, card("0022"))):
                with pytest.raises(RefusedError) as refused:
                    await shop.channel.ask("p1", amount, other)
                assert refused.value.outcome is RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS
            with pytest.raises(RefusedError) as refused:
                await shop.channel.capture("p9")
            assert refused.value.outcome is RefusalOutcome.UNKNOWN_PAYMENT
            assert await shop.channel.wait_ended("p9") is None

    run(story)


def test_a_card_on_file_pays_with_the_acquirers_token(opened):
    async def story():
        async with opened() as (sandbox, shop):
            await shop.channel.ask("p1", 1_000, card())
            token = shop.journal.read(["p1"])["p1"].token
            assert token == "SANDBOX-0006"
            assert isinstance(await shop.channel.ask("p2", 500, CardOnFile(token, "0006")), Guaranteed)
            assert money(sandbox, shop, "p2") == (500, 0)

    run(story)


@pytest.mark.parametrize(("payment_id", "amount"), [("p 1", 1), ("", 1), ("p1", 0), ("p1", -1), ("p1", 10**12)])
def test_what_cannot_be_asked_for_does_not_reach_the_machine(opened, payment_id, amount):
    async def story():
        async with opened() as (_, shop):
            with pytest.raises(ValueFieldError):
                await shop.channel.ask(payment_id, amount, card())
            assert isinstance(await shop.channel.ask("p1", 10**12 - 1, card()), Guaranteed)

    run(story)


def test_without_a_line_nothing_is_asked_and_the_id_stays_free(opened):
    async def story():
        async with opened() as (sandbox, shop):
            await sandbox.close()
            async with asyncio.timeout(20):
                while shop.channel.ready.is_set():
                    await asyncio.sleep(0.01)
            assert await shop.channel.ask("p1", 1_000, card()) == Declined(Reason.UNREACHABLE.value, asked=False)
            assert shop.journal.read_all() == []

    run(story)


def test_a_lost_line_is_dialled_again_and_what_was_asked_on_it_is_reversed(opened):
    async def story():
        async with opened() as (sandbox, shop):
            sandbox.tell("authorization", Behaviour(answers=0))
            asking = asyncio.create_task(shop.channel.ask("p1", 1_000, card()))
            async with asyncio.timeout(20):
                while not sandbox.received["0100"]:
                    await asyncio.sleep(0.01)
            sandbox.lose_connections()
            assert await asking == Unknown(Reason.LINE_LOST.value)
            assert isinstance(await shop.ended("p1"), Reversed)
            assert money(sandbox, shop, "p1") == (0, 0)
            assert isinstance(await shop.channel.ask("p2", 1_000, card()), Guaranteed)

    run(story)


def test_a_quiet_line_is_asked_for_an_echo_and_a_dead_one_is_left(opened):
    async def story():
        async with opened(patient(SLOW, echo_after_ms=30, echo_wait_ms=20_000)) as (sandbox, shop):
            async with asyncio.timeout(20):
                while sandbox.received["0800"] < 4:
                    await asyncio.sleep(0.01)
            assert not any(note.startswith("hung up") for note in shop.notes)
        async with opened(patient(SLOW, echo_after_ms=30, echo_wait_ms=300)) as (sandbox, shop):
            sandbox.tell("network", Behaviour(answers=0))
            async with asyncio.timeout(20):
                while not any(note.startswith("hung up") for note in shop.notes):
                    await asyncio.sleep(0.01)
            await shop.ready()

    run(story)


def test_an_echo_of_theirs_is_answered(opened):
    async def story():
        async with opened() as (sandbox, _):
            sandbox.send_to_all(Message("0800", {De.STAN: "000007", De.NETWORK_CODE: "301"}))
            async with asyncio.timeout(20):
                while not sandbox.received["0810"]:
                    await asyncio.sleep(0.01)

    run(story)


def test_a_refused_sign_on_opens_nothing(opened):
    async def story():
        async with opened() as (sandbox, shop):
            sandbox.tell("network", Behaviour("91", books=False), times=2)
            sandbox.lose_connections()
            async with asyncio.timeout(20):
                while shop.notes.count("sign-on refused") < 2:
                    await asyncio.sleep(0.01)
            await shop.ready()

    run(story)


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    "framing", [Framing(), Framing(4), Framing(2, True), Framing(2, False, bytes.fromhex("6000030000"))]
)
def test_every_dialect_goes_through_every_frame(opened, dialect, framing):
    async def story():
        async with opened(patient(SLOW, dialect=dialect), framing=framing) as (sandbox, shop):
            chip = Card(GOOD_CARD, "3012", chip="9F2608AABBCCDDEEFF0011", entry_mode="051", sequence="001")
            assert isinstance(await shop.channel.ask("p1", 1_000, chip), Guaranteed)
            await shop.channel.capture("p1")
            assert isinstance(await shop.ended("p1"), Captured)
            assert money(sandbox, shop, "p1") == (0, 1_000)

    run(story)


def test_more_calls_than_may_wait_are_refused_and_nothing_is_lost(opened):
    async def story():
        async with opened() as (sandbox, shop):
            entered, go_on, write = threading.Event(), threading.Event(), shop.journal.write

            def slow(saves, trace):
                entered.set()
                assert go_on.wait(20)
                write(saves, trace)

            shop.journal.write = slow
            asking = [asyncio.create_task(shop.channel.ask("p0", 1_000, card()))]
            await asyncio.sleep(0.2)
            asking += [
                asyncio.create_task(shop.channel.ask(f"p{number}", 1_000, card()))
                for number in range(1, EVENTS_MAX + 2)
            ]
            await asyncio.sleep(0)
            assert await asking[-1] == Declined(Reason.BUSY.value, asked=False)
            with pytest.raises(ChannelError, match="wait already"):
                await shop.channel.capture("p0")
            go_on.set()
            outcomes = await asyncio.gather(*asking)
            guaranteed = [outcome for outcome in outcomes if isinstance(outcome, Guaranteed)]
            assert len(guaranteed) == len({each.authorization for each in guaranteed}) == sandbox.received["0100"]
            assert len(guaranteed) >= ASKS_MAX
            assert set(outcomes) - set(guaranteed) == {Declined(Reason.BUSY.value, asked=False)}

    run(story)


def test_a_disk_that_fails_sends_nothing_and_the_next_channel_goes_on(opened):
    async def story():
        async with opened() as (sandbox, shop):
            await shop.channel.ask("p1", 1_000, card())
            shop.journal.fail_after = 0
            with pytest.raises(ChannelError, match="no space left"):
                await shop.channel.ask("p2", 1_000, card())
            with pytest.raises(ChannelError):
                await shop.channel.capture("p1")
            assert sandbox.received["0100"] == 1
            with pytest.raises(OSError, match="no space left"):
                await shop.task
            shop.journal.fail_after = None
            await shop.start()
            await shop.ready()
            assert [row.payment_id for row in shop.journal.read_all()] == ["p1"]
            await shop.channel.capture("p1")
            assert isinstance(await shop.ended("p1"), Captured)
            assert isinstance(await shop.channel.ask("p2", 1_000, card()), Guaranteed)

    run(story)


def test_a_restart_reverses_what_was_not_answered_and_keeps_what_was_guaranteed(opened):
    async def story():
        async with opened() as (sandbox, shop):
            await shop.channel.ask("kept", 1_000, card())
            asking = asyncio.create_task(shop.channel.ask("lost", 1_000, card("0071")))
            async with asyncio.timeout(20):
                while sandbox.received["0100"] < 2:
                    await asyncio.sleep(0.01)
            await shop.end()
            with pytest.raises(ChannelError):
                await asking
            await shop.start()
            await shop.ready()
            assert await shop.ended("lost") == Reversed(Reason.RESTARTED.value)
            assert shop.journal.read(["kept"])["kept"].state is PaymentState.GUARANTEED
            assert [money(sandbox, shop, each) for each in ("kept", "lost")] == [(1_000, 0), (0, 0)]

    run(story)


def test_a_person_signs_over_what_the_acquirer_never_confirms(opened):
    async def story():
        async with opened(EAGER) as (sandbox, shop):
            sandbox.tell("reversal", Behaviour("30", books=False), times=1_000)
            await shop.channel.ask("p1", 1_000, card())
            await shop.channel.reverse("p1")
            with pytest.raises(RefusedError):
                await shop.channel.sign_over("p1", PaymentState.CAPTURED)
            assert await shop.channel.sign_over("p1", PaymentState.REVERSED) == Reversed(Reason.SIGNED_OVER.value)
            assert await shop.ended("p1") == Reversed(Reason.SIGNED_OVER.value)

    run(story)


def test_bytes_that_are_no_message_are_noted_and_a_false_length_ends_the_line(opened):
    async def story():
        async with opened() as (sandbox, shop):
            for writer in tuple(sandbox._writers):
                writer.write(Framing().build(b"what is this"))
            async with asyncio.timeout(20):
                while not any(note.startswith("not a message") for note in shop.notes):
                    await asyncio.sleep(0.01)
            assert isinstance(await shop.channel.ask("p1", 1_000, card()), Guaranteed)
            for writer in tuple(sandbox._writers):
                writer.write(b"\xff\xff")
            async with asyncio.timeout(20):
                while not any("announced" in note for note in shop.notes):
                    await asyncio.sleep(0.01)
            await shop.ready()

    run(story)


def test_no_card_number_is_on_the_disk_or_in_a_token(opened, tmp_path):
    async def story():
        async with opened() as (_, shop):
            outcome = await shop.channel.ask("p1", 1_000, card())
            assert GOOD_CARD not in repr(shop.journal.read(["p1"])) + repr(outcome)
            await shop.channel.capture("p1")
            await shop.ended("p1")

    run(story)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"p1" in held
    assert GOOD_CARD.encode() not in held
    assert GOOD_CARD[:12].encode() not in held


def reachable(*roots):
    """Every text and byte string that these objects hold, directly or not; not what belongs to modules and classes."""
    seen, waiting, found = set(), list(roots), []
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, ModuleType | type | FunctionType):
            continue
        seen.add(id(each))
        if isinstance(each, str | bytes | bytearray):
            found.append(each if isinstance(each, str) else bytes(each).decode("latin-1"))
        waiting += gc.get_referents(each)
    return found


def test_a_card_number_is_forgotten_once_it_is_asked_about(opened):
    async def story():
        async with opened(EAGER) as (_, shop):
            sought = str(9_999_990_000_000_180 + 8)
            held = Card(sought, "3012")
            assert any(sought in text for text in reachable(held))
            asking = asyncio.create_task(shop.channel.ask("p1", 1_000, held))
            assert isinstance(await asking, Guaranteed)
            del held, asking
            await shop.channel.capture("p1")
            await shop.ended("p1")
            texts = reachable(shop.channel, shop.task)
            assert any("TERM0001" in text for text in texts)
            assert not any(sought in text for text in texts)

    run(story)


def test_a_place_that_cannot_be_is_dialled_again_and_again(opened):
    async def story():
        async with opened() as (_, shop):
            await shop.end()
            shop.place = type(shop.place)("x" * 70 + ".example", 5_000)
            shop.notes.clear()
            await shop.start()
            async with asyncio.timeout(20):
                while len(shop.notes) < 2:
                    await asyncio.sleep(0.01)
            assert all(note.startswith("no connection") for note in shop.notes)

    run(story)


def test_tls_with_the_right_name_is_spoken_and_a_stranger_is_not(opened, papers):
    server, client, stranger = papers

    async def story():
        async with opened(tls=server, client_tls=client) as (_, shop):
            assert isinstance(await shop.channel.ask("p1", 1_000, card()), Guaranteed)
            await shop.end()
            shop.place = type(shop.place)("127.0.0.1", shop.place.port, shop.place.framing, stranger, "localhost")
            shop.notes.clear()
            await shop.start()
            async with asyncio.timeout(20):
                while not any(note.startswith("no connection") for note in shop.notes):
                    await asyncio.sleep(0.01)
            assert not shop.channel.ready.is_set()

    run(story)


@pytest.fixture
def papers(tmp_path):
    """TLS of a server named localhost, of a client that trusts it, and of one that trusts nobody."""
    certificate, key = self_signed()
    (tmp_path / "server.pem").write_bytes(certificate + key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "server.pem")
    (tmp_path / "server.pem").unlink()
    client = ssl.create_default_context(cadata=certificate.decode())
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return server, client, stranger


def self_signed():
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form, pem = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    return built.public_bytes(pem), key.private_bytes(pem, form, plain)
