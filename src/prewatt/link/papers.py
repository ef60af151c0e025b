"""A box's papers on disk: the folder that `prewatt ... certify` writes, and the TLS contexts made of it.

    DIR/box.pem   its certificate      DIR/box.key   its key, mode 0600      DIR/authority.pem   whom it trusts

TLS 1.3 only, certificates on both sides, no public authority.
"""

import os
import ssl
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from prewatt.link.carrier import CarrierClosedError
from prewatt.link.certificates import BoxPapers, CertificateError, read_expiry_s, read_name
from prewatt.link.names import BoxName

__all__ = ["Papers", "peer_name", "write_papers"]

_CERTIFICATE: Final = "box.pem"
_KEY: Final = "box.key"
_AUTHORITY: Final = "authority.pem"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


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
            self.name: BoxName = read_name(pem, self._authority)
            self.expires_s = read_expiry_s(pem)
        except CertificateError as error:
            raise CertificateError(f"papers {folder}: {error}") from None

    def checked_for_dialling(self) -> "Papers":
        """Itself; CarrierClosedError where its certificate has ended meanwhile: who listens would only hang up."""
        if time.time() > self.expires_s:
            certify = f"`prewatt {self.name.role} certify`"
            raise CarrierClosedError(f"papers {self.folder}: the certificate has expired; make another with {certify}")
        return self

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

    def caller_tls(self, admits: Callable[[BoxName | None], bool] | None = None) -> ssl.SSLContext:
        """For an end that dials. ``admits``: whom it may find there; the handshake with any other fails. None: the
        caller looks at the name itself."""
        context = self._tls(ssl.PROTOCOL_TLS_CLIENT)
        if admits is not None:
            context.sslobject_class = _looking(admits)
        return context

    def listener_tls(self) -> ssl.SSLContext:
        """For an end that is dialled."""
        return self._tls(ssl.PROTOCOL_TLS_SERVER)

    def _tls(self, kind: int) -> ssl.SSLContext:
        context = ssl.SSLContext(kind)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # a box is known by the name in its certificate, wherever it stands
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(self.authority_file)
            context.load_cert_chain(self.certificate_file, self.key_file)
        except (ssl.SSLError, OSError) as error:
            raise CertificateError(f"papers {self.folder}: cannot be used ({error.strerror or error})") from None
        return context


def peer_name(certificate: Mapping[str, Any] | None) -> BoxName | None:
    """The box that a peer's certificate names (as `ssl` gives it); None where there is none, or it names none."""
    uris = [value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind == "URI"]
    try:
        return BoxName.parse(uris[0]) if len(uris) == 1 else None
    except ValueError:
        return None


def _looking(admits: Callable[[BoxName | None], bool]) -> type[ssl.SSLObject]:
    class Looking(ssl.SSLObject):
        """A handshake that ends with a look at who is there, also where a library dials anew by itself."""

        def do_handshake(self) -> None:
            super().do_handshake()
            name = peer_name(self.getpeercert())
            if not admits(name):
                raise ssl.SSLCertVerificationError(f"{name or 'a peer without a name'} is not who belongs here")

    return Looking


def write_papers(folder: Path, papers: BoxPapers) -> None:
    """Writes them, each file whole; what was there of an older certificate is replaced. OSError where it cannot be."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The key first: a certificate without its key never lies there.
    for name, content in ((_KEY, papers.key), (_AUTHORITY, papers.authority), (_CERTIFICATE, papers.certificate)):
        fresh = folder / f"{name}.new"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / name)
