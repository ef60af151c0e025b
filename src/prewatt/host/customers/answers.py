"""What the registry answers: JSON of command line and HTTP API alike; see `prewatt.host.answers`."""

from dataclasses import dataclass

from prewatt.host.answers import Answer

__all__ = [
    "BadRow",
    "ContactAnswer",
    "CustomerAnswer",
    "FoundAnswer",
    "ImportAnswer",
    "ImportProgress",
    "PremisesAnswer",
    "SheetAnswer",
    "TenancyAnswer",
]


@dataclass(frozen=True, slots=True)
class TenancyAnswer(Answer):
    """Who had which meter where, and since when."""

    meter: str
    customer: str
    premises: str | None
    from_s: int
    until_s: int | None
    """Null: it goes on."""


@dataclass(frozen=True, slots=True)
class CustomerAnswer(Answer):
    """One customer."""

    id: str
    name: str
    locale: str
    """The language of texts for this customer: en, fr, ko or sw."""
    phone: str
    """As E.164 has it, `+33612345678`; empty where none is known."""
    email: str
    notices: str
    """The ways on which notices are wanted (email, sms), with a space between two."""
    meters: tuple[str, ...]
    """Ids of the meters that the customer has now."""


@dataclass(frozen=True, slots=True)
class PremisesAnswer(Answer):
    """One place where meters hang."""

    id: str
    address: str
    meters: tuple[str, ...]
    """Ids of the meters that hang there now."""


@dataclass(frozen=True, slots=True)
class ContactAnswer(Answer):
    """A supplier, who sells energy to the seller, or an agent, who sells for the seller."""

    id: str
    name: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class FoundAnswer(Answer):
    """Something that a text was found in."""

    kind: str
    """`customers`, `premises`, `suppliers`, `agents`, `stations` or `meters`."""
    id: str
    field: str
    """Where it was found: `id`, `name`, `phone` or `address`."""
    text: str
    """Name or address; for a meter its premises and customer."""


@dataclass(frozen=True, slots=True)
class BadRow(Answer):
    """What is wrong in one field of one row of a file."""

    line: int
    """The first line of the file is 1; that is the header."""
    field: str
    value: str
    """At most 80 characters of it."""
    allowed: str


@dataclass(frozen=True, slots=True)
class ImportAnswer(Answer):
    """What a file does to the registry, or, as a dry run, would do."""

    kind: str
    dry_run: bool
    rows: int
    added: int
    changed: int
    unchanged: int
    bad: tuple[BadRow, ...]
    """Every bad row, by line; where there is one, nothing was or would be changed."""


@dataclass(frozen=True, slots=True)
class ImportProgress(Answer):
    """How far the import that runs now has come; all empty where none does."""

    kind: str
    step: str
    """`reading`, `checking` or `writing`."""
    done: int
    rows: int


@dataclass(frozen=True, slots=True)
class SheetAnswer(Answer):
    """All rows of a kind as a CSV file."""

    kind: str
    rows: int
    text: str
