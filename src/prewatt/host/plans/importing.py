"""Published rates of others as documents of plans: one call for every format, with the options that each one takes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from prewatt.codec.modeparts import Daylight
from prewatt.host.plans.bill import parse_month
from prewatt.host.rates import Imported, import_kepco_general, import_kepco_residential, import_urdb
from prewatt.units import ValueFieldError

__all__ = ["FORMATS", "ImportOptions", "import_record", "parse_day"]

FORMATS: Final = ("urdb", "kepco-residential", "kepco-general")
_VOLTAGES: Final = ("low", "high")
_LEAVE_OUT_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a format needs beside the record: `urdb` takes leave_out; `kepco-residential` voltage and month;
    `kepco-general` contract, kw and day."""

    leave_out: Collection[str] = ()
    voltage: str | None = None
    month: str | None = None
    contract: str | None = None
    kw: int | None = None
    day: str | None = None


_TAKEN: Final = {
    "urdb": ("leave_out",),
    "kepco-residential": ("voltage", "month"),
    "kepco-general": ("contract", "kw", "day"),
}


def import_record(
    form: str, record: object, options: ImportOptions, *, zone_quarters: int, daylight: Daylight | None
) -> Imported:
    """The plan of a record in one of FORMATS, or everything that stands in the way. ValueFieldError for options."""
    if form not in FORMATS:
        raise ValueFieldError("format", form, f"one of {', '.join(FORMATS)}")
    for name in ImportOptions.__dataclass_fields__:
        given, taken = getattr(options, name), name in _TAKEN[form]
        if given and not taken:
            raise ValueFieldError(name, given, f"nothing: format {form} takes {', '.join(_TAKEN[form])}")
        if given is None and taken:
            raise ValueFieldError(name, None, f"a value: format {form} takes {', '.join(_TAKEN[form])}")
    if len(options.leave_out) > _LEAVE_OUT_MAX:
        raise ValueFieldError("leave_out", len(options.leave_out), f"up to {_LEAVE_OUT_MAX} fields")
    if form == "urdb":
        return import_urdb(record, zone_quarters=zone_quarters, daylight=daylight, leave_out=options.leave_out)
    if form == "kepco-residential":
        voltage = str(options.voltage)
        if voltage not in _VOLTAGES:
            raise ValueFieldError("voltage", voltage, f"one of {', '.join(_VOLTAGES)}")
        year, month = parse_month(str(options.month))
        return import_kepco_residential(record, voltage=voltage, year=year, month=month)
    return import_kepco_general(
        record, contract=str(options.contract), contract_kw=options.kw or 0, day=parse_day("day", str(options.day))
    )


def parse_day(field: str, text: str) -> date:
    """A date; ValueFieldError for anything else."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or text != found.isoformat():
        raise ValueFieldError(field, text, "a date such as 2026-03-01")
    return found
