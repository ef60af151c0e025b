"""The installation's own authority on disk, and the papers that it signs for boxes.

    DATA/authority.pem   its certificate      DATA/authority.sealed   its key, sealed like the vault, under its secret

It is made when it is first needed. What it signs is believed for years, so its key never leaves the sealed file.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

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
from prewatt.link.certificates import BOX_DAYS, Authority, BoxPapers, CertificateError, issue, make_authority
from prewatt.link.names import BoxName, host_name
from prewatt.link.papers import write_papers

__all__ = ["AUTHORITY_NAME", "certify", "open_authority", "write_host_papers"]

AUTHORITY_NAME: Final = "authority.pem"
_SEALED_NAME: Final = "authority.sealed"
_HOST_PAPERS: Final = "papers"


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
    """Fresh papers for a box of this installation; errors of `open_authority` and `issue`."""
    return issue(open_authority(settings, name.installation, now_s), name, now_s, days=days, reached_at=at)


def write_host_papers(settings: Settings, installation: str, now_s: int) -> Path:
    """The folder with the host's own papers, signed anew: the host that starts has papers that hold for years."""
    folder = settings.data / _HOST_PAPERS
    write_papers(folder, certify(settings, host_name(installation), now_s))
    return folder


def _make(settings: Settings, installation: str, now_s: int) -> Authority:
    # Nothing is sealed under a secret that does not open the vault: a passphrase typed wrongly would be lost with it.
    open_vault(settings)
    secret, cost = read_secret(settings), read_header((settings.data / VAULT_NAME).read_bytes()).cost
    authority = make_authority(installation, now_s)
    key = SealingKey(secret, SealHeader(cost, os.urandom(SALT_BYTES)))
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
