"""The two ways a protocol goes wrong: our own code misuses a machine, or the peer sends what is illegal.

They are never confused: the first is a bug and travels up; the second is daily life on an open line, is caught inside
the machine and becomes a Refusal, a silence or nothing at all.
"""

from prewatt.codec.messages import RefusalReason

__all__ = ["LocalProtocolError", "ProtocolError", "RemoteProtocolError"]


class ProtocolError(Exception):
    """What both have in common; catch one of the two instead."""


class LocalProtocolError(ProtocolError):
    """Our own code asked a machine for what its state does not allow."""


class RemoteProtocolError(ProtocolError):
    """Received bytes that are illegal here. ``refusal`` is what a terminal may hint; None where it stays silent."""

    def __init__(self, why: str, refusal: RefusalReason | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.refusal = refusal
