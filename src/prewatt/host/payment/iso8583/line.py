"""One connection to an acquirer, kept alive: dialled with growing pauses, signed on, asked for an echo when it is
quiet.

A line is open from the answer to the sign-on (or at once, where the acquirer wants none) until it is lost. An end
that has said nothing for a while is asked for an echo; one that does not answer is hung up on, since a pulled plug
says no farewell.
"""

from enum import StrEnum

from prewatt.host.payment.iso8583.fields import De
from prewatt.host.payment.iso8583.messages import Message
from prewatt.host.payment.iso8583.profile import AcquirerProfile, Moment
from prewatt.host.payment.iso8583.reasons import APPROVED
from prewatt.host.payment.iso8583.requests import ECHO, SIGN_ON, network_request
from prewatt.host.payment.iso8583.steps import Dial, Effect, HangUp, Note, Send

__all__ = ["Line"]


class LineState(StrEnum):
    """What a line waits for."""

    DOWN = "down"
    DIALLING = "dialling"
    SIGNING = "signing on"
    OPEN = "open"
    LEAVING = "leaving"


class Line:
    """The state of one connection. Nothing of it has to survive."""

    def __init__(self, profile: AcquirerProfile) -> None:
        self._profile = profile
        self._state = LineState.DOWN
        self._due_ms: int | None = None
        self._pause_ms = profile.dial_first_ms
        self._asked = ""
        self._number = 0

    @property
    def is_open(self) -> bool:
        """Whether payments may be asked for."""
        return self._state is LineState.OPEN

    @property
    def wake_ms(self) -> int | None:
        """When `tick` is due."""
        return self._due_ms

    def start(self, now: Moment) -> tuple[Effect, ...]:
        """Dials for the first time."""
        return self._dial() if self._state is LineState.DOWN else ()

    def up(self, now: Moment) -> tuple[Effect, ...]:
        """A connection is there."""
        if self._profile.signs_on:
            self._state = LineState.SIGNING
            return self._request(SIGN_ON, now)
        self._open(now)
        return ()

    def lost(self, now: Moment) -> tuple[Effect, ...]:
        """It is gone: dialled again after a pause, which doubles as long as it does not open."""
        self._state, self._asked = LineState.DOWN, ""
        self._due_ms = now.ms + self._pause_ms
        self._pause_ms = min(2 * self._pause_ms, self._profile.dial_longest_ms)
        return ()

    def heard(self, now: Moment) -> None:
        """A message came: they are alive."""
        if self._state is LineState.OPEN:
            self._asked = ""
            self._due_ms = now.ms + self._profile.echo_after_ms

    def answered(self, message: Message, now: Moment) -> tuple[Effect, ...]:
        """0810: what they say to a sign-on or an echo."""
        if self._state is not LineState.SIGNING:
            return ()
        if message.get(De.STAN) != self._asked:
            return (Note("an answer to another sign-on"),)
        code = message.get(De.RESPONSE)
        if code != APPROVED:
            return (Note("sign-on refused", code=code), *self._hang_up("the sign-on was refused"))
        self._open(now)
        return ()

    def tick(self, now: Moment) -> tuple[Effect, ...]:
        """Time has passed."""
        if self._due_ms is None or now.ms < self._due_ms:
            return ()
        if self._state is LineState.DOWN:
            return self._dial()
        if self._state is LineState.OPEN and not self._asked:
            return self._request(ECHO, now)
        return self._hang_up("no answer to a sign-on or an echo")

    def _open(self, now: Moment) -> None:
        self._state, self._asked = LineState.OPEN, ""
        self._pause_ms = self._profile.dial_first_ms
        self._due_ms = now.ms + self._profile.echo_after_ms

    def _dial(self) -> tuple[Effect, ...]:
        self._state, self._due_ms = LineState.DIALLING, None
        return (Dial(),)

    def _request(self, code: str, now: Moment) -> tuple[Effect, ...]:
        """Its numbers are the line's own: they name no payment, and need not be durable."""
        self._number = self._number % 999_999 + 1
        self._asked = f"{self._number:06d}"
        self._due_ms = now.ms + self._profile.echo_wait_ms
        return (Send(network_request(self._asked, now.utc_s, code).build(self._profile.dialect)),)

    def _hang_up(self, why: str) -> tuple[Effect, ...]:
        self._state, self._due_ms = LineState.LEAVING, None
        return (HangUp(why),)
