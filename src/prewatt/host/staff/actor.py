"""Who asks: a name, what it may do, and how it came in. Every service of the host is used in the name of one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["CLI", "HOST_ITSELF", "OWNER_NAME", "RESERVED_NAMES", "Actor", "Role", "Scope", "owner_of_folder"]


class Role(StrEnum):
    """What a person, or a program, is there for; docs/operating/staff.md says what each may do."""

    OWNER = "owner"
    FINANCE = "finance"
    CLERK = "clerk"
    AGENT = "agent"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"
    API = "api"


class Scope(StrEnum):
    """A part of what can be done; a token may be held to some of them."""

    READ = "read"
    SELL = "sell"
    MONEY = "money"
    FIELD = "field"
    REGISTRY = "registry"
    PRICES = "prices"
    AUDIT = "audit"
    STAFF = "staff"
    SELF = "self"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody whose word was checked."""

    name: str
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    """What the token allows; all of them where it was not held to some."""
    via: str
    """`cli`, `token <id>` or `host`."""


CLI: Final = "cli"
OWNER_NAME: Final = "owner"
ALL_SCOPES: Final = frozenset(Scope)
HOST_ITSELF: Final = Actor("host", frozenset({Role.OWNER}), ALL_SCOPES, "host")
# Names that the log uses for who is no user.
RESERVED_NAMES: Final = frozenset({OWNER_NAME, HOST_ITSELF.name})


def owner_of_folder() -> Actor:
    """Whoever may read the data folder: the owner."""
    return Actor(OWNER_NAME, frozenset({Role.OWNER}), ALL_SCOPES, CLI)
