"""Programs for meters, kept with the maker's signature until a campaign brings them out.

The host checks what it can before anything is sent: the image's own head, and that the signature is that of the maker
who is named. Whether that is the maker of a meter only the meter knows (its birth certificate says). A program is for
one kind of meter, which its image names: a campaign goes to those alone, and the others would refuse it.
"""

from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from prewatt.codec.errors import DecodeError
from prewatt.codec.program import IMAGE_KIND_AT, SIGNATURE_BYTES, Manifest, ProgramKind
from prewatt.crypto import AuthenticationError
from prewatt.crypto.program import MAKER_KEY_BYTES, check_program
from prewatt.host.context import HostContext, log_action
from prewatt.host.programanswers import ProgramAnswer
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.store import Writing, schema

__all__ = ["Programs", "meters_for"]

# As the registry names kinds of meters.
_METERS: Final = {ProgramKind.HOME: "home", ProgramKind.TRANSFORMER: "ct"}


class Programs:
    """The programs this installation has."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def add(self, image: bytes, maker: bytes, signature: bytes) -> ProgramAnswer:
        """Keeps a signed image; the same again changes nothing. RefusedError names what is wrong with it."""
        try:
            manifest = Manifest.of(image)
        except (DecodeError, ValueError) as error:
            raise RefusedError(RefusalOutcome.BAD_FIELD, "program", f"{len(image)} bytes", str(error)) from None
        for field, given, wanted in (("maker", maker, MAKER_KEY_BYTES), ("signature", signature, SIGNATURE_BYTES)):
            if len(given) != wanted:
                raise RefusedError(RefusalOutcome.BAD_FIELD, field, f"{len(given)} bytes", f"{wanted} bytes")
        try:
            check_program(manifest.signed_bytes(), signature, maker)
        except AuthenticationError:
            allowed = "the maker's own over version, kind, size and SHA-256 of this image (`prewatt program sign`)"
            raise RefusedError(RefusalOutcome.BAD_FIELD, "signature", signature.hex()[:16], allowed) from None
        self._context.store.write(lambda writing: self._add(writing, manifest, image, maker, signature))
        return self.read(manifest.version)

    def read(self, version: int) -> ProgramAnswer:
        """One program; RefusedError (unknown_program) where there is none of this version."""
        with self._context.store.reading() as connection:
            row = connection.execute(_SHOWN.where(schema.programs.c.version == version)).one_or_none()
        if row is None:
            allowed = "a version that was added before; see `prewatt program list`"
            raise RefusedError(RefusalOutcome.UNKNOWN_PROGRAM, "program", version, allowed)
        return _answer(row)

    def read_all(self) -> list[ProgramAnswer]:
        """Every program, by version."""
        with self._context.store.reading() as connection:
            rows = connection.execute(_SHOWN.order_by(schema.programs.c.version)).all()
        return [_answer(row) for row in rows]

    def _add(self, writing: Writing, manifest: Manifest, image: bytes, maker: bytes, signature: bytes) -> None:
        programs, now_s = schema.programs, self._context.now()
        found = select(programs.c.digest, programs.c.maker).where(programs.c.version == manifest.version)
        known = writing.connection.execute(found).one_or_none()
        if known is not None:
            if (known.digest, known.maker) == (manifest.digest, maker):
                return
            allowed = "a version that was not added before with other bytes or by another maker"
            raise RefusedError(RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS, "version", manifest.version, allowed)
        writing.connection.execute(
            insert(programs).values(
                version=manifest.version,
                size_bytes=manifest.size,
                digest=manifest.digest,
                signature=signature,
                maker=maker,
                image=image,
                made_s=now_s,
            )
        )
        log_action(
            writing, now_s, "program add", str(manifest.version), f"{manifest.size} bytes, by {maker.hex()[:16]}"
        )


_COLUMNS = schema.programs.c
_KIND = func.substr(_COLUMNS.image, IMAGE_KIND_AT + 1, 1).label("kind")
_SHOWN = select(_COLUMNS.version, _COLUMNS.size_bytes, _COLUMNS.digest, _COLUMNS.maker, _COLUMNS.made_s, _KIND)


def meters_for(connection: Connection, version: int) -> str:
    """The kind of meters that a program is for, as the registry names it; the program has to be there."""
    kind = connection.execute(select(_KIND).where(_COLUMNS.version == version)).scalar_one()
    return _METERS[ProgramKind(kind[0])]


def _answer(row: Any) -> ProgramAnswer:  # noqa: ANN401 - a row of _SHOWN
    meters = _METERS[ProgramKind(row.kind[0])]
    return ProgramAnswer(row.version, meters, row.size_bytes, row.digest.hex(), row.maker.hex(), row.made_s)
