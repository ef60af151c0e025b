"""Papers that are read again when their files change, so that a box takes up new ones while it runs.

Each handshake looks at the files first (their inode, time and length) and uses what lies there now; an open connection
goes on. What cannot be used, as when only half of the files were copied, papers of another box, or a list of revoked
papers older than the one in use, is told in the log once, and the box goes on with what it had.
"""

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from prewatt.link.carrier import CarrierClosedError
from prewatt.link.certificates import CertificateError
from prewatt.link.names import BoxName
from prewatt.link.papers import REVOKED_NAME, Papers, PeerCertificate, peer_name
from prewatt.link.validity import PAPERS_WARN_DAYS
from prewatt.units import DAY_S

__all__ = ["LivePapers", "read_for_dialling"]

_log = structlog.get_logger("prewatt.boxes")
_Admits = Callable[[BoxName | None], bool]
# Inode, time of the last change in ns, length of each file; None where there is none.
_Stamp = tuple[tuple[int, int, int] | None, ...]


class LivePapers:
    """The papers in a folder as they are now. CertificateError where those it begins with cannot be used."""

    def __init__(self, folder: Path, *, tells: bool = False) -> None:
        """``tells``: the log is told of every change; of several in one process one does."""
        self._tells = tells
        self._papers = Papers(folder)
        self._papers.caller_tls()
        self._stamp = _stamp_of(self._papers)
        self._said = ""

    @property
    def now(self) -> Papers:
        """What lies in the folder now, or did when it could last be used."""
        stamp = _stamp_of(self._papers)
        if stamp != self._stamp:
            try:
                self._take(Papers(self._papers.folder))
                self._said = ""
            except CertificateError as error:
                self._tell(str(error))
            else:
                self._stamp = stamp
        return self._papers

    @property
    def name(self) -> BoxName:
        """The box, which no change of its papers changes."""
        return self._papers.name

    def refuses(self, certificate: PeerCertificate | None) -> str:
        """Why the bearer of this certificate is believed no more; empty where it is."""
        return self.now.refuses(certificate)

    def warn_of(self, certificate: PeerCertificate | None) -> None:
        """Tells the log where a peer's papers end soon: they come in with these until then, and no longer."""
        if certificate:
            left_s = ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()
            if left_s < PAPERS_WARN_DAYS * DAY_S:
                days = max(int(left_s // DAY_S), 0)
                _log.warning("papers of a peer end soon", peer=str(peer_name(certificate)), days_left=days)

    def caller_tls(self, admits: _Admits | None = None) -> ssl.SSLContext:
        """As `Papers.caller_tls`, each time with the papers that lie there then."""
        return _Renewed(ssl.PROTOCOL_TLS_CLIENT, self, lambda papers: papers.caller_tls(admits))

    def listener_tls(self) -> ssl.SSLContext:
        """As `Papers.listener_tls`, each time with the papers that lie there then."""
        return _Renewed(ssl.PROTOCOL_TLS_SERVER, self, Papers.listener_tls)

    def _take(self, fresh: Papers) -> None:
        old = self._papers
        if fresh.name != old.name:
            raise CertificateError(f"papers {fresh.folder}: are those of {fresh.name} now; this is {old.name}")
        if fresh.revoked.number < old.revoked.number:
            why = f"list {fresh.revoked.number} is older than list {old.revoked.number}"
            raise CertificateError(f"papers {fresh.folder}: {REVOKED_NAME}: {why}")
        fresh.caller_tls()
        self._papers = fresh
        if self._tells and fresh.serial != old.serial:
            _log.info("new papers are in use", box=str(fresh.name), valid_until_s=fresh.expires_s)
        if self._tells and fresh.revoked.number != old.revoked.number:
            _log.info("new list of revoked papers is in use", box=str(fresh.name), revoked=len(fresh.revoked.revoked))

    def _tell(self, why: str) -> None:
        if self._tells and why != self._said:
            _log.error("papers that changed are not taken up", cause=why)
        self._said = why


def read_for_dialling(folder: Path, admits: _Admits | None = None) -> tuple[LivePapers, ssl.SSLContext]:
    """The papers with which a box dials; CarrierClosedError where those there cannot be used just now, as while they
    are being copied, or have ended."""
    try:
        live = LivePapers(folder)
        live.now.checked_for_dialling()
        return live, live.caller_tls(admits)
    except CertificateError as error:
        raise CarrierClosedError(str(error)) from None


class _Renewed(ssl.SSLContext):
    """A context that stands for the newest one that can be made."""

    _live: LivePapers
    _make: Callable[[Papers], ssl.SSLContext]
    _papers: Papers
    _context: ssl.SSLContext

    def __new__(cls, kind: int, live: LivePapers, make: Callable[[Papers], ssl.SSLContext]) -> "_Renewed":
        made = super().__new__(cls, kind)
        made._live, made._make, made._papers = live, make, live.now
        made._context = make(made._papers)
        return made

    def wrap_bio(self, *words: Any, **named: Any) -> ssl.SSLObject:  # noqa: ANN401 - as asyncio calls it
        papers = self._live.now
        if papers is not self._papers:
            # Where the files changed again meanwhile, the next handshake finds what is whole.
            with suppress(CertificateError):
                self._context, self._papers = self._make(papers), papers
        return self._context.wrap_bio(*words, **named)


def _stamp_of(papers: Papers) -> _Stamp:
    return tuple(_stamp_of_file(path) for path in papers.files)


def _stamp_of_file(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
