"""A box's papers on disk: the folder that `prewatt ... certify` writes, and the TLS contexts made of it.

    DIR/box.pem   its certificate      DIR/box.key   its key, mode 0600      DIR/authority.pem   whom it trusts
    DIR/revoked.pem   whom it trusts no more (`prewatt.link.revocation`), where it was ever given that list

TLS 1.3 only, certificates on both sides, no public authority, and no session is taken up again: each connection shows
papers anew, so none outlives them by a ticket.
"""

import os
import ssl
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from prewatt.link.carrier import CarrierClosedError
from prewatt.link.certificates import BoxPapers, CertificateError, read_bearer, read_expiry_s, read_serial
from prewatt.link.names import Bearer, BoxName
from prewatt.link.revocation import RevokedList, parse_list

__all__ = [
    "REVOKED_NAME",
    "Papers",
    "PeerCertificate",
    "peer_bearer",
    "peer_name",
    "write_file",
    "write_papers",
]

REVOKED_NAME: Final = "revoked.pem"
_CERTIFICATE: Final = "box.pem"
_KEY: Final = "box.key"
_AUTHORITY: Final = "authority.pem"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

PeerCertificate = Mapping[str, Any]
"""A peer's certificate as `ssl` gives it."""


class Papers:
    """Who a box is, by the papers in a folder. CertificateError in one line where they are missing or not its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            pem, self._authority = (folder / _CERTIFICATE).read_bytes(), (folder / _AUTHORITY).read_bytes()
            mode = (folder / _KEY).stat().st_mode
        except OSError as error:
            hint = "make them on the host with `prewatt area certify` or `prewatt station certify`"
            raise CertificateError(f"papers {folder}: {error.filename} {error.strerror}; {hint}") from None
        if mode & _OTHERS:
            shown = f"{stat.S_IMODE(mode):04o}"
            raise CertificateError(f"papers {folder}: mode {shown} of box.key lets others in; do `chmod 600` on it")
        try:
            self.bearer: Bearer = read_bearer(pem, self._authority)
            self.expires_s = read_expiry_s(pem)
            self.serial = read_serial(pem)
            self.revoked = self._read_revoked()
        except CertificateError as error:
            raise CertificateError(f"papers {folder}: {error}") from None

    def checked_for_dialling(self) -> "Papers":
        """Itself; CarrierClosedError where its certificate has ended meanwhile: who listens would only hang up."""
        if time.time() > self.expires_s:
            certify = f"`prewatt {self.name.role} certify`"
            raise CarrierClosedError(f"papers {self.folder}: the certificate has expired; make another with {certify}")
        return self

    @property
    def name(self) -> BoxName:
        """The box."""
        return self.bearer.box

    @property
    def certificate_file(self) -> Path:
        """The certificate."""
        return self.folder / _CERTIFICATE

    @property
    def key_file(self) -> Path:
        """The key."""
        return self.folder / _KEY

    @property
    def authority_file(self) -> Path:
        """The authority's certificate."""
        return self.folder / _AUTHORITY

    @property
    def files(self) -> tuple[Path, ...]:
        """All that these papers were read from; the last need not be there."""
        return (self.certificate_file, self.key_file, self.authority_file, self.folder / REVOKED_NAME)

    def refuses(self, certificate: PeerCertificate | None) -> str:
        """Why the bearer of this certificate is believed no more; empty where it is."""
        if not certificate:
            return ""
        bearer = peer_bearer(certificate)
        if bearer is not None and self.revoked.refuses(bearer, int(str(certificate["serialNumber"]), 16)):
            return f"the papers of {bearer.box} are revoked"
        return ""

    def caller_tls(self, admits: Callable[[BoxName | None], bool] | None = None) -> ssl.SSLContext:
        """For an end that dials. ``admits``: whom it may find there; the handshake with any other fails. None: the
        caller looks at the name itself."""
        context = self._tls(ssl.PROTOCOL_TLS_CLIENT)
        if admits is not None:
            context.sslobject_class = self._looking(admits)
        return context

    def listener_tls(self) -> ssl.SSLContext:
        """For an end that is dialled."""
        context = self._tls(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = 0
        return context

    def _tls(self, kind: int) -> ssl.SSLContext:
        context = ssl.SSLContext(kind)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # a box is known by the name in its certificate, wherever it stands
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(self.authority_file)
            if self.revoked.pem:
                context.load_verify_locations(self.folder / REVOKED_NAME)
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            context.load_cert_chain(self.certificate_file, self.key_file)
        except (ssl.SSLError, OSError) as error:
            raise CertificateError(f"papers {self.folder}: cannot be used ({error.strerror or error})") from None
        return context

    def _read_revoked(self) -> RevokedList:
        try:
            pem = (self.folder / REVOKED_NAME).read_bytes()
        except FileNotFoundError:
            return RevokedList()
        except OSError as error:
            raise CertificateError(f"{REVOKED_NAME}: {error.strerror}") from None
        return parse_list(pem, self._authority)

    def _looking(self, admits: Callable[[BoxName | None], bool]) -> type[ssl.SSLObject]:
        refuses = self.refuses

        class Looking(ssl.SSLObject):
            """A handshake that ends with a look at who is there, also where a library dials anew by itself."""

            def do_handshake(self) -> None:
                super().do_handshake()
                certificate = self.getpeercert()
                name = peer_name(certificate)
                why = refuses(certificate)
                if why or not admits(name):
                    raise ssl.SSLCertVerificationError(
                        why or f"{name or 'a peer without a name'} is not who belongs here"
                    )

        return Looking


def peer_bearer(certificate: PeerCertificate | None) -> Bearer | None:
    """Whose papers a peer shows; None where there are none, or they name no box."""
    uris = [value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind == "URI"]
    try:
        return Bearer.parse(uris[0]) if uris else None
    except ValueError:
        return None


def peer_name(certificate: PeerCertificate | None) -> BoxName | None:
    """The box that a peer's certificate names; None where there is none, or it names none."""
    bearer = peer_bearer(certificate)
    return None if bearer is None else bearer.box


def write_papers(folder: Path, papers: BoxPapers) -> None:
    """Writes them, each file whole; what was there of an older certificate is replaced. OSError where it cannot be."""
    # The key first: a certificate without its key never lies there.
    for name, content in ((_KEY, papers.key), (_AUTHORITY, papers.authority), (_CERTIFICATE, papers.certificate)):
        write_file(folder, name, content)


def write_file(folder: Path, name: str, content: bytes, mode: int = 0o600) -> None:
    """One file of a box's folder, whole, for its owner alone or as ``mode`` says. OSError where it cannot be."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f"{name}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / name)
