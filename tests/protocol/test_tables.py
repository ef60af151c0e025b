"""The tables themselves: every state is there, can be reached, and what is absent is one error of the right kind."""

import pytest

from prewatt.codec.messages import RefusalReason
from prewatt.protocol.errors import LocalProtocolError, RemoteProtocolError
from prewatt.protocol.tables import (
    HOST_TABLE,
    TERMINAL_TABLE,
    HostEvent,
    HostState,
    TerminalEvent,
    TerminalState,
    advance,
)

MACHINES = [
    (HOST_TABLE, HostState, HostEvent, HostState.FRESH),
    (TERMINAL_TABLE, TerminalState, TerminalEvent, TerminalState.IDLE),
]
OURS = {HostEvent.HELLO_SENT, TerminalEvent.RESULT_SENT, TerminalEvent.LIFE_OVER}


@pytest.mark.parametrize(("table", "states", "events", "start"), MACHINES)
def test_every_state_is_in_its_table_and_can_be_reached_and_every_event_is_used(table, states, events, start):
    assert set(table) == set(states)
    reached, ahead = set(), {start}
    while ahead:
        state = ahead.pop()
        reached.add(state)
        ahead |= set(table[state].values()) - reached
    assert reached == set(states)
    assert {event for row in table.values() for event in row} == set(events)


@pytest.mark.parametrize(("table", "states", "events", "start"), MACHINES)
def test_what_is_absent_is_an_error_of_whoever_caused_it(table, states, events, start):
    for state in states:
        for event in events:
            if event in table[state]:
                assert advance(table, state, event) is table[state][event]
                continue
            with pytest.raises(LocalProtocolError if event in OURS else RemoteProtocolError) as caught:
                advance(table, state, event)
            if event not in OURS:
                assert caught.value.refusal is RefusalReason.STATE


def test_the_two_errors_are_different_things():
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
    assert not issubclass(RemoteProtocolError, LocalProtocolError)
