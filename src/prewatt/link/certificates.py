"""Certificates of one installation: its own authority, and what it signs for each box.

There is no public authority and no default: the host makes its own (ECDSA P-256, RFC 5280), and a box is believed
only for the name in a certificate that this authority signed. The name is a URI among the alternative names
(`prewatt.link.names`), with the edition of the papers; message servers bear a second one, which all of them have in
common, and by which they let each other in. A station may only call; host, areas and message servers may also be
called, so a stolen station cannot pose as what stands above it. Times are UTC seconds, given by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from prewatt.link.names import Bearer, BoxName, Role, servers_uri
from prewatt.link.validity import AUTHORITY_DAYS, BOX_DAYS
from prewatt.units import DAY_S, ValueFieldError

__all__ = [
    "AUTHORITY_DAYS",
    "BOX_DAYS",
    "DAYS_MAX",
    "Authority",
    "BoxPapers",
    "CertificateError",
    "issue",
    "make_authority",
    "read_bearer",
    "read_expiry_s",
    "read_name",
    "read_serial",
]

DAYS_MAX: Final = AUTHORITY_DAYS
# Clocks of boxes differ: what was signed just now holds for a box whose clock is an hour slow.
_BEFORE_S: Final = 3_600
_ADDRESSES_MAX: Final = 16
_COMMON_NAME_CHARS_MAX: Final = 64


class CertificateError(ValueError):
    """A certificate or key that cannot be used, in one line."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The installation's own authority: its certificate, and the key that nothing but the host holds."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """The certificate that every box trusts."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def build_key(self) -> bytes:
        """The key as PKCS#8; it is for the sealed file alone."""
        return _key_bytes(self.key, serialization.Encoding.DER)

    @classmethod
    def parse(cls, pem: bytes, key: bytes) -> "Authority":
        """Of `pem` and `build_key`; CertificateError where they are not an authority and its key."""
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            private = serialization.load_der_private_key(key, None)
        except ValueError as error:
            raise CertificateError(f"authority: cannot be read ({error})") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != certificate.public_key():
            raise CertificateError("authority: the key is not that of the certificate")
        return cls(certificate, private)


@dataclass(frozen=True, slots=True)
class BoxPapers:
    """What a box gets: its certificate, its key, and the certificate of the authority it trusts (all PEM)."""

    certificate: bytes
    key: bytes = field(repr=False)
    authority: bytes


def make_authority(installation: str, now_s: int) -> Authority:
    """A fresh authority for the installation with this id."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(installation, "authority")
    usage = _key_usage(signs_certificates=True)
    builder = (
        _builder(name, name, key.public_key(), now_s, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Authority(builder.sign(key, hashes.SHA256()), key)


def issue(
    authority: Authority,
    bearer: Bearer | BoxName,
    now_s: int,
    *,
    days: int = BOX_DAYS,
    reached_at: Sequence[str] = (),
    servers_edition: int = 0,
) -> BoxPapers:
    """A fresh key and certificate for a box, valid for ``days`` from ``now_s``; a name alone is its first edition.

    ``reached_at`` are the host names and IP addresses of a message server, by which its sisters and leaf nodes know it
    when they call; ``servers_edition`` is that of the name that servers have in common. Nobody else's papers hold an
    address, so no other box can pose as a server. ValueFieldError for days or addresses that are not allowed, or where
    the authority ends before.
    """
    bearer = Bearer(bearer) if isinstance(bearer, BoxName) else bearer
    name = bearer.box
    if not 1 <= days <= DAYS_MAX:
        raise ValueFieldError("days", days, f"1 to {DAYS_MAX}")
    if now_s + days * DAY_S > read_expiry_s(authority.certificate):
        raise ValueFieldError("days", days, "up to the end of the authority's own certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if name.role is not Role.STATION:
        uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
    public, own = key.public_key(), _subject(name.installation, str(name))
    builder = (
        _builder(own, authority.certificate.subject, public, now_s, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(_alternative_names(bearer, servers_edition, reached_at), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    certificate = builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return BoxPapers(certificate, _key_bytes(key, serialization.Encoding.PEM), authority.pem)


def read_name(pem: bytes, authority_pem: bytes | None = None) -> BoxName:
    """The box that a certificate names; errors of `read_bearer`."""
    return read_bearer(pem, authority_pem).box


def read_bearer(pem: bytes, authority_pem: bytes | None = None) -> Bearer:
    """Whose papers these are; CertificateError where they name no box, or the authority did not sign them."""
    certificate = _load(pem)
    if authority_pem is not None:
        try:
            certificate.verify_directly_issued_by(_load(authority_pem))
        except (InvalidSignature, ValueError, TypeError):
            raise CertificateError("certificate: not signed by the authority that lies beside it") from None
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return Bearer.parse(names.get_values_for_type(x509.UniformResourceIdentifier)[0])
    except (x509.ExtensionNotFound, ValueError, IndexError) as error:
        raise CertificateError(f"certificate: names no box ({error})") from None


def read_expiry_s(certificate: bytes | x509.Certificate) -> int:
    """The UTC second after which the certificate (PEM) is no longer believed."""
    found = _load(certificate) if isinstance(certificate, bytes) else certificate
    return int(found.not_valid_after_utc.timestamp())


def read_serial(pem: bytes) -> int:
    """The number by which the authority tells one certificate from the next."""
    return _load(pem).serial_number


def _load(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateError(f"certificate: cannot be read ({error})") from None


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now_s: int, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(max(now_s - _BEFORE_S, 0), UTC))
        .not_valid_after(datetime.fromtimestamp(now_s + days * DAY_S, UTC))
    )


def _subject(installation: str, what: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"prewatt {installation}"[:_COMMON_NAME_CHARS_MAX]),
            x509.NameAttribute(NameOID.COMMON_NAME, what),
        ]
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(bearer: Bearer, servers_edition: int, reached_at: Sequence[str]) -> x509.SubjectAlternativeName:
    if reached_at and bearer.box.role is not Role.SERVER:
        raise ValueFieldError("addresses", ", ".join(reached_at), f"none in the papers of {bearer.box}")
    if len(reached_at) > _ADDRESSES_MAX:
        raise ValueFieldError("addresses", len(reached_at), f"up to {_ADDRESSES_MAX}")
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(bearer.uri)]
    if bearer.box.role is Role.SERVER:
        names.append(x509.UniformResourceIdentifier(servers_uri(bearer.box.installation, servers_edition)))
    for address in reached_at:
        try:
            names.append(x509.IPAddress(ip_address(address)))
        except ValueError:
            if not address or not address.isascii() or not address.replace("-", "").replace(".", "").isalnum():
                raise ValueFieldError("address", address, "an IP address or a host name") from None
            names.append(x509.DNSName(address))
    return x509.SubjectAlternativeName(names)


def _key_bytes(key: ec.EllipticCurvePrivateKey, encoding: serialization.Encoding) -> bytes:
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
