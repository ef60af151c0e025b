"""A seller's rates: plans with their parts, quotes, previews, what a meter can follow of them, and importers.

Pure values and functions: no database, no clock, no files. `prewatt.host.rates.plan` says what a plan is,
`docs/guide/rates.md` how a seller writes one. The functions `quote`, `preview` and `explain` are in the modules of
their names.
"""

from prewatt.host.rates.document import build_document, parse_plan, parse_plan_text, plan_digest
from prewatt.host.rates.hours import DayHours, Hours, Season, flat_hours
from prewatt.host.rates.imported import Imported, Problem
from prewatt.host.rates.kepco import import_kepco_general, import_kepco_residential
from prewatt.host.rates.meterfit import MeterFit, Misfit, MisfitError, find_misfits, fit_meter
from prewatt.host.rates.parts import (
    Block,
    DebtRule,
    Friendly,
    Lifeline,
    LineKind,
    MeterTerms,
    Per,
    PurchaseLimits,
    RateLine,
    Rounding,
    StandingCharge,
)
from prewatt.host.rates.plan import RatePlan, choose_plan
from prewatt.host.rates.preview import Bill, Difference, PricedEnergy, Readings, compare, readings_of_days
from prewatt.host.rates.quote import ChargeKind, Quote, QuoteLine, for_energy, read_least
from prewatt.host.rates.standing import RateStanding
from prewatt.host.rates.urdb import import_urdb

__all__ = [
    "Bill",
    "Block",
    "ChargeKind",
    "DayHours",
    "DebtRule",
    "Difference",
    "Friendly",
    "Hours",
    "Imported",
    "Lifeline",
    "LineKind",
    "MeterFit",
    "MeterTerms",
    "Misfit",
    "MisfitError",
    "Per",
    "PricedEnergy",
    "Problem",
    "PurchaseLimits",
    "Quote",
    "QuoteLine",
    "RateLine",
    "RatePlan",
    "RateStanding",
    "Readings",
    "Rounding",
    "Season",
    "StandingCharge",
    "build_document",
    "choose_plan",
    "compare",
    "find_misfits",
    "fit_meter",
    "flat_hours",
    "for_energy",
    "import_kepco_general",
    "import_kepco_residential",
    "import_urdb",
    "parse_plan",
    "parse_plan_text",
    "plan_digest",
    "read_least",
    "readings_of_days",
]
