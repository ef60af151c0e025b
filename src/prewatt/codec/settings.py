"""The settings of a meter, and the command that changes some of them.

Each setting is an unsigned integer with a tag, a width and a range, all in one table. A change (code 0A) names only
the settings it sets: tag(1) | length(1) | value, tags rising, each once. A meter's stored settings are the same with
every tag present. docs/reference/meter.md lists the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final, NamedTuple

from prewatt.codec.errors import DecodeError
from prewatt.codec.reader import Reader

__all__ = ["SETTING_FIELDS", "SettingField", "Settings", "SettingsChange", "render_settings_table"]

_U16: Final = 2**16 - 1
_U32: Final = 2**32 - 1
# The i64 of a transfer body bounds what a balance can be.
_MONEY_MAX: Final = 2**63 - 1
# What a meter may let run unpaid at most; the same bound as the meter's money arithmetic.
_OWED_MAX: Final = 10**15


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, with what a new meter has. Amounts are micro-units; 0 and 1 stand for no and yes."""

    low_balance_micro: int = 1_000_000
    close_arms: int = 1
    session_life_s: int = 1_200
    ceiling_micro: int = 10**12
    owed_max_micro: int = 1_000_000
    emergency_micro: int = 0
    minor_micro: int = 10_000
    load_limit_w: int = 0
    load_pause_s: int = 300
    over_current_w: int = 16_560
    cover_trips: int = 0
    cover_zeroises: int = 0
    sources_at_once: int = 0
    alarm_repeat_s: int = 60
    lcd_wide: int = 1
    currency_digits: int = 2

    def __post_init__(self) -> None:
        """ValueError for a value outside its range."""
        for each in SETTING_FIELDS:
            each.check(getattr(self, each.name))

    def changed(self, change: "SettingsChange") -> "Settings":
        """These settings with those of ``change`` set."""
        return replace(self, **change.values)

    def build(self) -> bytes:
        """Every setting, as tag, length, value."""
        return SettingsChange({each.name: getattr(self, each.name) for each in SETTING_FIELDS}).build()

    @classmethod
    def parse(cls, data: bytes) -> "Settings":
        """The settings that ``build`` gave; DecodeError where one is missing or out of range."""
        change = SettingsChange.parse(data)
        missing = [each.name for each in SETTING_FIELDS if each.name not in change.values]
        if missing:
            raise DecodeError(len(data), "settings", f"{missing[0]} is missing")
        return cls(**change.values)


class SettingField(NamedTuple):
    """A line of the table: tag and width on the wire, range and meaning."""

    tag: int
    name: str
    width: int
    low: int
    high: int
    meaning: str

    def check(self, given: int) -> None:
        """ValueError for a value outside the range."""
        if not self.low <= given <= self.high:
            raise ValueError(f"{self.name}: {given} is not allowed; allowed is {self.low} to {self.high}")


SETTING_FIELDS: Final = (
    SettingField(1, "low_balance_micro", 8, 0, _MONEY_MAX, "the buzzer warns at this balance and below"),
    SettingField(2, "close_arms", 1, 0, 1, "1: a close from the network only arms, the button closes"),
    SettingField(3, "session_life_s", 2, 30, 1_200, "how long a session lives, in seconds of the line"),
    SettingField(4, "ceiling_micro", 8, 0, _MONEY_MAX, "no transfer may lift the balance above this"),
    SettingField(5, "owed_max_micro", 8, 0, _OWED_MAX, "how much may be owed; energy beyond it is unpaid"),
    SettingField(6, "emergency_micro", 8, 0, _OWED_MAX, "emergency credit that the button grants at zero; 0: none"),
    SettingField(7, "minor_micro", 4, 1, _U32, "micro-units in a minor unit of value codes and of the keypad"),
    SettingField(8, "load_limit_w", 4, 0, _U32, "mean power of a minute that opens the relay when passed; 0: none"),
    SettingField(9, "load_pause_s", 2, 1, _U16, "how long the relay stays open for the load limit"),
    SettingField(10, "over_current_w", 4, 1, _U32, "power of one source that trips at once (1.2 Imax at 230 V)"),
    SettingField(11, "cover_trips", 1, 0, 1, "1: an opened cover opens the relay"),
    SettingField(12, "cover_zeroises", 1, 0, 1, "1: an opened cover erases the keys"),
    SettingField(13, "sources_at_once", 1, 0, 1, "1: sources feed together; 0: in turn, interlocked"),
    SettingField(14, "alarm_repeat_s", 2, 1, 3_600, "first wait before an alarm is repeated; doubles to an hour"),
    SettingField(15, "lcd_wide", 1, 0, 1, "1: display of 4 lines of 20; 0: 2 lines of 16"),
    SettingField(16, "currency_digits", 1, 0, 6, "decimals of amounts on the display"),
)
_BY_TAG: Final = {each.tag: each for each in SETTING_FIELDS}
_BY_NAME: Final = {each.name: each for each in SETTING_FIELDS}
if [each.name for each in SETTING_FIELDS] != [each.name for each in fields(Settings)]:
    raise AssertionError("the table of settings and the settings differ")


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """Some settings by name; at least one. ValueError for an unknown name or a value out of range."""

    values: Mapping[str, int]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("settings: nothing is not allowed; allowed is at least one setting")
        for name, given in self.values.items():
            if name not in _BY_NAME:
                raise ValueError(f"settings: {name!r} is not known; allowed is one of {', '.join(_BY_NAME)}")
            _BY_NAME[name].check(given)

    def build(self) -> bytes:
        """tag(1), length(1), value, in the order of the tags."""
        chosen = [each for each in SETTING_FIELDS if each.name in self.values]
        return b"".join(
            bytes((each.tag, each.width)) + self.values[each.name].to_bytes(each.width, "big") for each in chosen
        )

    @classmethod
    def parse(cls, data: bytes) -> "SettingsChange":
        """DecodeError for an unknown tag, tags that do not rise, another length, a value out of range, no setting."""
        reader, values, before = Reader(data), dict[str, int](), 0
        while reader.offset < len(data):
            tag = reader.u8("tag")
            known = _BY_TAG.get(tag)
            if known is None or tag <= before:
                raise reader.fail("tag", f"{tag} is not known or not above {before}", back=1)
            length = reader.u8("length")
            if length != known.width:
                raise reader.fail("length", f"{length} is not {known.width}", back=1)
            given = int.from_bytes(reader.take(length, known.name), "big")
            if not known.low <= given <= known.high:
                raise reader.fail(known.name, f"{given} is not {known.low} to {known.high}", back=length)
            values[known.name], before = given, tag
        if not values:
            raise DecodeError(0, "settings", "none is named")
        return cls(values)


def render_settings_table() -> str:
    """The table in Markdown, for docs/reference/meter.md."""
    rows = ["| tag | setting | bytes | allowed | a new meter has | meaning |", "| --- | --- | --- | --- | --- | --- |"]
    new = Settings()
    for each in SETTING_FIELDS:
        allowed = f"{each.low} to {each.high}"
        cells = (each.tag, f"`{each.name}`", each.width, allowed, getattr(new, each.name), each.meaning)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows) + "\n"
