"""Staff: users, their tokens, who was locked out, and what two persons decide.

Passwords and tokens stand here as hashes alone. What was asked of a second person, and what became of it, are facts:
neither row is ever changed, and the second can be there only once.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from prewatt.host.store.schema.columns import ID, metadata

__all__ = ["approval_ends", "approvals", "lockouts", "staff_limits", "tokens", "users"]

users = Table(
    "users",
    metadata,
    Column("name", ID, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("password", Text),
    Column("totp", LargeBinary),
    # The newest step whose code was used: no code opens twice.
    Column("totp_step", BigInteger, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("made_s", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("holder", ID, ForeignKey("users.name"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("made_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger),
    Column("revoked_s", BigInteger),
)
Index("tokens_by_holder", tokens.c.holder)

lockouts = Table(
    "lockouts",
    metadata,
    Column("kind", String(6), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("wrong", Integer, nullable=False),
    Column("until_s", BigInteger, nullable=False),
    Column("last_s", BigInteger, nullable=False),
    CheckConstraint("kind IN ('user', 'origin')", name="lockouts_kind"),
)
Index("lockouts_by_time", lockouts.c.last_s)

staff_limits = Table(
    "staff_limits",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("call", String(64), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("asked_by", ID, nullable=False),
    Column("asked_from", Text, nullable=False),
    Column("asked_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False),
)
Index("approvals_by_time", approvals.c.asked_s)

approval_ends = Table(
    "approval_ends",
    metadata,
    Column("id", String(16), ForeignKey("approvals.id"), primary_key=True),
    Column("state", String(9), nullable=False),
    Column("decided_by", ID, nullable=False),
    Column("decided_s", BigInteger, nullable=False),
    CheckConstraint("state IN ('done', 'withdrawn')", name="approval_ends_state"),
)
