"""The installation's own authority on disk, and the papers that it signs for boxes.

    DATA/authority.pem   its certificate      DATA/authority.sealed   its key, sealed like the vault, under its secret
    DATA/revoked.pem     the list of papers that are believed no more, once there are any

It is made when it is first needed. What it signs is believed for years, so its key never leaves the sealed file.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from prewatt.apps.boxes.issued import ISSUED_NAME, IssuedPapers, read_issued
from prewatt.apps.settings import Settings
from prewatt.apps.vault import open_vault, read_secret
from prewatt.host.folder import VAULT_NAME
from prewatt.host.keys import VaultError
from prewatt.host.keys.durable import one_writer, replace_whole
from prewatt.host.keys.sealed import (
    NONCE_BYTES,
    SALT_BYTES,
    VAULT_MAX_BYTES,
    SealHeader,
    SealingKey,
    read_header,
    seal_vault,
)
from prewatt.host.keys.sealed import (
    open_vault as open_sealed,
)
from prewatt.link.certificates import (
    Authority,
    BoxPapers,
    CertificateError,
    issue,
    make_authority,
    read_expiry_s,
    read_serial,
)
from prewatt.link.names import Bearer, BoxName, host_name
from prewatt.link.papers import REVOKED_NAME, Papers, write_file, write_papers
from prewatt.link.revocation import RevokedList, parse_list
from prewatt.link.validity import BOX_DAYS
from prewatt.units import DAY_S

__all__ = [
    "AUTHORITY_NAME",
    "HOST_PAPERS",
    "certify",
    "copy_revoked",
    "open_authority",
    "read_revoked",
    "write_box_papers",
    "write_host_papers",
]

AUTHORITY_NAME: Final = "authority.pem"
_SEALED_NAME: Final = "authority.sealed"
HOST_PAPERS: Final = "papers"


def open_authority(settings: Settings, installation: str, now_s: int) -> Authority:
    """The authority of the installation in the data folder, made where there is none yet.

    VaultError where its sealed key does not open or is damaged, CertificateError where the two files do not match.
    """
    sealed, public = settings.data / _SEALED_NAME, settings.data / AUTHORITY_NAME
    with one_writer(sealed):
        if not sealed.exists():
            return _make(settings, installation, now_s)
        key = _open(settings, sealed)
    try:
        return Authority.parse(public.read_bytes(), key)
    except OSError as error:
        raise CertificateError(f"authority {public}: {error.strerror}") from None
    except CertificateError as error:
        raise CertificateError(f"authority {public}: {error}") from None


def certify(
    settings: Settings, name: BoxName, now_s: int, *, days: int = BOX_DAYS, at: Sequence[str] = ()
) -> BoxPapers:
    """Fresh papers for a box of this installation, in the edition that is believed, and on record; errors of
    `open_authority`, `issue`, `read_revoked` and `read_issued`."""
    authority = open_authority(settings, name.installation, now_s)
    with one_writer(settings.data / ISSUED_NAME):
        record, revoked = read_issued(settings.data), read_revoked(settings.data, authority)
        bearer = Bearer(name, max(revoked.edition_of(name), record.edition_of(str(name))))
        papers = issue(authority, bearer, now_s, days=days, reached_at=at, servers_edition=revoked.servers_edition())
        made = IssuedPapers(
            str(name), bearer.edition, f"{read_serial(papers.certificate):x}", now_s, read_expiry_s(papers.certificate)
        )
        replace_whole(settings.data / ISSUED_NAME, record.adding(made).build())
    return papers


def write_box_papers(settings: Settings, folder: Path, papers: BoxPapers) -> None:
    """Papers into a box's folder, with the list of those that are revoked, where there is one."""
    there = folder / REVOKED_NAME
    try:
        parse_list(there.read_bytes(), papers.authority)
    except FileNotFoundError:
        pass
    except CertificateError:
        # Of an authority that was lost: it says nothing about papers of this one.
        there.unlink()
    write_papers(folder, papers)
    copy_revoked(settings.data, folder)


def read_revoked(data: Path, authority: Authority) -> RevokedList:
    """The installation's list of revoked papers; CertificateError where it is not this authority's."""
    path = data / REVOKED_NAME
    try:
        return parse_list(path.read_bytes(), authority.pem)
    except FileNotFoundError:
        return RevokedList()
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror}") from None
    except CertificateError as error:
        raise CertificateError(f"{path}: {error}") from None


def copy_revoked(data: Path, folder: Path) -> None:
    """The list into the folder of a box, where it is another than that there. OSError where it cannot be written."""
    with suppress(FileNotFoundError):
        newest, there = (data / REVOKED_NAME).read_bytes(), folder / REVOKED_NAME
        if not there.exists() or there.read_bytes() != newest:
            # It holds nothing secret, and whoever brings it need not be who runs the box.
            write_file(folder, REVOKED_NAME, newest, mode=0o644)


def write_host_papers(settings: Settings, installation: str, now_s: int) -> Path:
    """The folder with the host's own papers; signed anew where those there hold for less than half their time."""
    folder = settings.data / HOST_PAPERS
    copy_revoked(settings.data, folder)
    if not _hold(settings, folder, host_name(installation), now_s):
        write_box_papers(settings, folder, certify(settings, host_name(installation), now_s))
    return folder


def _hold(settings: Settings, folder: Path, name: BoxName, now_s: int) -> bool:
    try:
        papers = Papers(folder)
        papers.caller_tls()
        trusted = papers.authority_file.read_bytes() == (settings.data / AUTHORITY_NAME).read_bytes()
    except (CertificateError, OSError):
        return False
    long = papers.expires_s - now_s > BOX_DAYS * DAY_S // 2
    return trusted and long and papers.name == name and not papers.revoked.refuses(papers.bearer, papers.serial)


def _make(settings: Settings, installation: str, now_s: int) -> Authority:
    # Nothing is sealed under a secret that does not open the vault: a passphrase typed wrongly would be lost with it.
    open_vault(settings)
    secret, cost = read_secret(settings), read_header((settings.data / VAULT_NAME).read_bytes()).cost
    authority = make_authority(installation, now_s)
    key = SealingKey(secret, SealHeader(cost, os.urandom(SALT_BYTES)))
    # What an authority before this one gave out or revoked, nobody believes or asks for any more.
    for name in (REVOKED_NAME, ISSUED_NAME):
        (settings.data / name).unlink(missing_ok=True)
    # The certificate first: a key whose certificate was lost in a power cut would be found, and match nothing.
    replace_whole(settings.data / AUTHORITY_NAME, authority.pem)
    replace_whole(settings.data / _SEALED_NAME, seal_vault(authority.build_key(), key, os.urandom(NONCE_BYTES)))
    return authority


def _open(settings: Settings, sealed: Path) -> bytes:
    secret = read_secret(settings)
    try:
        file = sealed.read_bytes()[: VAULT_MAX_BYTES + 1]
        return open_sealed(file, SealingKey(secret, read_header(file)))
    except VaultError as error:
        raise type(error)(f"authority {sealed}: {error}") from None
