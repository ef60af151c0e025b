"""What a campaign can be asked to do, checked field by field."""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from prewatt.codec.bodies import TEXT_BYTES_MAX
from prewatt.codec.modetable import ModeTable
from prewatt.codec.program import ACTIVATE_WITHDRAW, PROGRAM_VERSION_MAX
from prewatt.host.campaigns.answers import CampaignKind, CampaignScope
from prewatt.host.context import HostContext
from prewatt.host.fields import check_meter
from prewatt.host.keys import KeySetState
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import schema
from prewatt.units import UTC_MAX_S

__all__ = [
    "PER_MINUTE_DEFAULT",
    "PER_MINUTE_MAX",
    "PER_STATION_DEFAULT",
    "PER_STATION_MAX",
    "CampaignWish",
    "check_wish",
]

PER_MINUTE_DEFAULT: Final = 60
PER_MINUTE_MAX: Final = 60_000
# One meter after the other leaves a station's line to value and polling.
PER_STATION_DEFAULT: Final = 4
PER_STATION_MAX: Final = 256
_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class CampaignWish:
    """What is wished, for whom, when. Only the fields of its kind may be given.

    ``place`` is the id of the meter, station or area, empty for all. ``hours`` are the first local hour and the one
    before which it ends, (0, 24) for any. ``activate_s`` is when a program starts by each meter's clock, None at once.
    """

    kind: str
    scope: str = CampaignScope.ALL.value
    place: str = ""
    id: str | None = None
    tariff: int | None = None
    price_micro: int | None = None
    table: ModeTable | None = None
    valid_from_s: int | None = None
    key_set: int | None = None
    replaces: int | None = None
    text: str | None = None
    program: int | None = None
    activate_s: int | None = None
    start_s: int | None = None
    until_s: int | None = None
    hours: tuple[int, int] = (0, _HOURS)
    per_minute: int = PER_MINUTE_DEFAULT
    per_station: int = PER_STATION_DEFAULT


_OF_KIND: Final = {
    CampaignKind.TARIFF: {"tariff", "price_micro", "table", "valid_from_s"},
    CampaignKind.KEY: {"key_set", "replaces"},
    CampaignKind.CLOCK: set[str](),
    CampaignKind.TEXT: {"text"},
    CampaignKind.PROGRAM: {"program", "activate_s"},
}


def check_wish(context: HostContext, wish: CampaignWish) -> CampaignWish:
    """The wish with its place in its one spelling; RefusedError names the first field that is not allowed."""
    kinds, scopes = list(CampaignKind), list(CampaignScope)
    if wish.kind not in kinds:
        raise _bad("kind", wish.kind, f"one of {', '.join(kinds)}")
    if wish.scope not in scopes:
        raise _bad("scope", wish.scope, f"one of {', '.join(scopes)}")
    _check_bounds(context, wish)
    others = set[str]().union(*_OF_KIND.values()) - _OF_KIND[CampaignKind(wish.kind)]
    given = sorted(name for name in others if getattr(wish, name) is not None)
    if given:
        raise _bad(given[0], getattr(wish, given[0]), f"nothing in a campaign of kind {wish.kind}")
    checks = {
        CampaignKind.TARIFF: _check_tariff,
        CampaignKind.KEY: _check_key,
        CampaignKind.TEXT: _check_text,
        CampaignKind.PROGRAM: _check_program,
    }
    check = checks.get(CampaignKind(wish.kind))
    if check is not None:
        check(context, wish)
    return replace(wish, place=_check_place(context, wish))


def _check_bounds(context: HostContext, wish: CampaignWish) -> None:
    now_s = context.now()
    first, last = wish.hours
    bounds = (
        ("start_s", wish.start_s, 0, UTC_MAX_S),
        ("until_s", wish.until_s, max(now_s, wish.start_s or 0) + 1, UTC_MAX_S),
        ("valid_from_s", wish.valid_from_s, 0, UTC_MAX_S),
        ("activate_s", wish.activate_s, 0, ACTIVATE_WITHDRAW - 1),
        ("hours", first, 0, _HOURS - 1),
        ("hours", last, 0, _HOURS),
        ("per_minute", wish.per_minute, 1, PER_MINUTE_MAX),
        ("per_station", wish.per_station, 1, PER_STATION_MAX),
    )
    for field, given, low, high in bounds:
        if given is not None and not low <= given <= high:
            raise _bad(field, given, f"{low} to {high}")
    if first == last:
        raise _bad("hours", f"{first}-{last}", "two different hours, such as 22-6; 0-24 for any")


def _check_place(context: HostContext, wish: CampaignWish) -> str:
    scope, place = CampaignScope(wish.scope), wish.place
    if scope is CampaignScope.ALL:
        if place:
            raise _bad("place", place, "nothing where the campaign is for all")
        return ""
    if scope is CampaignScope.METER:
        place = check_meter(place)
    table = {
        CampaignScope.METER: schema.meters,
        CampaignScope.STATION: schema.stations,
        CampaignScope.AREA: schema.areas,
    }[scope]
    with context.store.reading() as connection:
        found = connection.execute(select(table.c.id).where(table.c.id == place)).scalar()
    if found is None:
        outcome = {
            CampaignScope.METER: RefusalOutcome.UNKNOWN_METER,
            CampaignScope.STATION: RefusalOutcome.UNKNOWN_STATION,
            CampaignScope.AREA: RefusalOutcome.UNKNOWN_AREA,
        }[scope]
        raise RefusedError(outcome, scope.value, place, f"a {scope.value} that was added before")
    return place


def _check_tariff(context: HostContext, wish: CampaignWish) -> None:
    made = wish.price_micro is not None and wish.table is not None
    if (wish.tariff is None) is not made:
        raise _bad("tariff", wish.tariff, "a version that was set before, or a price for a new one")
    if wish.tariff is None:
        return
    with context.store.reading() as connection:
        tariffs = schema.tariffs.c
        found = connection.execute(select(tariffs.version).where(tariffs.version == wish.tariff)).scalar()
    if found is None:
        raise RefusedError(RefusalOutcome.NO_TARIFF, "tariff", wish.tariff, "a version that was set before")


def _check_key(context: HostContext, wish: CampaignWish) -> None:
    sets = {each.index: each for each in context.vault.sets()}
    active = sorted(index for index, each in sets.items() if each.state is KeySetState.ACTIVE)
    listed = ", ".join(map(str, active)) or "none; add one with `prewatt keys add`"
    if wish.key_set is None or wish.key_set not in active:
        raise RefusedError(RefusalOutcome.NO_KEY_SET, "key_set", wish.key_set, f"an active set: {listed}")
    suite = sets[wish.key_set].suite
    same = sorted(index for index, each in sets.items() if each.suite == suite and index != wish.key_set)
    if wish.replaces is not None and wish.replaces not in same:
        listed = ", ".join(map(str, same)) or "none"
        raise RefusedError(RefusalOutcome.NO_KEY_SET, "replaces", wish.replaces, f"another set of {suite}: {listed}")


def _check_text(context: HostContext, wish: CampaignWish) -> None:
    encoded = (wish.text or "").encode(errors="surrogatepass")
    if not 0 < len(encoded) <= TEXT_BYTES_MAX or not (wish.text or "").isprintable():
        allowed = f"1 to {TEXT_BYTES_MAX} bytes of printable UTF-8; this has {len(encoded)}"
        raise _bad("text", wish.text, allowed)


def _check_program(context: HostContext, wish: CampaignWish) -> None:
    programs = schema.programs.c
    with context.store.reading() as connection:
        found = connection.execute(select(programs.version).where(programs.version == wish.program)).scalar()
    if found is None or not 0 < found <= PROGRAM_VERSION_MAX:
        allowed = "a version that was added before; see `prewatt program list`"
        raise RefusedError(RefusalOutcome.UNKNOWN_PROGRAM, "program", wish.program, allowed)


def _bad(field: str, given: object, allowed: str) -> RefusedError:
    return RefusedError(RefusalOutcome.BAD_FIELD, field, given, allowed)
