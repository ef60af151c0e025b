"""The rules of a session: life, repetition, rationing, refusals, draws, faults, misuse."""

from dataclasses import replace

import pytest

from prewatt.codec.commands import Command
from prewatt.codec.messages import Hello, RefusalReason
from prewatt.crypto import suite
from prewatt.protocol.errors import LocalProtocolError
from prewatt.protocol.host import Done, Ended, EndReason, HostSession, Ignored, Send
from prewatt.protocol.sealing import session_sealing
from prewatt.protocol.tables import HostState, TerminalState
from prewatt.protocol.terminal import Answer, Execute, Silence, TerminalIdentity, TerminalSession
from prewatt.units import MeterId, Sequence

TDES, AES = suite("tdes-1998"), suite("aes-2026")


def refused(reply, reason):
    return reply == Answer(bytes((0x1F, reason)), reason)


def hello_of(pair, **changes):
    return replace(Hello.parse(pair.host.hello()), **changes).build()


def test_the_life_of_a_session_is_counted_from_its_hello_in_line_ticks(make_pair, used):
    inside, after = make_pair(used), make_pair(used)
    command = inside.to_command()
    assert isinstance(inside.tell(command, line_ms=1_199_999), Execute)
    command = after.to_command()
    assert refused(after.tell(command, line_ms=1_200_000), RefusalReason.STATE)
    assert after.terminal.memory.session is None


def test_the_life_also_ends_the_stored_result(make_pair, used):
    pair = make_pair(used)
    command = pair.to_command()
    pair.tell(command)
    pair.terminal.result(pair.receipt().build())
    assert refused(pair.tell(command, line_ms=1_200_000), RefusalReason.STATE)
    assert pair.terminal.state is TerminalState.IDLE


def test_a_terminal_without_a_station_can_have_a_short_life(make_pair, used):
    pair = make_pair(used)
    pair.terminal.identity = replace(pair.terminal.identity, life_ms=30_000)
    command = pair.to_command()
    assert refused(pair.tell(command, line_ms=30_000), RefusalReason.STATE)


def test_life_and_elapsed_time_begin_with_the_hello_not_with_the_power(make_pair, used):
    pair, late = make_pair(used), make_pair(used)
    for each, wait_ms in ((pair, 1_199_999), (late, 1_200_000)):
        proof = each.tell(each.host.hello(), line_ms=5_000_000)
        command = each.host.receive(proof.payload).payload
        reply = each.tell(command, line_ms=5_000_000 + wait_ms)
        assert reply.elapsed_ms == wait_ms if each is pair else refused(reply, RefusalReason.STATE)


def test_a_command_longer_than_a_payload_can_be_is_refused_whoever_signed_it(make_pair):
    longest, longer = make_pair(AES), make_pair(AES)
    command = signed_by_host(longest, 0x40, bytes(2_562))
    assert len(command) == 2_600
    assert isinstance(longest.tell(command), Execute)
    assert refused(longer.tell(signed_by_host(longer, 0x40, bytes(2_563))), RefusalReason.LENGTH)


def test_a_new_hello_replaces_the_session(make_pair, used):
    pair = make_pair(used)
    command = pair.to_command()
    second = pair.new_host("second")
    assert not pair.tell(second.hello()).refusal
    assert refused(pair.tell(command), RefusalReason.SIGNATURE)


def test_a_new_hello_takes_the_stored_result_away(make_pair, used):
    pair = make_pair(used)
    command = pair.to_command()
    pair.tell(command)
    pair.terminal.result(pair.receipt().build())
    pair.tell(pair.new_host("second").hello())
    assert refused(pair.tell(command), RefusalReason.SIGNATURE)


def test_a_hello_heard_twice_is_a_new_session_with_a_new_r3(make_pair, used):
    pair = make_pair(used)
    hello = pair.host.hello()
    first, second = pair.tell(hello), pair.tell(hello)
    assert first.payload != second.payload


def test_a_power_cut_ends_the_session(make_pair, used):
    pair = make_pair(used)
    command = pair.to_command()
    pair.terminal = TerminalSession(replace(pair.terminal.identity, boot_counter=6))
    assert refused(pair.tell(command), RefusalReason.STATE)


def test_a_verified_command_ends_the_session_for_any_other(make_pair, used, clone):
    pair = make_pair(used)
    proof = pair.to_proof()
    twin = clone(pair.host)
    command = pair.host.receive(proof).payload
    other = replace(twin.command, sequence=Sequence(8))
    twin._command = other
    second = twin.receive(proof).payload
    assert isinstance(pair.tell(command), Execute)
    result = pair.terminal.result(pair.receipt().build())
    assert refused(pair.tell(second), RefusalReason.STATE)
    assert pair.tell(command) == Answer(result)


def test_three_commands_that_do_not_verify_end_the_session(make_pair, used):
    pair = make_pair(used)
    command = pair.to_command()
    false = command[:-1] + bytes((command[-1] ^ 1,))
    for _ in range(2):
        assert refused(pair.tell(false), RefusalReason.SIGNATURE)
        assert pair.terminal.state is TerminalState.PROVED
    assert refused(pair.tell(false), RefusalReason.SIGNATURE)
    assert refused(pair.tell(command), RefusalReason.STATE)


def test_the_right_command_still_works_after_two_false_ones_of_any_kind(make_pair, used):
    pair = make_pair(used)
    command = pair.to_command()
    assert refused(pair.tell(command[:9]), RefusalReason.LENGTH)
    assert refused(pair.tell(command[:-1] + bytes((command[-1] ^ 1,))), RefusalReason.SIGNATURE)
    assert isinstance(pair.tell(command), Execute)


def test_eight_hellos_are_answered_at_once_and_then_one_a_second(make_pair, used):
    pair = make_pair(used)
    hello = pair.host.hello()
    assert [pair.tell(hello).refusal for _ in range(9)] == [None] * 8 + [RefusalReason.BUSY]
    assert refused(pair.tell(hello, line_ms=999), RefusalReason.BUSY)
    assert pair.tell(hello, line_ms=1_000).refusal is None
    assert refused(pair.tell(hello, line_ms=1_999), RefusalReason.BUSY)
    assert [pair.tell(hello, line_ms=100_000).refusal for _ in range(9)] == [None] * 8 + [RefusalReason.BUSY]


def test_a_busy_terminal_keeps_the_session_it_has(make_pair, used):
    pair = make_pair(used)
    for seed in range(7):
        pair.tell(pair.new_host(seed + 100).hello())
    command = pair.to_command()
    assert refused(pair.tell(pair.new_host("flood").hello()), RefusalReason.BUSY)
    assert isinstance(pair.tell(command), Execute)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"suite": 3}, RefusalReason.SUITE),
        ({"key_set": 9}, RefusalReason.KEY_SET),
        ({"r2": b""}, RefusalReason.LENGTH),
        ({"r2": bytes(17)}, RefusalReason.LENGTH),
    ],
)
def test_a_hello_that_cannot_be_answered_is_refused_and_changes_nothing(make_pair, used, change, reason):
    pair = make_pair(used)
    pair.to_command()
    before = pair.terminal.memory
    other = make_pair(used, seed="other")
    assert refused(pair.tell(hello_of(other, **change)), reason)
    assert pair.terminal.memory == before


def test_a_terminal_refuses_the_suite_it_was_not_enrolled_with(make_pair, used):
    pair = make_pair(used)
    stranger = make_pair(TDES if used is AES else AES)
    before = pair.terminal.memory
    assert refused(pair.tell(stranger.host.hello()), RefusalReason.SUITE)
    assert pair.terminal.memory == replace(before, line_ms=0)


def test_an_r1_that_is_not_allowed_is_refused_in_tdes_1998(make_pair):
    half = b"\xff" * 7
    for r1 in (bytes(16), b"12345678" * 2, half + b"\x01" + bytes(8), b"12345678" + b"\xfe" * 7 + b"\x08"):
        pair = make_pair(TDES)
        before = pair.terminal.memory
        assert refused(pair.tell(hello_of(pair, r1=r1)), RefusalReason.R1)
        assert pair.terminal.memory == replace(before, line_ms=0)


def test_a_hello_to_another_meter_or_too_short_for_an_id_meets_silence(make_pair, used):
    pair = make_pair(used)
    for payload in (hello_of(pair, meter_id=MeterId(b"\0\0\1")), b"\x10", b"\x10\x03\x03\x00\xa1", b""):
        assert isinstance(pair.tell(payload), Silence)
    assert pair.terminal.memory.session is None


def test_the_id_is_looked_at_before_anything_else(make_pair, used):
    pair = make_pair(used)
    assert isinstance(pair.tell(hello_of(pair, meter_id=MeterId(b"\0\0\1"), suite=9)), Silence)


def test_r3_of_tdes_1998_never_looks_like_padding(make_pair, monkeypatch):
    drawn = []

    def padding_first(random, boot_counter, hellos):
        drawn.append(random)
        return b"abc\x80\0\0\0\0" + random[8:]

    monkeypatch.setattr("prewatt.protocol.terminal.mixed", padding_first)
    pair = make_pair(TDES)
    proof = pair.to_proof()
    assert drawn
    assert proof[-5:] != b"\x80\0\0\0\0"
    assert isinstance(pair.host.receive(proof), Send)


def test_the_host_refuses_an_r3_that_looks_like_padding(make_pair):
    pair = make_pair(TDES)
    proof = pair.to_proof()
    assert pair.host.receive(proof[:-5] + b"\x80\0\0\0\0") == Ended(EndReason.PROOF)


def test_the_host_draws_r1_again_where_it_is_not_allowed(make_pair, rand):
    for random in (bytes(32), b"12345678" * 4, b"\xff" * 7 + b"\x03" + bytes(24)):
        host = HostSession(MeterId(b"\0\0\1"), TDES, 0, rand("kt")[:16], Command(4, Sequence(0), b""), random)
        assert TDES.r1_allowed(Hello.parse(host.hello()).r1)


def test_r3_differs_for_every_boot_and_every_hello_even_from_the_same_random_bytes(make_pair, used):
    seen = set()
    for boot in (1, 2, 3):
        pair = make_pair(used)
        pair.terminal.identity = replace(pair.terminal.identity, boot_counter=boot)
        hello = pair.host.hello()
        seen |= {pair.tell(hello).payload[1 + used.tag_bytes :] for _ in range(3)}
    assert len(seen) == 9


def test_keys_can_change_between_a_command_and_its_result(make_pair, used):
    pair = make_pair(used)
    pair.tell(pair.to_command())
    pair.terminal.identity = replace(pair.terminal.identity, keys={4: pair.keys[4]})
    assert isinstance(pair.host.receive(pair.terminal.result(pair.receipt().build())), Done)
    assert refused(pair.tell(pair.new_host("later").hello()), RefusalReason.KEY_SET)


def signed_by_host(pair, code, plain):
    """A Command that verifies around plain bytes no honest host would send."""
    proof = pair.to_proof()
    hello = Hello.parse(pair.host._sealing.hello)
    sealing = session_sealing(pair.used, pair.keys[3], hello)
    return sealing.make_command(proof, Command(code, Sequence(7), b""), plain)


@pytest.mark.parametrize(
    ("code", "plain"),
    [
        (0x01, bytes(17)),
        (0x01, bytes(23)),
        (0x05, bytes(22)),
        (0x06, b""),
        (0x06, bytes(7)),
        (0x09, (2).to_bytes(2, "big") + b"hi" + bytes(251) + b"\x01"),
        (0x09, (255).to_bytes(2, "big") + bytes(254)),
    ],
)
def test_a_verified_command_with_a_body_that_does_not_decode_is_still_answered_tdes(make_pair, code, plain):
    pair = make_pair(TDES)
    executed = pair.tell(signed_by_host(pair, code, plain))
    assert isinstance(executed, Execute)
    assert executed.body is None
    assert executed.fault is not None
    assert pair.terminal.result(pair.receipt().build())


@pytest.mark.parametrize(("code", "plain"), [(0x01, bytes(15)), (0x02, b""), (0x03, bytes(20)), (0x04, b"x")])
def test_a_verified_command_with_a_body_that_does_not_decode_is_still_answered_aes(make_pair, code, plain):
    pair = make_pair(AES)
    executed = pair.tell(signed_by_host(pair, code, plain))
    assert isinstance(executed, Execute)
    assert executed.body is None
    assert executed.fault is not None
    assert pair.terminal.result(pair.receipt().build())


@pytest.mark.parametrize("code", [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x80])
def test_tdes_1998_looks_at_the_length_of_a_body_before_anything(make_pair, code):
    for change in (-8, -1, 1, 8):
        pair = make_pair(TDES)
        genuine = {1: 24, 2: 266, 3: 19, 4: 8, 5: 24, 6: 8}.get(code, 264)
        command = b"\x12" + bytes((code, 0, 0, 0, 7)) + bytes(genuine + change) + bytes(8)
        pair.to_proof()
        assert refused(pair.tell(command), RefusalReason.LENGTH)


def test_padding_of_tdes_1998_is_checked_to_the_bit(make_pair):
    pair = make_pair(TDES)
    proof = pair.to_proof()
    hello = Hello.parse(pair.host._sealing.hello)
    ks = TDES.session_key(pair.keys[3], hello.r1, hello.r2)
    raw = bytes(16) + b"\x80\0\0\0\0\0\0\1"
    body = TDES.encrypt(raw, ks)[:24]
    head = b"\x01\0\0\0\x07"
    executed = pair.tell(b"\x12" + head + body + TDES.sign(head + proof[-8:] + body, ks))
    assert executed.body is None
    assert executed.fault is not None


def test_the_third_check_ends_a_session_whose_meter_names_another_id(make_pair, used):
    pair = make_pair(used)
    pair.tell(pair.to_command())
    result = pair.terminal.result(pair.receipt(meter_id=MeterId(b"\0\0\1")).build())
    assert pair.host.receive(result) == Ended(EndReason.WRONG_ID)
    assert isinstance(pair.host.receive(result), Ignored)


def test_an_authentic_result_without_a_readable_receipt_ends_the_session(make_pair, used):
    pair = make_pair(used)
    pair.tell(pair.to_command())
    plain = bytearray(pair.receipt().build())
    plain[11] = 9
    assert pair.host.receive(pair.terminal.result(bytes(plain))) == Ended(EndReason.RECEIPT)


def test_a_refusal_ends_the_session_as_a_hint_and_nothing_else(make_pair, used):
    for reason in RefusalReason:
        calling, commanding = make_pair(used), make_pair(used)
        calling.host.hello()
        commanding.to_command()
        for host in (calling.host, commanding.host):
            assert host.receive(bytes((0x1F, reason))) == Ended(EndReason.REFUSED, reason)
            assert host.state is HostState.ENDED


@pytest.mark.parametrize("payload", [b"\x1f", b"\x1f\x00", b"\x1f\x08", b"\x1f\x01\x00"])
def test_a_refusal_that_is_none_is_ignored(make_pair, used, payload):
    pair = make_pair(used)
    pair.host.hello()
    assert isinstance(pair.host.receive(payload), Ignored)
    assert pair.host.state is HostState.CALLING


def test_a_terminal_says_nothing_to_a_refusal_or_to_what_a_terminal_sends(make_pair, used):
    pair = make_pair(used)
    pair.to_command()
    before = pair.terminal.memory
    for kind in (0x11, 0x13, 0x14, 0x15, 0x17, 0x1F, 0x00, 0xFF):
        assert isinstance(pair.tell(bytes((kind, 1))), Silence)
    assert pair.terminal.memory == before


def test_an_ended_or_finished_session_believes_nothing_more(make_pair, used):
    pair = make_pair(used)
    result = pair.to_result()
    assert isinstance(pair.host.receive(result), Done)
    for payload in (result, b"\x1f\x05", pair.terminal.memory.session.proof):
        assert isinstance(pair.host.receive(payload), Ignored)
    assert pair.host.state is HostState.DONE


def test_our_own_misuse_is_a_local_error(make_pair, used, rand):
    pair = make_pair(used)
    command = pair.to_command()
    with pytest.raises(LocalProtocolError):
        pair.host.hello()
    with pytest.raises(LocalProtocolError):
        pair.terminal.result(pair.receipt().build())
    pair.tell(command, line_ms=50)
    with pytest.raises(LocalProtocolError):
        pair.tell(command, line_ms=60)
    pair.terminal.result(pair.receipt().build())
    with pytest.raises(LocalProtocolError):
        pair.terminal.result(pair.receipt().build())
    with pytest.raises(LocalProtocolError):
        pair.tell(command, line_ms=49)
    with pytest.raises(ValueError, match="random"):
        pair.terminal.receive(command, line_ms=70, random=bytes(16))


def test_a_result_begins_with_a_receipt(make_pair, used):
    pair = make_pair(used)
    pair.tell(pair.to_command())
    with pytest.raises(ValueError, match="plain"):
        pair.terminal.result(bytes(35))


def test_what_cannot_be_ordered_is_refused_before_anything_is_sent(used, rand):
    key = rand("kt")[: used.terminal_key_bytes]
    meter_id = MeterId(b"\0\0\1")

    def make(command, random=bytes(range(32)), key=key):
        return HostSession(meter_id, used, 0, key, command, random)

    for code, body in ((0, b""), (1, bytes(15)), (2, bytes(265)), (4, b"x"), (6, b"")):
        with pytest.raises(ValueError, match=r"code|body"):
            make(Command(code, Sequence(1), body))
    good = Command(4, Sequence(0), b"")
    with pytest.raises(ValueError, match="random"):
        make(good, random=bytes(31))
    with pytest.raises(ValueError, match="terminal_key"):
        make(good, key=key[:-1])
    longest = 254 if used is TDES else 2_562
    assert make(Command(9, Sequence(1), bytes(longest)))
    with pytest.raises(ValueError, match=str(longest)):
        make(Command(9, Sequence(1), bytes(longest + 1)))
    for code, sequence in ((256, 1), (-1, 1), (4, -1), (4, 2**32)):
        with pytest.raises(ValueError, match=r"code|sequence"):
            make(Command(code, Sequence(sequence), b""))


def test_an_identity_that_cannot_be_is_refused(used):
    key = bytes(used.terminal_key_bytes)
    for change in ({"meter_id": b"\0\0"}, {"keys": {0: key[:-1]}}, {"life_ms": 0}):
        with pytest.raises(ValueError, match=next(iter(change))):
            TerminalIdentity(**{"meter_id": MeterId(b"\0\0\1"), "suite": used, "keys": {0: key}} | change)
