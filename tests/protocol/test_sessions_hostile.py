"""Every message truncated, extended, flipped, replayed, reflected or taken from elsewhere: nothing comes of it."""

from dataclasses import replace

import pytest

from prewatt.codec.messages import RefusalReason
from prewatt.crypto import suite
from prewatt.protocol.host import Done, Ended, Ignored, Send
from prewatt.protocol.tables import TerminalState
from prewatt.protocol.terminal import Answer, Execute, Silence
from prewatt.units import MeterId

CODES = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x09]
TDES, AES = suite("tdes-1998"), suite("aes-2026")


def flips(payload, step=1):
    for bit in range(0, 8 * len(payload), step):
        byte, inside = divmod(bit, 8)
        yield payload[:byte] + bytes((payload[byte] ^ (1 << inside),)) + payload[byte + 1 :]


def cuts(payload):
    yield from (payload[:length] for length in range(len(payload)))


def extensions(payload):
    yield from (payload + b"\0", payload + b"\x80", payload + payload[-1:], payload + bytes(8), payload + payload)
    yield payload + bytes(2600)


def mutations(payload):
    yield from flips(payload, 1 if len(payload) < 400 else 5)
    yield from cuts(payload)
    yield from extensions(payload)


def is_refusal_or_silence(reply):
    return isinstance(reply, Silence) or (isinstance(reply, Answer) and reply.refusal is not None)


def check_altered_hello(pair, clone, altered):
    """Either nothing, or a Proof by which the host sees that it is not speaking with its meter."""
    before = pair.terminal.memory
    reply = pair.tell(altered)
    assert not isinstance(reply, Execute)
    if is_refusal_or_silence(reply):
        assert pair.terminal.memory == replace(before, line_ms=0)
        return
    assert pair.terminal.memory.state is TerminalState.PROVED
    pair.terminal.memory = before
    assert isinstance(clone(pair.host).receive(reply.payload), Ended)


@pytest.mark.parametrize("code", CODES)
def test_an_altered_hello_opens_nothing(make_pair, used, clone, code):
    pair = make_pair(used, code)
    for altered in mutations(pair.host.hello()):
        check_altered_hello(pair, clone, altered)


@pytest.mark.parametrize("code", CODES)
def test_an_altered_proof_moves_no_command_that_the_terminal_would_take(make_pair, used, clone, facts, code):
    pair = make_pair(used, code)
    proof = pair.to_proof()
    for altered in mutations(proof):
        host = clone(pair.host)
        reply = host.receive(altered)
        if isinstance(reply, Send):
            # tdes-1998 proves R2 alone: a changed R3 is only found out by the terminal.
            assert used is TDES
            assert altered[:9] == proof[:9]
            assert is_refusal_or_silence(pair.tell(reply.payload))
            pair.terminal.memory = replace(
                pair.terminal.memory, session=replace(pair.terminal.memory.session, false_commands=0)
            )
        elif isinstance(reply, Ignored):
            assert facts(host) == facts(pair.host)
        else:
            assert isinstance(reply, Ended)


@pytest.mark.parametrize("code", CODES)
def test_an_altered_command_is_never_executed_and_changes_nothing_but_the_count(make_pair, used, code):
    pair = make_pair(used, code)
    command = pair.to_command()
    before = pair.terminal.memory
    counted = replace(before, session=replace(before.session, false_commands=1))
    for altered in mutations(command):
        assert is_refusal_or_silence(pair.tell(altered))
        assert pair.terminal.memory in (before, counted)
        pair.terminal.memory = before
    assert isinstance(pair.tell(command), Execute)


@pytest.mark.parametrize("code", CODES)
def test_an_altered_result_is_ignored_and_the_real_one_still_counts(make_pair, used, facts, code):
    pair = make_pair(used, code)
    result = pair.to_result()
    before = facts(pair.host)
    for altered in mutations(result):
        assert isinstance(pair.host.receive(altered), Ignored)
        assert facts(pair.host) == before
    assert isinstance(pair.host.receive(result), Done)


def all_four(pair):
    hello = pair.host.hello()
    proof = pair.tell(hello).payload
    command = pair.host.receive(proof).payload
    pair.tell(command)
    return hello, proof, command, pair.terminal.result(pair.receipt().build())


def strangers(make_pair, used):
    """Whole sessions that are not the one under test, though as near to it as can be."""
    other = AES if used is TDES else TDES
    yield make_pair(used, seed="another session")
    yield make_pair(used, seed="another key set", key_set=4)
    yield make_pair(used, meter_id=MeterId(b"\0\0\1"))
    yield make_pair(other)


def test_messages_of_other_sessions_meters_key_sets_and_suites_are_not_believed(make_pair, used, facts):
    for stranger in strangers(make_pair, used):
        _, proof, command, result = all_four(stranger)
        calling, commanding = make_pair(used), make_pair(used)
        calling.to_proof()
        assert isinstance(calling.host.receive(proof), Ended)
        commanding.to_command()
        before, memory = facts(commanding.host), commanding.terminal.memory
        assert isinstance(commanding.host.receive(proof), Ignored)
        assert isinstance(commanding.host.receive(result), Ignored)
        assert facts(commanding.host) == before
        assert is_refusal_or_silence(commanding.tell(command))
        assert commanding.terminal.memory.session == replace(memory.session, false_commands=1)


def test_messages_of_an_old_session_with_the_same_meter_are_refused_in_a_new_one(make_pair, used, facts):
    pair = make_pair(used)
    hello, proof, command, result = all_four(pair)
    fresh = pair.new_host("fresh")
    new_hello = fresh.hello()
    replayed = pair.tell(hello)
    assert replayed.payload != proof
    assert is_refusal_or_silence(pair.tell(command))
    new_proof = pair.tell(new_hello)
    new_command = fresh.receive(new_proof.payload).payload
    before = facts(fresh)
    for old in (hello, proof, command, result, replayed.payload):
        assert isinstance(fresh.receive(old), Ignored)
    assert facts(fresh) == before
    assert is_refusal_or_silence(pair.tell(command))
    assert isinstance(pair.tell(new_command), Execute)


def test_an_old_proof_ends_a_new_session_without_a_command(make_pair, used):
    pair = make_pair(used)
    _, proof, _, _ = all_four(pair)
    fresh = pair.new_host("fresh")
    fresh.hello()
    assert isinstance(fresh.receive(proof), Ended)


def test_every_message_reflected_to_its_sender_is_ignored(make_pair, used, facts):
    pair = make_pair(used)
    hello = pair.host.hello()
    assert isinstance(pair.host.receive(hello), Ignored)
    proof = pair.tell(hello).payload
    memory = pair.terminal.memory
    assert isinstance(pair.tell(proof), Silence)
    assert pair.terminal.memory == memory
    command = pair.host.receive(proof).payload
    before = facts(pair.host)
    assert isinstance(pair.host.receive(command), Ignored)
    assert isinstance(pair.host.receive(hello), Ignored)
    assert facts(pair.host) == before
    pair.tell(command)
    result = pair.terminal.result(pair.receipt().build())
    memory = pair.terminal.memory
    assert isinstance(pair.tell(result), Silence)
    assert pair.terminal.memory == memory
    assert isinstance(pair.host.receive(result), Done)


@pytest.mark.parametrize("message", [0, 1, 2, 3])
def test_whole_messages_in_the_wrong_state_change_nothing(make_pair, used, facts, message):
    donor = make_pair(used)
    payload = all_four(donor)[message]
    idle = make_pair(used)
    reply = idle.tell(payload)
    if message == 0:
        assert reply.refusal is None
    elif message == 2:
        assert reply.refusal is RefusalReason.STATE
    else:
        assert isinstance(reply, Silence)
    before = facts(idle.host)
    assert isinstance(idle.host.receive(payload), Ignored)
    assert facts(idle.host) == before


def test_a_result_cannot_be_moved_to_another_sequence_or_another_r3(make_pair, used):
    first, second = make_pair(used, sequence=7), make_pair(used, sequence=8)
    first.to_command()
    second_result = second.to_result()
    assert isinstance(first.host.receive(second_result), Ignored)


def test_a_bare_m_never_confirms_money_in_tdes_1998(make_pair):
    pair = make_pair(TDES)
    result = pair.to_result()
    assert isinstance(pair.host.receive(result[:-8]), Ignored)
    assert isinstance(pair.host.receive(result[:-8] + bytes(8)), Ignored)


def test_blocks_of_a_tdes_1998_body_cannot_pass_for_a_balance(make_pair):
    pair = make_pair(TDES)
    command = pair.to_command()
    pair.tell(command)
    result = pair.terminal.result(pair.receipt().build())
    spliced = result[:1] + command[6:14] + result[9:]
    assert isinstance(pair.host.receive(spliced), Ignored)
