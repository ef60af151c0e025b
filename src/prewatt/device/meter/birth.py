"""What the factory writes into a meter: identity, keys, first price, and how the body is built."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from prewatt.codec.modetable import ModeTable, flat_table
from prewatt.codec.program import PROGRAM_VERSION_MAX
from prewatt.codec.reader import Reader
from prewatt.codec.settings import Settings
from prewatt.crypto import suite, suite_by_id
from prewatt.crypto.program import MAKER_KEY_BYTES
from prewatt.device.meter.clock import CLOCK_EARLIEST_S, CLOCK_LATEST_S
from prewatt.device.meter.record import SOURCES_MAX
from prewatt.units import METER_ID_BYTES, MeterId

__all__ = [
    "DRIFT_PPM_MAX",
    "KEY_SETS_MAX",
    "KEY_SETS_MIN",
    "PROGRAM_VERSION_FIRST",
    "TOKEN_MICRO_DEFAULT",
    "Birth",
    "BodyKind",
    "Certificate",
    "build_keys",
    "parse_keys",
]

# One unit token, the smallest grant of the exchanger: a thousandth of a currency unit.
TOKEN_MICRO_DEFAULT: Final = 1_000
# 2020-01-01: before any meter that is made by this program is powered up.
MADE_S_DEFAULT: Final = 1_577_836_800
# What fits a key slot with room to spare; two are the least that a rotation needs.
KEY_SETS_MAX: Final = 16
# No set may be dropped below these: one can only be replaced while another works.
KEY_SETS_MIN: Final = 2
# A watch crystal in an Indian summer is within 200 ppm; beyond this the piece is faulty.
DRIFT_PPM_MAX: Final = 1_000
# What a body has from the factory unless told otherwise.
PROGRAM_VERSION_FIRST: Final = 1
_NO_MAKER: Final = bytes(MAKER_KEY_BYTES)


class BodyKind(IntEnum):
    """What the body is built for."""

    HOME = 0
    """Sells: it has a relay, a buzzer, a keypad and a display."""
    TRANSFORMER = 1
    """Only counts, behind the current transformer of a station: no relay, no value, no keypad."""


@dataclass(frozen=True, slots=True)
class Birth:
    """Written once. ``keys`` maps key-set numbers to terminal keys of the one ``suite`` the body is enrolled with.

    ``suite`` is "aes-2026" or "tdes-1998"; ``drift_ppm`` is how much the crystal of this piece runs fast, from
    the world's second ``made_s`` on, when its clock was ``clock_ahead_s`` ahead.
    ValueError for a field out of range.
    """

    meter_id: MeterId
    m_id: int
    suite: str
    keys: Mapping[int, bytes] = field(repr=False)
    unit_price_micro: int
    table: ModeTable = field(default_factory=flat_table)
    settings: Settings = field(default_factory=Settings)
    token_micro: int = TOKEN_MICRO_DEFAULT
    sources: int = 1
    drift_ppm: int = 0
    made_s: int = MADE_S_DEFAULT
    clock_ahead_s: int = 0
    maker_key: bytes | None = None
    """Public half of the maker's key (Ed25519, 32 bytes), under which programs are signed; None: it takes none."""
    program_version: int = PROGRAM_VERSION_FIRST
    kind: BodyKind = BodyKind.HOME

    def __post_init__(self) -> None:
        wanted = suite(self.suite).terminal_key_bytes
        if len(self.meter_id) != METER_ID_BYTES or not 1 <= len(self.keys) <= KEY_SETS_MAX:
            raise ValueError(f"birth: an id of {METER_ID_BYTES} bytes and 1 to {KEY_SETS_MAX} key sets are allowed")
        for number, key in self.keys.items():
            if not 0 <= number <= 0xFF or len(key) != wanted:
                raise ValueError(f"keys: set {number} of {len(key)} bytes is not allowed; allowed is {wanted} bytes")
        for name, given, low, high in (
            ("m_id", self.m_id, 0, 0xFF),
            ("sources", self.sources, 1, SOURCES_MAX),
            ("made_s", self.made_s, CLOCK_EARLIEST_S, CLOCK_LATEST_S),
            ("clock at made_s", self.made_s + self.clock_ahead_s, CLOCK_EARLIEST_S, CLOCK_LATEST_S),
            ("drift_ppm", self.drift_ppm, -DRIFT_PPM_MAX, DRIFT_PPM_MAX),
            ("maker_key bytes", len(self.maker_key or _NO_MAKER), MAKER_KEY_BYTES, MAKER_KEY_BYTES),
            ("program_version", self.program_version, 1, PROGRAM_VERSION_MAX),
        ):
            if not low <= given <= high:
                raise ValueError(f"{name}: {given} is not allowed; allowed is {low} to {high}")

    def build_certificate(self) -> bytes:
        """What never changes: id(3), M-ID(1), suite(1), token(8), sources(1), drift i16, maker key(32), program(4),
        kind(1)."""
        return b"".join(
            (
                self.meter_id,
                bytes((self.m_id, suite(self.suite).id)),
                self.token_micro.to_bytes(8, "big"),
                bytes((self.sources,)),
                self.drift_ppm.to_bytes(2, "big", signed=True),
                self.maker_key or _NO_MAKER,
                self.program_version.to_bytes(4, "big"),
                bytes((self.kind,)),
            )
        )


@dataclass(frozen=True, slots=True)
class Certificate:
    """The unchanging part of a Birth, as the meter reads it at every power-up."""

    meter_id: MeterId
    m_id: int
    suite_id: int
    token_micro: int
    sources: int
    drift_ppm: int
    maker_key: bytes | None = None
    program_version: int = PROGRAM_VERSION_FIRST
    kind: BodyKind = BodyKind.HOME

    @classmethod
    def parse(cls, data: bytes) -> "Certificate":
        """Of ``Birth.build_certificate``, or of an earlier one, without program or kind; DecodeError otherwise."""
        reader = Reader(data)
        certificate = cls(
            meter_id=MeterId(reader.take(METER_ID_BYTES, "id")),
            m_id=reader.u8("M-ID"),
            suite_id=suite_by_id(reader.u8("suite")).id,
            token_micro=reader.u64("token"),
            sources=reader.u8("sources"),
            drift_ppm=int.from_bytes(reader.take(2, "drift"), "big", signed=True),
        )
        if reader.offset < len(data):
            maker, version = reader.take(MAKER_KEY_BYTES, "maker key"), reader.u32("program")
            certificate = replace(certificate, maker_key=maker if any(maker) else None, program_version=version)
        if reader.offset < len(data):
            kind = reader.u8("kind")
            if kind not in BodyKind._value2member_map_:
                raise reader.fail("kind", f"{kind} is not 0 or 1", back=1)
            certificate = replace(certificate, kind=BodyKind(kind))
        reader.end()
        return certificate


def build_keys(keys: Mapping[int, bytes]) -> bytes:
    """The key sets for their slot: sets(1), then number(1), length(1), key of each."""
    sets = (bytes((number, len(keys[number]))) + keys[number] for number in sorted(keys))
    return bytes((len(keys),)) + b"".join(sets)


def parse_keys(data: bytes) -> dict[int, bytes]:
    """What ``build_keys`` was given; DecodeError otherwise."""
    reader = Reader(data)
    keys = {reader.u8("set"): reader.take(reader.u8("length"), "key") for _ in range(reader.u8("sets"))}
    reader.end()
    return keys
