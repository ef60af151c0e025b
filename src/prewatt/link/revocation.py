"""Papers that are believed no more: the authority's list of them, a CRL (RFC 5280) that anybody can check.

Each entry is the serial number of one certificate, and beside it, in an extension that others pass over, whose papers
it was: with that a box knows the editions that are over (`prewatt.link.names.Bearer`), and refuses also papers that
nobody had on record. A list never ends before its authority does: a box that is not reached for years goes by the list
it has, it does not lock everybody out. Lists are numbered, and a box takes no older one. Times are UTC seconds, given
by the caller.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from prewatt.link.certificates import Authority, CertificateError
from prewatt.link.names import Bearer, BoxName, Role

__all__ = ["LIST_BYTES_MAX", "REVOKED_MAX", "Revocation", "RevokedList", "build_list", "parse_list"]

# A box that loses its papers each day, for as long as the authority lives, and more: some 2.3 MB.
REVOKED_MAX: Final = 16_384
LIST_BYTES_MAX: Final = 4 * 1024 * 1024
# Clocks of boxes differ, as for certificates.
_BEFORE_S: Final = 3_600
# An arc of our own under 2.25, made from a random UUID (ITU-T X.667): the bearer as a UTF8String.
_BEARER: Final = x509.ObjectIdentifier("2.25.315243994395542728149557496207148696916")
_UTF8_STRING: Final = 0x0C
_SHORT_MAX: Final = 0x7F
_LONG_ONE: Final = 0x81


@dataclass(frozen=True, slots=True)
class Revocation:
    """One certificate that is believed no more."""

    serial: int
    bearer: Bearer
    at_s: int


@dataclass(frozen=True, slots=True)
class RevokedList:
    """What a list says; an empty one is what a box has that was never given one."""

    number: int = 0
    revoked: tuple[Revocation, ...] = ()
    pem: bytes = b""
    _serials: frozenset[int] = field(default=frozenset(), repr=False)
    _editions: Mapping[BoxName, int] = field(default_factory=dict, repr=False)

    def refuses(self, bearer: Bearer, serial: int) -> bool:
        """Whether these papers are revoked, by their number or by their edition."""
        return serial in self._serials or bearer.edition < self.edition_of(bearer.box)

    def edition_of(self, box: BoxName) -> int:
        """The edition in which papers of this box are believed."""
        return self._editions.get(box, 0)

    def servers_edition(self) -> int:
        """How often the papers of message servers were revoked: each time they need a new name in common."""
        return sum(edition for box, edition in self._editions.items() if box.role is Role.SERVER)


def build_list(authority: Authority, number: int, revoked: Iterable[Revocation], now_s: int) -> bytes:
    """The list with this number, as PEM. ValueError for more than REVOKED_MAX."""
    entries = {each.serial: each for each in revoked}
    if len(entries) > REVOKED_MAX:
        raise ValueError(f"revoked papers: {len(entries)} are not allowed; allowed are up to {REVOKED_MAX}")
    signer = authority.certificate
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.subject)
        .last_update(datetime.fromtimestamp(max(now_s - _BEFORE_S, 0), UTC))
        .next_update(signer.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(key_id, critical=False)
    )
    for each in entries.values():
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(each.serial)
            .revocation_date(datetime.fromtimestamp(each.at_s, UTC))
            .add_extension(x509.UnrecognizedExtension(_BEARER, _build_utf8(each.bearer.uri)), critical=False)
            .build()
        )
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def parse_list(pem: bytes, authority_pem: bytes) -> RevokedList:
    """What ``pem`` says; CertificateError where it is not a list of this authority's."""
    if len(pem) > LIST_BYTES_MAX:
        raise CertificateError(f"list of revoked papers: {len(pem)} bytes are not allowed")
    try:
        found = x509.load_pem_x509_crl(pem)
        key = x509.load_pem_x509_certificate(authority_pem).public_key()
        signed = isinstance(key, ec.EllipticCurvePublicKey) and found.is_signature_valid(key)
    except ValueError as error:
        raise CertificateError(f"list of revoked papers: cannot be read ({error})") from None
    if not signed:
        raise CertificateError("list of revoked papers: not signed by the authority that lies beside it")
    try:
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        revoked = tuple(_revocation(each) for each in found)
    except (x509.ExtensionNotFound, ValueError) as error:
        raise CertificateError(f"list of revoked papers: cannot be read ({error})") from None
    editions: dict[BoxName, int] = {}
    for each in revoked:
        editions[each.bearer.box] = max(editions.get(each.bearer.box, 0), each.bearer.edition + 1)
    return RevokedList(number, revoked, pem, frozenset(each.serial for each in revoked), editions)


def _revocation(entry: x509.RevokedCertificate) -> Revocation:
    value = entry.extensions.get_extension_for_oid(_BEARER).value
    if not isinstance(value, x509.UnrecognizedExtension):
        raise ValueError("an entry names no box")
    return Revocation(
        entry.serial_number, Bearer.parse(_parse_utf8(value.value)), int(entry.revocation_date_utc.timestamp())
    )


def _build_utf8(text: str) -> bytes:
    data = text.encode()
    long = b"" if len(data) <= _SHORT_MAX else bytes((_LONG_ONE,))
    return bytes((_UTF8_STRING,)) + long + bytes((len(data),)) + data


def _parse_utf8(data: bytes) -> str:
    text = data[3:] if data[1:2] == bytes((_LONG_ONE,)) else data[2:]
    found = text.decode()
    if _build_utf8(found) != data:
        raise ValueError("the name in an entry is not a UTF8String")
    return found
