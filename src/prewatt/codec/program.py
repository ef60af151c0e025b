"""Programs for meters: the image, the maker's manifest of it, and the commands that carry both.

An image is a head and opaque bytes: `PWPG` | image format(1) = 1 | memory format(1) | kind of meter(1) | version(4) |
length(4) | SHA-256(32) of the bytes | the bytes. The maker signs version, kind, size and SHA-256 of the whole image,
never the pieces, so that the signature is the same in both suites and over every line. Images travel in units of 240
bytes, which is what a body of tdes-1998 holds; aes-2026 takes up to eight units in one command. Every answer ends in a
`ProgramStanding`: which unit comes next is the meter's word, so a transfer goes on wherever it stood.
docs/reference/programs.md tells the story, docs/protocol.md has the bytes.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.reader import Reader

__all__ = [
    "ACTIVATE_NOW",
    "ACTIVATE_WITHDRAW",
    "CHUNK_BYTES_MAX",
    "CHUNK_UNITS_MAX",
    "IMAGE_BYTES_MAX",
    "IMAGE_BYTES_MIN",
    "IMAGE_FORMAT",
    "IMAGE_KIND_AT",
    "MANIFEST_BYTES",
    "PROGRAM_VERSION_MAX",
    "SIGNATURE_BYTES",
    "UNIT_BYTES",
    "ImageHead",
    "Manifest",
    "ProgramActivation",
    "ProgramChunk",
    "ProgramKind",
    "ProgramOffer",
    "ProgramStage",
    "ProgramStanding",
    "build_image",
]

IMAGE_FORMAT: Final = 1
# What one program slot of a meter holds beside its manifest.
IMAGE_BYTES_MAX: Final = 65_536
# The largest round length that fits tdes-1998's 254 bytes beside version and number.
UNIT_BYTES: Final = 240
# 1,920 bytes: with Hello, Proof and Result well below a minute of a 2,400 bit/s line.
CHUNK_UNITS_MAX: Final = 8
CHUNK_BYTES_MAX: Final = CHUNK_UNITS_MAX * UNIT_BYTES
SIGNATURE_BYTES: Final = 64
PROGRAM_VERSION_MAX: Final = 2**32 - 1
# Times of an activation that are no times: at once, and never (the loaded program is forgotten).
ACTIVATE_NOW: Final = 0
ACTIVATE_WITHDRAW: Final = 2**32 - 1
_MAGIC: Final = b"PWPG"
_DIGEST_BYTES: Final = 32
_LABEL: Final = b"prewatt program"
MANIFEST_BYTES: Final = 4 + 1 + 4 + _DIGEST_BYTES
# Where an image's head names the kind of meter.
IMAGE_KIND_AT: Final = len(_MAGIC) + 1 + 1
IMAGE_BYTES_MIN: Final = IMAGE_KIND_AT + 1 + 4 + 4 + _DIGEST_BYTES


class ProgramKind(IntEnum):
    """The kind of meter that a program is for, as its birth certificate names it; no other takes it."""

    HOME = 0
    TRANSFORMER = 1

    @classmethod
    def read(cls, reader: Reader) -> "ProgramKind":
        """The kind that is next in ``reader``; DecodeError for one that there is not."""
        found = reader.u8("kind")
        if found not in cls._value2member_map_:
            raise reader.fail("kind", f"{found} is not 0 or 1", back=1)
        return cls(found)


@dataclass(frozen=True, slots=True)
class ImageHead:
    """What an image says of itself. ``memory_format`` is the layout of a meter's memory that it can work on."""

    memory_format: int
    kind: ProgramKind
    version: int
    body_bytes: int
    body_digest: bytes

    @classmethod
    def parse(cls, image: bytes) -> "ImageHead":
        """The head of a whole image; DecodeError for another format or a length that is not the image's."""
        reader = Reader(image)
        if reader.take(len(_MAGIC), "magic") != _MAGIC:
            raise reader.fail("magic", "is not PWPG", back=len(_MAGIC))
        if (found := reader.u8("image format")) != IMAGE_FORMAT:
            raise reader.fail("image format", f"{found} is not {IMAGE_FORMAT}", back=1)
        memory_format, kind = reader.u8("memory format"), ProgramKind.read(reader)
        head = cls(memory_format, kind, reader.u32("version"), reader.u32("length"), reader.take(32, "SHA-256"))
        if head.body_bytes != len(image) - reader.offset:
            left = len(image) - reader.offset
            raise reader.fail("length", f"{head.body_bytes} bytes are told, {left} are there", back=0)
        return head

    def holds(self, image: bytes) -> bool:
        """Whether the bytes behind this head are those it was made for."""
        return sha256(image[IMAGE_BYTES_MIN:]).digest() == self.body_digest


def build_image(version: int, memory_format: int, body: bytes, kind: ProgramKind = ProgramKind.HOME) -> bytes:
    """An image around ``body``; ValueError for a version, format or length that is not allowed."""
    for name, given, low, high in (
        ("version", version, 1, PROGRAM_VERSION_MAX),
        ("memory format", memory_format, 0, 0xFF),
        ("image bytes", IMAGE_BYTES_MIN + len(body), IMAGE_BYTES_MIN, IMAGE_BYTES_MAX),
    ):
        if not low <= given <= high:
            raise ValueError(f"{name}: {given} is not allowed; allowed is {low} to {high}")
    head = _MAGIC + bytes((IMAGE_FORMAT, memory_format, kind)) + version.to_bytes(4, "big")
    return head + len(body).to_bytes(4, "big") + sha256(body).digest() + body


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the maker signs: version, kind of meter, size in bytes and SHA-256 of the whole image."""

    version: int
    size: int
    digest: bytes
    kind: ProgramKind = ProgramKind.HOME

    def __post_init__(self) -> None:
        for name, given, low, high in (
            ("version", self.version, 1, PROGRAM_VERSION_MAX),
            ("size", self.size, IMAGE_BYTES_MIN, IMAGE_BYTES_MAX),
            ("digest bytes", len(self.digest), _DIGEST_BYTES, _DIGEST_BYTES),
        ):
            if not low <= given <= high:
                raise ValueError(f"{name}: {given} is not allowed; allowed is {low} to {high}")

    @classmethod
    def of(cls, image: bytes) -> "Manifest":
        """The manifest of an image; DecodeError or ValueError for what is none."""
        head = ImageHead.parse(image)
        return cls(head.version, len(image), sha256(image).digest(), head.kind)

    @property
    def units(self) -> int:
        """How many units of 240 bytes the image has, the last one maybe shorter."""
        return -(-self.size // UNIT_BYTES)

    def build(self) -> bytes:
        """version(4), kind(1), size(4), SHA-256(32)."""
        return self.version.to_bytes(4, "big") + bytes((self.kind,)) + self.size.to_bytes(4, "big") + self.digest

    def signed_bytes(self) -> bytes:
        """The bytes under the maker's signature: a label of its own, then the manifest."""
        return _LABEL + self.build()

    @classmethod
    def read(cls, reader: Reader) -> "Manifest":
        """The manifest that is next in ``reader``."""
        version, kind = reader.u32("version"), ProgramKind.read(reader)
        size, digest = reader.u32("size"), reader.take(_DIGEST_BYTES, "SHA-256")
        try:
            return cls(version, size, digest, kind)
        except ValueError as error:
            raise reader.fail("manifest", str(error), back=MANIFEST_BYTES) from None


@dataclass(frozen=True, slots=True)
class ProgramOffer:
    """0C: the maker's manifest and signature of a program that shall be loaded."""

    manifest: Manifest
    signature: bytes = field(repr=False)

    def build(self) -> bytes:
        """manifest(41), signature(64)."""
        return self.manifest.build() + self.signature

    @classmethod
    def parse(cls, body: bytes) -> "ProgramOffer":
        """Of exactly 105 bytes."""
        reader = Reader(body)
        offer = cls(Manifest.read(reader), reader.take(SIGNATURE_BYTES, "signature"))
        reader.end()
        return offer


@dataclass(frozen=True, slots=True)
class ProgramChunk:
    """0D: whole units of the image of ``version`` from number ``unit`` on; only the image's end may be shorter."""

    version: int
    unit: int
    data: bytes = field(repr=False)

    def build(self) -> bytes:
        """version(4), unit(2), data."""
        if not 0 < len(self.data) <= CHUNK_BYTES_MAX:
            raise ValueError(f"data: {len(self.data)} bytes are not allowed; allowed is 1 to {CHUNK_BYTES_MAX}")
        return self.version.to_bytes(4, "big") + self.unit.to_bytes(2, "big") + self.data

    @classmethod
    def parse(cls, body: bytes) -> "ProgramChunk":
        """Of 7 to 1,926 bytes."""
        reader = Reader(body)
        chunk = cls(reader.u32("version"), reader.u16("unit"), reader.rest("data"))
        if not 0 < len(chunk.data) <= CHUNK_BYTES_MAX:
            raise DecodeError(6, "data", f"{len(chunk.data)} bytes are not 1 to {CHUNK_BYTES_MAX}")
        return chunk


@dataclass(frozen=True, slots=True)
class ProgramActivation:
    """0E: start the loaded program of ``version`` at ``at_s`` by the meter's clock (UTC), now, or never."""

    version: int
    at_s: int

    def build(self) -> bytes:
        """version(4), time(4): 0 at once, FFFFFFFF forget it."""
        return self.version.to_bytes(4, "big") + self.at_s.to_bytes(4, "big")

    @classmethod
    def parse(cls, body: bytes) -> "ProgramActivation":
        """Of exactly 8 bytes."""
        reader = Reader(body)
        activation = cls(reader.u32("version"), reader.u32("time"))
        reader.end()
        return activation


class ProgramStage(IntEnum):
    """How far the program that is not running yet has come."""

    NONE = 0
    LOADING = 1
    LOADED = 2
    WAITING = 3
    TRIAL = 4


@dataclass(frozen=True, slots=True)
class ProgramStanding:
    """What follows the receipt of 0C, 0D and 0E: the version that runs, the one that comes, and the unit it needs."""

    running: int
    coming: int
    next_unit: int
    stage: ProgramStage

    def build(self) -> bytes:
        """running(4), coming(4), next unit(2), stage(1)."""
        versions = self.running.to_bytes(4, "big") + self.coming.to_bytes(4, "big")
        return versions + self.next_unit.to_bytes(2, "big") + bytes((self.stage,))

    @classmethod
    def parse(cls, data: bytes) -> "ProgramStanding":
        """Of exactly 11 bytes."""
        reader = Reader(data)
        running, coming, unit, stage = (
            reader.u32("running"),
            reader.u32("coming"),
            reader.u16("unit"),
            reader.u8("stage"),
        )
        reader.end()
        if stage > ProgramStage.TRIAL:
            raise reader.fail("stage", f"{stage} is not 0 to {int(ProgramStage.TRIAL)}", back=1)
        return cls(running, coming, unit, ProgramStage(stage))
