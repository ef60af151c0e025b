"""Programs: taken in signed pieces, started at a given time, and left again where they do not start.

The maker's signature over the manifest is checked before the first byte is stored, the SHA-256 of the whole image
before it counts as loaded and once more before it starts. There are two slots; the program that runs is never written
over. A new one starts on trial: when it has not confirmed itself within TRIAL_S, or the power has come back
TRIAL_POWER_MAX times meanwhile, the one before it is in force again. Every step is the record's one durable write, so
that a power cut anywhere leaves the step before or after.

**What a program is here.** A virtual meter runs the code of this package and never foreign code. An image is a head
and opaque bytes; the boot loader here judges whether it starts: its head has to be sound, name the version and kind
that were signed and the memory format of this meter, and its own SHA-256 over its bytes has to be right. One that
passes confirms itself after CONFIRM_S; one that does not never confirms. A real meter puts its loader in this place.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Final

from prewatt.codec.errors import DecodeError
from prewatt.codec.events import EventCode
from prewatt.codec.program import (
    ACTIVATE_NOW,
    ACTIVATE_WITHDRAW,
    MANIFEST_BYTES,
    UNIT_BYTES,
    ImageHead,
    Manifest,
    ProgramActivation,
    ProgramChunk,
    ProgramOffer,
    ProgramStage,
)
from prewatt.codec.reader import Reader
from prewatt.codec.receipt import Status
from prewatt.crypto import AuthenticationError
from prewatt.crypto.program import check_program
from prewatt.device.meter.core import Core
from prewatt.device.meter.events import WakeAt
from prewatt.device.meter.programstate import ProgramState
from prewatt.device.meter.slots import Store

__all__ = ["CONFIRM_S", "IMAGE_OFFSET", "MEMORY_FORMAT", "TRIAL_POWER_MAX", "TRIAL_S", "Programs", "image_starts"]

# The layout of the control block that a program has to understand.
MEMORY_FORMAT: Final = 3
# A program that works says so after a minute; after five, silence is its answer.
CONFIRM_S: Final = 60
TRIAL_S: Final = 300
# Power that comes back so often during one trial: the program may be what takes it.
TRIAL_POWER_MAX: Final = 3
# Where the image stands in its slot, behind two places for a manifest: a new one is written beside the one that counts,
# which is known by its mark, so that power that goes meanwhile leaves what was loaded as it was.
IMAGE_OFFSET: Final = 256
_MANIFEST_PLACES: Final = (0, 128)
_MARK_BYTES: Final = 8
_READ_BYTES: Final = 4_096
_TIMED_OUT: Final = 1
_POWER_WENT: Final = 2
_DAMAGED: Final = 3
_Applied = tuple[Status, bytes]


def image_starts(image: bytes, manifest: Manifest) -> bool:
    """The boot loader's judgement of an image that was signed."""
    try:
        head = ImageHead.parse(image)
    except DecodeError:
        return False
    signed = (head.version, head.kind) == (manifest.version, manifest.kind)
    return signed and head.memory_format == MEMORY_FORMAT and head.holds(image)


class Programs:
    """The two program slots of the core it is given."""

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def state(self) -> ProgramState:
        """What is remembered."""
        return self._core.control.program

    def rest(self) -> bytes:
        """What follows the receipt of every program command."""
        return self.state.standing(self._core.program_version).build()

    def offer(self, body: bytes) -> _Applied:
        """0C: a manifest with the maker's signature, for this kind of meter, newer than what runs. The same again goes
        on where it stood."""
        core, offer = self._core, ProgramOffer.parse(body)
        manifest = offer.manifest
        if core.certificate.maker_key is None or not _signed(offer, core.certificate.maker_key):
            core.log(EventCode.PROGRAM_REFUSED, manifest.version.to_bytes(4, "big"))
            return self._impossible()
        older = manifest.version <= core.program_version
        if self.state.stage is ProgramStage.TRIAL or older or int(manifest.kind) != int(core.certificate.kind):
            return self._impossible()
        mark = _mark_of(manifest)
        if self.state.stage is not ProgramStage.NONE and self.state.mark == mark:
            return Status.DONE, self.rest()
        place = _MANIFEST_PLACES[self._manifest_at(_MANIFEST_PLACES[0]) is not None]
        core.slots.put(Store.PROGRAMS, self.state.spare, place, manifest.build())
        self._set(replace(self.state.idle(), stage=ProgramStage.LOADING, coming=manifest.version, mark=mark))
        return Status.DONE, self.rest()

    def chunk(self, body: bytes) -> _Applied:
        """0D: the next units, or ones that are here already; anything else is refused and changes nothing."""
        chunk, state = ProgramChunk.parse(body), self.state
        manifest = self._manifest()
        at = chunk.unit * UNIT_BYTES
        end = at + len(chunk.data)
        if manifest is None or chunk.version != manifest.version or state.stage is ProgramStage.TRIAL:
            return self._impossible()
        whole = end == manifest.size if len(chunk.data) % UNIT_BYTES else end <= manifest.size
        if not whole or at > state.received:
            return self._impossible()
        if end <= state.received:
            same = self._read(at, len(chunk.data)) == chunk.data
            return (Status.DONE, self.rest()) if same else self._impossible()
        self._core.slots.put(Store.PROGRAMS, state.spare, IMAGE_OFFSET + at, chunk.data)
        if end == manifest.size and self._digest(end) != manifest.digest:
            return self._impossible()
        stage = ProgramStage.LOADED if end == manifest.size else ProgramStage.LOADING
        self._set(replace(state, received=end, stage=stage))
        if stage is ProgramStage.LOADED:
            self._core.log(EventCode.PROGRAM_LOADED, manifest.version.to_bytes(4, "big"))
        return Status.DONE, self.rest()

    def activate(self, body: bytes) -> _Applied:
        """0E: when the loaded program starts; or that it never does, and is forgotten."""
        wish, state = ProgramActivation.parse(body), self.state
        if state.coming != wish.version or state.stage is ProgramStage.NONE:
            # What runs already need not be started, and what is not here need not be forgotten.
            settled = wish.at_s == ACTIVATE_WITHDRAW or wish.version == self._core.program_version
            return (Status.DONE, self.rest()) if settled else self._impossible()
        if state.stage is ProgramStage.TRIAL:
            # It has been started, as was wished; it cannot be called back.
            return self._impossible() if wish.at_s == ACTIVATE_WITHDRAW else (Status.DONE, self.rest())
        if wish.at_s == ACTIVATE_WITHDRAW:
            self._set(state.idle())
        elif state.stage in (ProgramStage.LOADED, ProgramStage.WAITING):
            self._set(replace(state, stage=ProgramStage.WAITING, at_s=wish.at_s))
            self._wake_at(wish.at_s)
        else:
            return self._impossible()
        return Status.DONE, self.rest()

    def power_up(self) -> None:
        """Power is back: a trial begins anew, unless it has cost too much power already; torn ends are dropped."""
        state = self.state
        if state.stage is ProgramStage.NONE:
            return
        if self._manifest() is None:
            self._drop(_DAMAGED)
        elif state.stage is ProgramStage.TRIAL and state.boots + 1 >= TRIAL_POWER_MAX:
            self._drop(_POWER_WENT)
        elif state.stage is ProgramStage.TRIAL:
            self._set(replace(state, boots=state.boots + 1, trial_s=self._core.world_s))
            self._wake_in(CONFIRM_S)
        else:
            return
        self._core.store()

    def advance(self) -> None:
        """Time has passed: a program whose time has come starts, one on trial confirms itself or is left."""
        state = self.state
        if state.stage is ProgramStage.WAITING and self._core.own_s >= state.at_s:
            self._start()
        elif state.stage is ProgramStage.TRIAL:
            tried_s = self._core.world_s - state.trial_s
            if tried_s >= CONFIRM_S and self._answers():
                self._confirm()
            elif tried_s >= TRIAL_S:
                self._drop(_TIMED_OUT)

    def _start(self) -> None:
        state, manifest = self.state, self._manifest()
        if manifest is None or self._digest(manifest.size) != manifest.digest:
            self._drop(_DAMAGED)
            return
        self._set(replace(state, stage=ProgramStage.TRIAL, trial_s=self._core.world_s, boots=0))
        self._core.log(EventCode.PROGRAM_TRIED, state.coming.to_bytes(4, "big"))
        self._wake_in(CONFIRM_S)

    def _answers(self) -> bool:
        """Whether the program on trial confirms itself."""
        manifest = self._manifest()
        return manifest is not None and image_starts(self._read(0, manifest.size), manifest)

    def _confirm(self) -> None:
        core, state = self._core, self.state
        detail = state.coming.to_bytes(4, "big") + core.program_version.to_bytes(4, "big")
        self._set(ProgramState(state.coming, state.spare))
        core.log(EventCode.PROGRAM_STARTED, detail)

    def _drop(self, cause: int) -> None:
        """The program before it stays, or is back, in force."""
        core, state = self._core, self.state
        detail = state.coming.to_bytes(4, "big") + core.program_version.to_bytes(4, "big") + bytes((cause,))
        self._set(state.idle())
        core.log(EventCode.PROGRAM_RETURNED, detail)

    def _set(self, state: ProgramState) -> None:
        self._core.control.program = state
        self._core.changed = True

    def _impossible(self) -> _Applied:
        return Status.IMPOSSIBLE, self.rest()

    def _manifest(self) -> Manifest | None:
        """The manifest of what comes; None where there is none, or its slot does not hold it."""
        found = (self._manifest_at(place) for place in _MANIFEST_PLACES)
        return next((manifest for manifest in found if manifest is not None), None)

    def _manifest_at(self, place: int) -> Manifest | None:
        """The same, in one of the two places."""
        state = self.state
        if state.stage is ProgramStage.NONE:
            return None
        try:
            manifest = Manifest.read(Reader(self._core.slots.take(Store.PROGRAMS, state.spare, place, MANIFEST_BYTES)))
        except DecodeError:
            return None
        return manifest if _mark_of(manifest) == state.mark else None

    def _read(self, at: int, length: int) -> bytes:
        return self._core.slots.take(Store.PROGRAMS, self.state.spare, IMAGE_OFFSET + at, length)

    def _digest(self, size: int) -> bytes:
        digest = sha256()
        for at in range(0, size, _READ_BYTES):
            digest.update(self._read(at, min(_READ_BYTES, size - at)))
        return digest.digest()

    def _wake_at(self, own_s: int) -> None:
        core = self._core
        at_s = core.world_s if own_s == ACTIVATE_NOW else max(core.world_s, core.world_s + own_s - core.own_s)
        core.effects.append(WakeAt(at_s))

    def _wake_in(self, seconds: int) -> None:
        self._core.effects.append(WakeAt(self._core.world_s + seconds))


def _signed(offer: ProgramOffer, maker: bytes) -> bool:
    try:
        check_program(offer.manifest.signed_bytes(), offer.signature, maker)
    except AuthenticationError:
        return False
    return True


def _mark_of(manifest: Manifest) -> bytes:
    return sha256(manifest.build()).digest()[:_MARK_BYTES]
