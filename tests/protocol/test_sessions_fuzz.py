"""Arbitrary payloads in arbitrary order, forged and real: only documented replies, only documented errors."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.codec.receipt import Receipt
from prewatt.crypto import suite
from prewatt.protocol.host import Done, Ended, Ignored, Send
from prewatt.protocol.tables import HostState, TerminalState
from prewatt.protocol.terminal import Answer, Execute, Silence

SUITES = [suite("tdes-1998"), suite("aes-2026")]
CODES = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x09]

first_bytes = st.sampled_from([0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x1F, 0x00, 0xFF]).map(
    lambda kind: bytes((kind,))
)
noise = st.builds(bytes.__add__, first_bytes, st.binary(max_size=80)) | st.binary(max_size=80)
addressed = st.builds(
    lambda suite_byte, n, rest: bytes((0x10, suite_byte, n)) + bytes.fromhex("00A1B2") + rest,
    st.integers(0, 3),
    st.integers(2, 5),
    st.sampled_from([24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
)
# A stored message of the run (by number), maybe with one byte changed.
stored = st.tuples(st.integers(0, 20), st.none() | st.tuples(st.integers(0, 300), st.integers(1, 255)))
step = st.tuples(
    st.sampled_from(["host", "terminal"]), noise | addressed | stored, st.sampled_from([0, 1, 900, 40_000])
)


class Run:
    """One terminal and the host halves that speak with it, with everything ever said."""

    def __init__(self, pair, facts):
        self.pair, self.facts = pair, facts
        self.said = [pair.host.hello()]
        self.commands, self.results = set(), set()
        self.line_ms = 0

    def payload(self, what):
        if isinstance(what, bytes):
            return what
        number, change = what
        payload = self.said[number % len(self.said)]
        if change is None or not payload:
            return payload
        at = change[0] % len(payload)
        return payload[:at] + bytes((payload[at] ^ change[1],)) + payload[at + 1 :]

    def to_host(self, payload):
        before = self.facts(copy.copy(self.pair.host))
        reply = self.pair.host.receive(payload)
        if isinstance(reply, Send):
            self.said.append(reply.payload)
            self.commands.add(reply.payload)
        elif isinstance(reply, Done):
            assert payload in self.results
            assert reply.outcome.receipt == self.pair.receipt()
        elif isinstance(reply, Ignored):
            assert self.facts(self.pair.host) == before
        else:
            assert isinstance(reply, Ended)
        if self.pair.host.state in (HostState.DONE, HostState.ENDED):
            self.pair.host = self.pair.new_host(len(self.said))
            self.said.append(self.pair.host.hello())

    def to_terminal(self, payload):
        reply = self.pair.tell(payload, line_ms=self.line_ms)
        if isinstance(reply, Execute):
            assert payload in self.commands
            self.commands.discard(payload)
            result = self.pair.terminal.result(self.pair.receipt().build())
            self.results.add(result)
            self.said.append(result)
        elif isinstance(reply, Answer):
            self.said.append(reply.payload)
        else:
            assert isinstance(reply, Silence)
        assert self.pair.terminal.state is not TerminalState.EXECUTING


@settings(max_examples=250, deadline=None)
@given(which=st.sampled_from(SUITES), code=st.sampled_from(CODES), steps=st.lists(step, max_size=40))
def test_any_sequence_of_payloads_gives_documented_replies_only(make_pair, facts, which, code, steps):
    run = Run(make_pair(which, code), facts)
    for to, what, passed_ms in steps:
        run.line_ms += passed_ms
        payload = run.payload(what)
        run.to_host(payload) if to == "host" else run.to_terminal(payload)


@settings(max_examples=100, deadline=None)
@given(which=st.sampled_from(SUITES), order=st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=60))
def test_real_messages_in_any_order_execute_each_command_at_most_once(make_pair, facts, which, order):
    run = Run(make_pair(which), facts)
    for to_host, number in order:
        payload = run.payload((len(run.said) - 1 - number % 4, None))
        run.to_host(payload) if to_host else run.to_terminal(payload)


@settings(max_examples=200, deadline=None)
@given(which=st.sampled_from(SUITES), tail=st.binary(max_size=60))
def test_a_terminal_that_lies_in_its_plain_bytes_breaks_nothing(make_pair, which, tail):
    pair = make_pair(which)
    pair.tell(pair.to_command())
    reply = pair.host.receive(pair.terminal.result(bytes(36) + tail))
    assert isinstance(reply, Ended)
    honest = make_pair(which)
    honest.tell(honest.to_command())
    plain = honest.receipt().build() + tail
    done = honest.host.receive(honest.terminal.result(plain))
    assert done.outcome.receipt == Receipt.parse(plain[:36])
    assert done.outcome.rest == tail
