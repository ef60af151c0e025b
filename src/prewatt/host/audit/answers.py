"""What the audit answers: the sums that it counted, and each entity that breaks the law."""

from dataclasses import dataclass

from prewatt.host.answers import Answer

__all__ = ["AuditAnswer", "Violation"]


@dataclass(frozen=True, slots=True)
class Violation(Answer):
    """One entity that breaks the law of conservation: what stands there and what should."""

    entity: str
    """meter, card or order, in this order of search; then book (the ledger as a whole), then log (a line of it)."""
    id: str
    law: str
    expected: int | str
    found: int | str
    text: str


@dataclass(frozen=True, slots=True)
class AuditAnswer(Answer):
    """The books and the meters' words, recomputed. `violations` begins with the first entity that breaks the law."""

    ok: bool
    checked: int
    violations: tuple[Violation, ...]
    meters: int
    orders: int
    entries: int
    cash_micro: int
    in_wallets_micro: int
    in_transit_micro: int
    delivered_micro: int
    refunded_micro: int
    charges_micro: int
    """Taxes, levies, fees, standing charges and debt that came with sales, less what subsidies gave."""
    suspense_micro: int
    lost_bodies_micro: int
    """Value of bodies that nobody can read; it waits for a person to sign it over."""
    written_off_micro: int
    chain_links: int
    chain_head: str
    """Hash of the last link, in hex: noted outside, it proves later that nothing before it was changed."""
    log_lines: int
    """Number of the newest line of the audit log."""
    log_hash: str
    """Its hash, in hex: who notes it elsewhere can tell later whether all of the log was written anew."""
