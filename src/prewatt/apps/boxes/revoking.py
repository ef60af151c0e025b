"""Revoking the papers of a box that was stolen or lost, and bringing the word to whoever would still let it in.

    DATA/revoked.pem   the list, a CRL signed by the authority (`prewatt.link.revocation`)

All papers of a box are revoked at once, and its next ones are another edition. The list is durable before the record
says so; a power cut between leaves a box that is revoked and can be revoked again. What an older list says stays said:
a list that was restored from a backup, or put back from a box, is only ever added to.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.x509 import random_serial_number

from prewatt.apps.boxes.authority import HOST_PAPERS, copy_revoked, open_authority, read_revoked
from prewatt.apps.boxes.issued import ISSUED_NAME, Issued, RevokedBox, read_issued
from prewatt.apps.settings import Settings
from prewatt.host.keys.durable import one_writer, replace_whole
from prewatt.link.certificates import Authority
from prewatt.link.names import Bearer, BoxName, Role
from prewatt.link.natsconfig import renew_hub_config
from prewatt.link.papers import REVOKED_NAME, Papers, write_file
from prewatt.link.revocation import Revocation, RevokedList, build_list, parse_list
from prewatt.units import ValueFieldError

__all__ = ["REASON_CHARS_MAX", "Revoked", "bring_list", "revoke"]

REASON_CHARS_MAX: Final = 200
_CONFIG_NAME: Final = "server.conf"


@dataclass(frozen=True, slots=True)
class Revoked:
    """What was done: so many papers of one edition, in the list at ``path``."""

    box: str
    edition: int
    papers: int
    path: Path


def revoke(settings: Settings, name: BoxName, reason: str, now_s: int, *, unrecorded: bool = False) -> Revoked:
    """Revokes all papers that a box has; ``unrecorded``: also where none are on record, because the record was lost.

    ValueFieldError where there is nothing to revoke, or for a reason that is none; errors of `open_authority`,
    `read_revoked` and `read_issued`.
    """
    if not 1 <= len(reason.strip()) <= REASON_CHARS_MAX:
        raise ValueFieldError("reason", reason, f"1 to {REASON_CHARS_MAX} characters")
    authority = open_authority(settings, name.installation, now_s)
    with one_writer(settings.data / ISSUED_NAME):
        record, known = read_issued(settings.data), read_revoked(settings.data, authority)
        box = str(name)
        entries = [Revocation(int(each.serial, 16), Bearer(name, each.edition), now_s) for each in record.holding(box)]
        if not entries and unrecorded:
            # Nobody knows the numbers of these papers: an entry that is no certificate's ends their edition.
            entries = [Revocation(random_serial_number(), Bearer(name, known.edition_of(name)), now_s)]
        if not entries:
            raise ValueFieldError("box", box, f"one that has papers; {_why_none(record, box)}")
        path = _write(settings.data, authority, known, entries, now_s)
        edition = max(each.bearer.edition for each in entries)
        done = RevokedBox(box, edition, len(entries), now_s, reason.strip())
        replace_whole(settings.data / ISSUED_NAME, record.revoking(done).build())
    return Revoked(box, edition, len(entries), path)


def bring_list(data: Path, folder: Path) -> str:
    """The newest list into the folder of a box or of a message server, whose users are written anew by it; gives whose
    folder it is. CertificateError where it has no papers, ValueFieldError for a configuration that is not ours."""
    try:
        parse_list((data / REVOKED_NAME).read_bytes(), Papers(folder).authority_file.read_bytes())
    except FileNotFoundError:
        allowed = f"a file in {data}, which is there once papers of a box were revoked"
        raise ValueFieldError("list", REVOKED_NAME, allowed) from None
    copy_revoked(data, folder)
    papers, config = Papers(folder), folder / _CONFIG_NAME
    if papers.name.role is Role.SERVER and config.exists():
        write_file(folder, _CONFIG_NAME, renew_hub_config(config.read_text(), papers).encode())
    return str(papers.name)


def _write(data: Path, authority: Authority, known: RevokedList, fresh: list[Revocation], now_s: int) -> Path:
    """A number from the clock: also after a restore it is above all that boxes have seen."""
    number = max(known.number + 1, now_s)
    replace_whole(data / REVOKED_NAME, build_list(authority, number, (*fresh, *known.revoked), now_s))
    if (data / HOST_PAPERS).exists():
        copy_revoked(data, data / HOST_PAPERS)
    return data / REVOKED_NAME


def _why_none(record: Issued, box: str) -> str:
    last = [each for each in record.revoked if each.box == box]
    return f"all of {box} are revoked already" if last else f"none of {box} are on record"
