"""Puts every limit that a seller may meet into docs/operating/limits.md, with its value as the code has it."""

from typing import NamedTuple

from marked import DOCS, put
from prewatt.apps import settings
from prewatt.apps.boxes.meters import KEYS_MAX
from prewatt.codec import bodies, messages, minutelog, modeparts, modetable, program, receipt, valuecode
from prewatt.codec.settings import Settings
from prewatt.crypto import KEY_SET_MAX
from prewatt.device.meter import birth, control, log, money, report
from prewatt.device.meter import program as boot
from prewatt.device.meter import valuecode as typed
from prewatt.host import collection, fields, transfers, usage
from prewatt.host.campaigns import campaigns, runner, shown, wishes
from prewatt.host.customers import checks, customers, finding, sheets
from prewatt.host.dispatch import DispatchSettings
from prewatt.host.host import METERS_CEILING_MAX, HostOptions
from prewatt.host.keys import secret, vault
from prewatt.host.payment.acquirer import channel, connection
from prewatt.host.payment.iso8583 import card, profile, rows, statement
from prewatt.host.payment.iso8583 import messages as iso_messages
from prewatt.host.plans import assigning, keeping
from prewatt.host.rates import hours, parts, preview, section
from prewatt.host.staff import approvals, lockout, logins, passwords, users
from prewatt.host.staff import log as log_pages
from prewatt.host.store import store
from prewatt.host.topology import METERS_PER_STATION_MAX
from prewatt.protocol import terminal, transfer_book, transfer_work
from prewatt.units import DAY_S, MICRO_PER_UNIT, PULSES_PER_KWH, VALUE_MAX_MICRO

__all__ = ["limits_text", "with_limits"]

PAGE = DOCS / "operating" / "limits.md"
MS_PER_S = 1_000
DIGITS_MAX = 6


class Limit(NamedTuple):
    """One line: what is limited, to what, and what happens at it or why it stands there."""

    what: str
    most: str
    why: str


def _money(micro: int) -> str:
    return f"{micro // MICRO_PER_UNIT:,}" if micro % MICRO_PER_UNIT == 0 else f"{micro / MICRO_PER_UNIT:,}"


def _seconds(ms: int) -> str:
    return f"{ms // MS_PER_S:,} s"


def sections() -> dict[str, tuple[Limit, ...]]:
    """The limits by where one meets them."""
    return {
        "Selling": _selling(),
        "Prices": _prices(),
        "Rate plans": _rates(),
        "Meters and stations": _meters(),
        "What a meter keeps": _memory(),
        "Sessions": _sessions(),
        "Card payments": _payments(),
        "Keys": _keys(),
        "Staff": _staff(),
        "Campaigns and programs for meters": _campaigns(),
        "Program": _program(),
        "Customers and files": _registry(),
    }


def _registry() -> tuple[Limit, ...]:
    return (
        Limit("a phone number", f"{checks.PHONE_DIGITS_MIN} to {checks.PHONE_DIGITS_MAX} digits", "ITU-T E.164"),
        Limit("an e-mail address", f"{checks.EMAIL_CHARS_MAX} characters", "RFC 5321"),
        Limit("customers or premises in one answer", f"{customers.LISTED_MAX:,}", "ask on after the last id"),
        Limit("a transformer", f"{checks.RATING_VA_MAX // 1_000:,} kVA", "0.001 and more"),
        Limit("hits of one search", f"{finding.FOUND_MAX}", "more nobody reads"),
        Limit("a text to search for", f"{finding.ASKED_CHARS_MAX} characters", ""),
        Limit("rows of a file", f"{sheets.ROWS_MAX:,}", "more are imported as several files"),
        Limit("a file", f"{sheets.TEXT_CHARS_MAX:,} characters", "as much as that many rows have"),
    )


def _staff() -> tuple[Limit, ...]:
    return (
        Limit("users", f"{users.USERS_MAX:,}", "they are never deleted"),
        Limit("tokens of one user", f"{users.TOKENS_OF_USER_MAX:,}", "logins that are over do not count"),
        Limit(
            "life of a token", f"{users.TOKEN_DAYS_MAX:,} days, or without end", "one that is not renewed is forgotten"
        ),
        Limit("life of a login", f"{logins.LOGIN_LIFE_S // 3_600} h", "a shift"),
        Limit(
            "a password", f"{passwords.PASSWORD_CHARS_MIN} to {passwords.PASSWORD_CHARS_MAX} characters", "printable"
        ),
        Limit("wrong logins before one waits", f"{lockout.WRONG_FREE}", "for a name, and for an address"),
        Limit("the wait", f"{lockout.LOCK_FIRST_S} s to {lockout.LOCK_LONGEST_S:,} s", "doubles each time"),
        Limit("a second person has", f"{approvals.APPROVAL_LIFE_S // 3_600} h", "then it is asked anew"),
        Limit("open approvals of one person", f"{approvals.OPEN_MAX}", "more is a program that asks in a loop"),
        Limit("a refund by one person", f"{_money(approvals.REFUND_LIMIT_MICRO)}, unless changed", "above it two"),
        Limit("lines of the log on a page", f"{log_pages.LOG_PAGE_MAX}", ""),
    )


def _campaigns() -> tuple[Limit, ...]:
    return (
        Limit("campaigns that have not ended", f"{campaigns.CAMPAIGNS_OPEN_MAX}", "more nobody watches"),
        Limit("meters let go in a minute", f"{wishes.PER_MINUTE_MAX:,}, else {wishes.PER_MINUTE_DEFAULT}", ""),
        Limit(
            "meters under way at once below a station",
            f"{wishes.PER_STATION_MAX}, else {wishes.PER_STATION_DEFAULT}",
            "the line is shared with sales and polls",
        ),
        Limit("a meter that has not answered holds its place for", f"{runner.GIVE_WAY_S} s", "then others go on"),
        Limit("a meter is called a straggler after", f"{shown.STRAGGLING_AFTER_S:,} s", "it is tried for ever"),
        Limit("an image of a program", f"{program.IMAGE_BYTES_MAX:,} bytes", "a slot of the meter's memory"),
        Limit("a program confirms itself within", f"{boot.TRIAL_S} s", "else the one before comes back"),
        Limit("power that comes back during a trial", f"{boot.TRIAL_POWER_MAX} times", "at the last the trial ends"),
        Limit("key sets that a meter keeps at least", f"{birth.KEY_SETS_MIN}", "one changes under another"),
    )


def _selling() -> tuple[Limit, ...]:
    ceiling, meter = HostOptions().vend_ceiling_micro, Settings()
    return (
        Limit("one sale", _money(ceiling), "more is refused; fixed when the installation is made"),
        Limit("decimals of an amount", f"0 to {DIGITS_MAX}, else 2", "the currency's, fixed when it is made"),
        Limit("any figure of money", _money(VALUE_MAX_MICRO), "far above any sale, far below what 64 bits hold"),
        Limit("balance of a meter", _money(meter.ceiling_micro), "the meter refuses a transfer that would pass it"),
        Limit("owed by a meter", _money(meter.owed_max_micro), "energy beyond it is unpaid, and raises an alarm"),
        Limit("received by one meter, ever", _money(money.MONEY_MAX_MICRO), "64 bits"),
        Limit("open orders of one meter", f"{transfer_book.OPEN_ORDERS_MAX:,}", "a further sale is refused"),
        Limit("value codes open at one meter", f"{transfer_book.CODES_OPEN_MAX}", "they are typed in order"),
        Limit("amount of a value code", f"{valuecode.CODE_AMOUNT_MINOR_MAX:,} minor units", "22 bits of the code"),
        Limit("pause after wrong codes", f"{typed.LOCK_FIRST_S} s to {typed.LOCK_LONGEST_S:,} s", "doubles each time"),
        Limit("transfers in one listing", f"{transfers.LISTED_MAX:,}", "the newest"),
        Limit("days in one look at usage", f"{usage.DAYS_SHOWN_MAX}", "the newest collected"),
        Limit("an id of your own", "64 characters", "orders, customers, premises, stations"),
        Limit("a name, a reason, a note", f"{fields.NAME_CHARS_MAX} characters", "one line"),
    )


def _prices() -> tuple[Limit, ...]:
    return (
        Limit("a mode table", f"{bodies.MODE_TABLE_BYTES_MAX} bytes encoded", "one command carries it"),
        Limit("price steps", f"{modeparts.STEPS_MAX}", "each has a register in the meter"),
        Limit("a step", f"{modeparts.PERCENT_MAX:,} %", "16 bits"),
        Limit("day plans", f"{modetable.PLANS_MAX}", "the 256 bytes end earlier where plans are long"),
        Limit("seasons", f"{modetable.SEASONS_MAX}", ""),
        Limit("holidays", f"{modetable.HOLIDAYS_MAX}", ""),
        Limit("surcharge bands", f"{modetable.BANDS_MAX}", ""),
        Limit("a surcharge", f"{modeparts.SURCHARGE_MAX_PERCENT} %", "100 % and it fit one byte beside each minute"),
        Limit("tables that wait in a meter", "1", "a newer one takes its place"),
    )


def _rates() -> tuple[Limit, ...]:
    month_kwh = parts.ENERGY_MAX_PULSES // PULSES_PER_KWH
    percent = parts.PERCENT_PPM_MAX * 100 // parts.PPM
    return (
        Limit("blocks of a month", f"{parts.BLOCKS_MAX}", ""),
        Limit("where a block or a lifeline may end", f"{month_kwh:,} kWh", "a gigawatt-hour a month"),
        Limit("lines (taxes, levies, fees, discounts)", f"{parts.LINES_MAX}", ""),
        Limit("a percent of a line", f"{percent:,} %", "with four decimals"),
        Limit(
            "standing charges in one purchase",
            f"{parts.PERIODS_MOST}, else {parts.MONTHS_TAKEN} months or {parts.DAYS_TAKEN} days",
            "what is over stays due",
        ),
        Limit("days of a plan", f"{hours.DAYS_MAX}", "a meter takes fewer, see above"),
        Limit("seasons of a plan", f"{hours.SEASONS_MAX}", "a meter takes fewer"),
        Limit("holidays of a plan", f"{hours.HOLIDAYS_MAX}", "a meter takes fewer"),
        Limit("surcharge bands of a plan", f"{hours.SURCHARGES_MAX}", "a meter takes fewer"),
        Limit("friendly hours", f"{parts.FRIENDLY_MAX}", "each of one kind of day"),
        Limit("name of a plan or a line", f"{parts.NAME_CHARS_MAX} characters", "one line, without a colon"),
        Limit("a document", f"{section.DOCUMENT_CHARS_MAX:,} characters", ""),
        Limit("readings of a preview", f"{preview.READINGS_MAX:,}", "35 days of minutes"),
        Limit("an interval of a preview", f"{preview.INTERVAL_MAX_S:,} s", ""),
        Limit("purchases in a preview", f"{preview.PURCHASES_MAX:,}", "for what is fixed in each"),
        Limit("versions of one plan", f"{keeping.PLANS_MAX:,}", "each sale looks through them"),
        Limit("days ahead of an assignment", f"{assigning.AHEAD_DAYS_MAX:,}", "ten years; and none before today"),
        Limit("assignments in one answer", f"{assigning.LISTED_MAX:,}", "the newest"),
    )


def _meters() -> tuple[Limit, ...]:
    return (
        Limit("meters of one host", f"{METERS_CEILING_MAX:,}", "256 areas of 256 stations of 256 meters"),
        Limit("meters below one station", f"{METERS_PER_STATION_MAX}", "a modem address is one byte"),
        Limit(
            "meters of the street",
            f"{settings.STREET_METERS_MAX}",
            "one station; its last address is the transformer's own meter",
        ),
        Limit("speed of the street's clock", f"{settings.SPEED_MAX:,}", "an hour each second"),
        Limit("keys in one press", f"{KEYS_MAX}", ""),
        Limit("a text for a display", f"{bodies.TEXT_BYTES_MAX} bytes of UTF-8", "one command carries it"),
        Limit("control commands without an answer", f"{transfer_work.CONTROLS_PENDING_MAX}", "older are asked anew"),
    )


def _memory() -> tuple[Limit, ...]:
    return (
        Limit("minute readings", f"{collection.COLLECT_DAYS_MAX} days", "older days are lost if never collected"),
        Limit("one minute", f"{minutelog.READING_MAX:,} pulses", "6.5 kWh; more carries on in the next minute"),
        Limit("reports not yet sent", f"{control.REPORTS_DUE_MAX}", "the oldest gives way"),
        Limit("transfers in the ring", f"{receipt.RING_ENTRIES_MAX}", "the last ones, by which a restore is settled"),
        Limit("events", f"{log.LOG_CELLS:,}", "never overwritten before the host has them; see the meter's page"),
        Limit("alarms that wait", f"{control.ALARMS_WAITING_MAX}", "every event is in the log all the same"),
        Limit("pause before an alarm is repeated", _seconds(report.REPEAT_LONGEST_MS), "doubles up to this"),
        Limit("key sets", f"2 to {birth.KEY_SETS_MAX}", "two are the least that a rotation needs"),
    )


def _sessions() -> tuple[Limit, ...]:
    dispatch = DispatchSettings()
    return (
        Limit("life of a session at the host", _seconds(dispatch.session_ms), "then it is given up and tried again"),
        Limit("life of a session at the meter", _seconds(terminal.SESSION_LIFE_MS), "a setting of the meter"),
        Limit("pause before a meter is called again", _seconds(dispatch.backoff_most_ms), "doubles up to this"),
        Limit("line time a station is given at once", _seconds(dispatch.round_ms), "the rest goes in the next round"),
        Limit("Hellos a meter answers", f"{terminal.HELLOS_AT_ONCE_MAX} at once", "then one a second"),
        Limit("false Commands in a session", f"{terminal.FALSE_COMMANDS_MAX}", "the session ends"),
        Limit("a payload", f"{messages.PAYLOAD_BYTES_MAX:,} bytes", "what a link frame carries"),
        Limit("a Result or a Report", f"{messages.RESULT_BYTES_MAX:,} bytes", "more goes in parts"),
    )


def _payments() -> tuple[Limit, ...]:
    return (
        Limit("authorizations that wait for their answer", f"{profile.ASKS_MAX}", "more are refused"),
        Limit("payments that have not ended", f"{profile.OPEN_MAX:,}", "likewise"),
        Limit("completions and reversals under way", f"{profile.ADVICES_MAX}", "the others wait their turn"),
        Limit("message numbers of an hour", f"{rows.STANS_PER_HOUR_MAX:,}", "then no new payments"),
        Limit("calls that wait for the acquirer's channel", f"{channel.EVENTS_MAX:,}", "more are refused"),
        Limit("a message to or from an acquirer", f"{iso_messages.MESSAGE_BYTES_MAX:,} bytes", "the connection ends"),
        Limit("what waits for an acquirer that does not read", f"{connection.WAITING_BYTES_MAX:,} bytes", "likewise"),
        Limit("an amount", f"{profile.AMOUNT_MAX_MINOR:,} minor units", "twelve digits"),
        Limit("a card number", f"{card.PAN_DIGITS_MIN} to {card.PAN_DIGITS_MAX} digits", "with its check digit"),
        Limit("a daily list", f"{statement.STATEMENT_ROWS_MAX:,} payments", ""),
    )


def _keys() -> tuple[Limit, ...]:
    return (
        Limit("numbers of key sets", f"0 to {KEY_SET_MAX}", "one byte; a retired number is never used again"),
        Limit("a passphrase", f"{secret.PASSPHRASE_MIN_CHARS} to {secret.PASSPHRASE_MAX_CHARS:,} characters", ""),
        Limit("a key file", f"{secret.KEY_FILE_MIN_BYTES} to {secret.KEY_FILE_MAX_BYTES:,} bytes", "mode 0600"),
        Limit("age of a key set", f"{vault.ROTATION_PERIOD_S // DAY_S} days", "then `prewatt keys due` names it"),
    )


def _program() -> tuple[Limit, ...]:
    return (
        Limit("processes on a data folder", "1", "a second one is told who has it"),
        Limit("pieces of work in one commit", f"{store.GROUP_MAX}", "more would make the last caller wait"),
        Limit("work that waits to be written", f"{store.WAITING_MAX:,}", "callers wait, nothing is dropped"),
    )


def limits_text() -> str:
    """A table for each section."""
    parts = []
    for title, limits in sections().items():
        rows = "\n".join(f"| {each.what} | {each.most} | {each.why} |" for each in limits)
        parts.append(f"## {title}\n\n| | limit | |\n| --- | --- | --- |\n{rows}")
    return "\n\n".join(parts)


def with_limits(document: str) -> str:
    """``document`` with the limits as they are."""
    return put(document, "limits", limits_text())


if __name__ == "__main__":
    PAGE.write_text(with_limits(PAGE.read_text()))
