"""What the host refuses, as one exception with a named outcome, and what may go wrong with its data folder.

Every text names the field, the value that was given and what is allowed, so that a person at a counter can read it;
programs switch on `outcome`. Nothing was changed when one of these is raised.
"""

from enum import StrEnum

from prewatt.units import ValueFieldError

__all__ = [
    "DataFolderError",
    "FolderBusyError",
    "FolderExistsError",
    "FolderMissingError",
    "FolderVersionError",
    "HostError",
    "RefusalOutcome",
    "RefusedError",
    "StoreError",
    "StoreUnknownError",
]


class RefusalOutcome(StrEnum):
    """Why something was refused, for programs; HTTP and exit codes follow from it."""

    BAD_FIELD = "bad_field"
    UNKNOWN_METER = "unknown_meter"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_STATION = "unknown_station"
    UNKNOWN_AREA = "unknown_area"
    METER_CLOSED = "meter_closed"
    METER_BLOCKED = "meter_blocked"
    METER_EXISTS = "meter_exists"
    M_ID_TAKEN = "m_id_taken"
    METERS_CEILING = "meters_ceiling"
    STATION_FULL = "station_full"
    AREA_FULL = "area_full"
    AREAS_FULL = "areas_full"
    NUMBER_TAKEN = "number_taken"
    NOT_SOLD_TO = "not_sold_to"
    VALUE_CEILING = "value_ceiling"
    EXISTS_WITH_DIFFERENT_FIELDS = "exists_with_different_fields"
    ALREADY_SETTLED = "already_settled"
    NOT_EMPTY = "not_empty"
    NO_KEY_SET = "no_key_set"
    NO_TARIFF = "no_tariff"
    NO_RATE = "no_rate"
    UNKNOWN_RATE = "unknown_rate"
    UNKNOWN_CAMPAIGN = "unknown_campaign"
    UNKNOWN_PROGRAM = "unknown_program"
    UNKNOWN_PAYMENT = "unknown_payment"
    UNKNOWN_ACCOUNT = "unknown_account"
    PERIOD_CLOSED = "period_closed"
    UNKNOWN_CUSTOMER = "unknown_customer"
    UNKNOWN_PREMISES = "unknown_premises"
    UNKNOWN_SUPPLIER = "unknown_supplier"
    UNKNOWN_AGENT = "unknown_agent"
    BAD_ROWS = "bad_rows"
    UNKNOWN_USER = "unknown_user"
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - an outcome
    UNKNOWN_APPROVAL = "unknown_approval"
    USER_EXISTS = "user_exists"
    LAST_OWNER = "last_owner"
    NOT_KNOWN = "not_known"
    NOT_ALLOWED = "not_allowed"
    LOCKED_OUT = "locked_out"
    NEEDS_APPROVAL = "needs_approval"
    NOT_APPROVED = "not_approved"


class RefusedError(ValueFieldError):
    """A command that changed nothing: `outcome` for programs, `field`, `given` and `allowed` for people."""

    def __init__(self, outcome: RefusalOutcome, field: str, given: object, allowed: str) -> None:
        super().__init__(field, given, allowed)
        self.outcome = outcome


class HostError(Exception):
    """Base of what goes wrong outside the caller's input; one line, ready to be shown."""


class StoreError(HostError):
    """The database could not do it (disk full, I/O); what was asked did not happen."""


class StoreUnknownError(StoreError):
    """The way to the database was lost while it committed, and it stays away: whether it happened is not known."""


class DataFolderError(HostError):
    """Base of everything that makes a data folder unusable as it stands."""


class FolderMissingError(DataFolderError):
    """There is no installation in this folder."""


class FolderExistsError(DataFolderError):
    """There is an installation in this folder already; it is never written over."""


class FolderVersionError(DataFolderError):
    """The folder was made by another version of the program."""


class FolderBusyError(DataFolderError):
    """Another process works on this folder."""
