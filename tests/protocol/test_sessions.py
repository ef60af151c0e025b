"""Both halves back to back: what goes well, and the exact bytes it goes with."""

import pytest

from prewatt.codec.messages import LAYOUTS
from prewatt.protocol.host import Done, Send
from prewatt.protocol.tables import HostState, TerminalState
from prewatt.protocol.terminal import Answer, Execute

CODES = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0xFE]


@pytest.mark.parametrize("code", CODES)
def test_a_session_carries_a_command_and_its_result(make_pair, used, code):
    pair = make_pair(used, code)
    executed = pair.tell(pair.to_command(), line_ms=1234)
    assert isinstance(executed, Execute)
    assert (executed.code, executed.sequence, executed.body) == (code, 7, pair.body)
    assert (executed.elapsed_ms, executed.key_set, executed.fault) == (1234, 3, None)
    result = pair.terminal.result(pair.receipt().build() + b"more")
    done = pair.host.receive(result)
    assert isinstance(done, Done)
    assert done.outcome.receipt == pair.receipt()
    assert done.outcome.rest == b"more"
    assert pair.host.state is HostState.DONE
    assert pair.terminal.state is TerminalState.ANSWERED


def test_the_lengths_of_the_codec_are_those_of_the_suites(used):
    layout = LAYOUTS[used.id]
    assert layout == (used.r1_bytes, used.r2_bytes, used.r3_bytes, used.tag_bytes, used.terminal_key_bytes)


def _parts(pair):
    hello = pair.host.hello()
    proof = pair.tell(hello).payload
    command = pair.host.receive(proof).payload
    pair.tell(command)
    plain = pair.receipt().build() + pair.rest
    return hello, proof, command, pair.terminal.result(plain), plain


@pytest.mark.parametrize("code", [0x01, 0x02, 0x04])
def test_aes_2026_binds_every_message_to_all_before_it(make_pair, code):
    pair = make_pair(_suite("aes-2026"), code)
    used = pair.used
    hello, proof, command, result, plain = _parts(pair)
    r1, r2, r3 = hello[6:22], hello[22:38], proof[17:]
    ks = used.session_key(pair.keys[3], r1, r2)
    head = bytes((code, 0, 0, 0, 7))
    assert hello[:6] == b"\x10\x02\x03" + pair.meter_id
    assert proof == b"\x11" + used.sign(b"t" + hello + r3, ks) + r3
    sealed = used.encrypt(pair.body, ks, hello + proof + head)
    assert command == b"\x12" + head + sealed + used.sign(b"h" + hello + proof + head + sealed, ks)
    assert result == b"\x13" + used.encrypt(plain, ks, hello + proof + command)


@pytest.mark.parametrize("code", [0x01, 0x02, 0x03, 0x04, 0x09])
def test_tdes_1998_signs_as_the_source_does_and_tags_its_result(make_pair, code):
    pair = make_pair(_suite("tdes-1998"), code)
    used = pair.used
    hello, proof, command, result, plain = _parts(pair)
    r1, r2, r3 = hello[6:22], hello[22:30], proof[9:]
    ks = used.session_key(pair.keys[3], r1, r2)
    head = bytes((code, 0, 0, 0, 7))
    assert hello[:6] == b"\x10\x01\x03" + pair.meter_id
    assert proof == b"\x11" + used.sign(r2, ks) + r3
    body = pair.body
    if code == 0x09:
        body = (len(body).to_bytes(2, "big") + body).ljust(256, b"\0")
    if code not in (0x02, 0x03):
        body = used.encrypt(body, ks)
    assert command == b"\x12" + head + body + used.sign(head + r3 + body, ks)
    sealed = used.encrypt(plain, ks)
    assert result == b"\x13" + sealed + used.sign(b"\x13" + head[1:] + r3 + sealed, ks)


@pytest.mark.parametrize(("rest_bytes", "size"), [(0, 1000), (945, 1000), (946, 1500), (1946, 2500), (2445, 2500)])
def test_a_usage_result_of_aes_2026_has_one_of_four_sizes(make_pair, rest_bytes, size):
    pair = make_pair(_suite("aes-2026"), 0x03, rest=bytes(rest_bytes))
    result = pair.to_result()
    assert len(result) == size
    done = pair.host.receive(result)
    assert done.outcome.rest == bytes(rest_bytes)


def test_a_usage_result_with_no_room_is_refused_before_it_is_sent(make_pair, used):
    pair = make_pair(used, 0x03, rest=bytes(2446 if used.id == 2 else 2452))
    with pytest.raises(ValueError, match="plain"):
        pair.to_result()
    assert pair.terminal.state is TerminalState.EXECUTING
    assert pair.terminal.result(pair.receipt().build())


def test_the_largest_info_fits_the_budget_in_both_suites(make_pair, used):
    pair = make_pair(used, 0x03, rest=bytes(2_472 - 36))
    assert len(pair.to_result()) <= 2_500


def test_the_same_command_bytes_get_the_stored_result_without_being_executed_again(make_pair, used):
    pair = make_pair(used)
    command = pair.to_command()
    assert isinstance(pair.tell(command), Execute)
    result = pair.terminal.result(pair.receipt().build())
    for line_ms in (1, 1_199_999):
        again = pair.tell(command, line_ms=line_ms)
        assert again == Answer(result)
    assert isinstance(pair.host.receive(result), Done)


def test_the_same_random_bytes_lead_to_the_same_session(make_pair, used):
    first, second = make_pair(used, seed=9), make_pair(used, seed=9)
    assert first.to_result() == second.to_result()


def test_nothing_secret_stands_in_a_repr(make_pair, used):
    pair = make_pair(used, 0x05)
    execute = pair.tell(pair.to_command())
    shown = repr((execute, pair.terminal.memory, pair.terminal.identity, pair.host.command, pair.host))
    for secret in (pair.body, pair.keys[3], pair.body[1:17]):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_a_proof_arrives_once_and_a_second_one_is_ignored(make_pair, used):
    pair = make_pair(used)
    proof = pair.to_proof()
    assert isinstance(pair.host.receive(proof), Send)
    assert not isinstance(pair.host.receive(proof), Send)


def _suite(name):
    from prewatt.crypto import suite

    return suite(name)
