"""What the host answers about staff: users, tokens, lines of the log, approvals. None holds a secret but `TokenMade`,
`Enrolled`, which are answered once."""

from dataclasses import dataclass
from typing import Any

from prewatt.host.answers import Answer

__all__ = ["ApprovalAnswer", "LogAnswer", "LogLineAnswer", "SelfAnswer", "TokenAnswer", "UserAnswer"]


@dataclass(frozen=True, slots=True)
class TokenAnswer(Answer):
    """A token; what opens with it is shown once, in `token`, by the call that makes it."""

    id: str
    user: str
    label: str
    scopes: tuple[str, ...]
    """All where empty."""
    made_s: int
    expires_s: int | None
    revoked_s: int | None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class UserAnswer(Answer):
    """A user."""

    name: str
    roles: tuple[str, ...]
    has_password: bool
    has_totp: bool
    disabled: bool
    made_s: int
    totp_uri: str | None = None
    """For the authenticator app; shown once, by the call that makes it."""


@dataclass(frozen=True, slots=True)
class SelfAnswer(Answer):
    """Who asks, as the host sees it."""

    name: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    via: str
    origin: str


@dataclass(frozen=True, slots=True)
class LogLineAnswer(Answer):
    """A line of the audit log."""

    number: int
    at_s: int
    actor: str
    origin: str
    action: str
    subject: str
    detail: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    hash: str


@dataclass(frozen=True, slots=True)
class LogAnswer(Answer):
    """A page of the audit log, newest first; `next` is the number to give as `below` for the page after it."""

    lines: tuple[LogLineAnswer, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class ApprovalAnswer(Answer):
    """What somebody asked that needs a second person: state is open, expired, done or withdrawn."""

    id: str
    call: str
    arguments: dict[str, Any]
    digest: str
    """Of call and arguments, in hex: whoever approves says with it what was read."""
    asked_by: str
    asked_from: str
    asked_s: int
    expires_s: int
    state: str
    decided_by: str | None
    decided_s: int | None
