"""The host as one object: open it on a data folder, use its services, close it.

    folder = DataFolder.claim("prewatt-data", create=True)
    vault = FileVault.create(folder.vault, secret, suites=["aes-2026", "aes-2026"], now_s=now())
    host = Host.create(folder, vault, now=now)
    host.registry.enrol(Enrolment("000001"))
    host.vending.vend("000001", "10.00")

Opening notices whether the database was restored from a backup, and then sets every meter out of step (R7) before
anything can be sent.
"""

import secrets
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import insert, select

from prewatt.host.accounting import Accounting, Periods
from prewatt.host.audit import Audit
from prewatt.host.bodies import Bodies
from prewatt.host.campaigns.campaigns import Campaigns
from prewatt.host.codes import Codes
from prewatt.host.context import HostContext, Installation, log_action, read_installation
from prewatt.host.controls import Controls
from prewatt.host.customers.customers import Customers
from prewatt.host.customers.exchange import Exchange, Watch
from prewatt.host.customers.finding import Finding
from prewatt.host.customers.sought import write_sought
from prewatt.host.dispatch import Dispatch, DispatchSettings, Network
from prewatt.host.dispatch.unbooked import Unbooked
from prewatt.host.fields import check_text
from prewatt.host.folder import DataFolder, missing_text
from prewatt.host.generation import GenerationFiles, StateFolder, state_home
from prewatt.host.happenings import Happenings
from prewatt.host.keyring import KeySets
from prewatt.host.keys import KeyVault
from prewatt.host.plans.rates import Rates
from prewatt.host.polling import Polling
from prewatt.host.programs import Programs
from prewatt.host.refusals import FolderExistsError, FolderMissingError, RefusalOutcome, RefusedError
from prewatt.host.registry import Registry
from prewatt.host.restoring import unsync_all
from prewatt.host.staff.actor import Actor
from prewatt.host.staff.approvals import Approvals
from prewatt.host.staff.log import Log
from prewatt.host.staff.logins import Logins
from prewatt.host.staff.users import Users
from prewatt.host.store import Writing, schema
from prewatt.host.store.files import Database, DatabaseFile
from prewatt.host.tariffs import Tariffs
from prewatt.host.topology import AREA_DEFAULT, STATION_DEFAULT, Topology
from prewatt.host.transfers import Transfers
from prewatt.host.usage import Usage
from prewatt.host.vending import Vending
from prewatt.units import MICRO_PER_UNIT

__all__ = ["METERS_CEILING_MAX", "Host", "HostOptions"]

# 256 areas of 256 stations of 256 meters.
METERS_CEILING_MAX: Final = 256**3
_CURRENCY_DIGITS_MAX: Final = 6


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What is fixed when an installation is made."""

    name: str = "Prewatt"
    currency: str = "EUR"
    currency_digits: int = 2
    zone: str = "UTC"
    meters_ceiling: int = METERS_CEILING_MAX
    vend_ceiling_micro: int = 10_000 * MICRO_PER_UNIT

    def check(self) -> None:
        """RefusedError for what is not allowed."""
        check_text(self.name, field="name")
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isalpha()):
            raise RefusedError(RefusalOutcome.BAD_FIELD, "currency", self.currency, "three letters (ISO 4217)")
        for field, given, high in (
            ("currency_digits", self.currency_digits, _CURRENCY_DIGITS_MAX),
            ("meters_ceiling", self.meters_ceiling, METERS_CEILING_MAX),
            ("vend_ceiling_micro", self.vend_ceiling_micro, 2**62),
        ):
            if not 0 <= given <= high:
                raise RefusedError(RefusalOutcome.BAD_FIELD, field, given, f"0 to {high}")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise RefusedError(RefusalOutcome.BAD_FIELD, "zone", self.zone, "an IANA name, Europe/Paris") from None


class Host:
    """An open installation. Services are safe to use from several threads; `close` ends it."""

    def __init__(self, folder: DataFolder, context: HostContext, dispatch_settings: DispatchSettings | None) -> None:
        self._folder = folder
        self._context = context
        self._wakers: list[Callable[[str], None]] = []
        context.wake = self._wake
        self.dispatch = Dispatch(context, dispatch_settings)
        self.network = Network(context, self.dispatch)
        self._wakers.append(self.dispatch.wake)
        self.logins = Logins(context)
        self._importing = Watch()
        self._serve(context)

    def _serve(self, context: HostContext) -> None:
        """The services in the name of the context's actor."""
        self.topology = Topology(context)
        self.polling = Polling(context)
        self.registry = Registry(context)
        self.customers = Customers(context)
        self.exchange = Exchange(context, self._importing)
        self.finding = Finding(context)
        self.vending = Vending(context)
        self.transfers = Transfers(context)
        self.codes = Codes(context)
        self.bodies = Bodies(context)
        self.tariffs = Tariffs(context)
        self.rates = Rates(context)
        self.controls = Controls(context)
        self.programs = Programs(context)
        self.usage = Usage(context)
        self.happenings = Happenings(context)
        self.audit = Audit(context)
        self.accounting = Accounting(context)
        self.periods = Periods(context)
        self.log = Log(context)
        self.users = Users(context)
        self.key_sets = KeySets(context)
        self.approvals = Approvals(context)
        self.campaigns = Campaigns(context, self.dispatch.campaigns)
        self.unbooked = Unbooked(context)

    def acting(self, actor: Actor, origin: str, also: Callable[[Writing], None] | None = None) -> "Host":
        """This host for one person: the same books and field, with services that write in that person's name.

        ``also`` is done in the commit of the first thing that is written so.
        """
        bound = copy(self)
        bound._context = self._context.acting(actor, origin, also)
        bound._serve(bound._context)
        return bound

    @classmethod
    def create(
        cls,
        folder: DataFolder,
        vault: KeyVault,
        *,
        options: HostOptions | None = None,
        store: Database | None = None,
        state_dir: Path | StateFolder | None = None,
        now: Callable[[], int] = lambda: int(time.time()),
        random: Callable[[int], bytes] = secrets.token_bytes,
        dispatch_settings: DispatchSettings | None = None,
    ) -> "Host":
        """Makes a new installation in a claimed folder and opens it. FolderExistsError where there is one already."""
        database = store or DatabaseFile(folder.database)
        if database.exists():
            raise FolderExistsError(f"data folder {folder.path}: there is an installation already")
        options = options or HostOptions()
        options.check()
        installation = random(16).hex()
        database.create(lambda writing: _fill(writing, installation, options, now()))
        GenerationFiles(state_dir or state_home(), installation).begin(1, 0)
        settings = dispatch_settings
        return cls.open(
            folder, vault, store=database, state_dir=state_dir, now=now, random=random, dispatch_settings=settings
        )

    @classmethod
    def open(
        cls,
        folder: DataFolder,
        vault: KeyVault,
        *,
        store: Database | None = None,
        state_dir: Path | StateFolder | None = None,
        now: Callable[[], int] = lambda: int(time.time()),
        random: Callable[[int], bytes] = secrets.token_bytes,
        dispatch_settings: DispatchSettings | None = None,
    ) -> "Host":
        """Opens the installation in a claimed folder.

        ``now`` gives UTC seconds of the installation's clock; ``store`` is where the database lies, if not in the
        folder. FolderMissingError, FolderVersionError and StoreError say in one line why it cannot be opened.
        """
        database = store or DatabaseFile(folder.database)
        if not database.exists():
            raise FolderMissingError(missing_text(folder.path))
        opened = database.open()
        try:
            with opened.reading() as connection:
                installation = read_installation(connection)
                mark = connection.execute(select(schema.mark)).one()
            files = GenerationFiles(state_dir or state_home(), installation.id)
            opened.after_commit = files.note_commit
            context = HostContext(opened, vault, files, installation, now, random, lambda meter: None)
            _recognise(context, mark.generation, mark.commits)
        except BaseException:
            opened.close()
            raise
        return cls(folder, context, dispatch_settings)

    @property
    def installation(self) -> Installation:
        """The settings of this installation."""
        return self._context.installation

    @property
    def folder(self) -> DataFolder:
        """The data folder, for whoever publishes where this host serves."""
        return self._folder

    @property
    def context(self) -> HostContext:
        """What the services share."""
        return self._context

    def now(self) -> int:
        """UTC seconds of the installation's clock."""
        return self._context.now()

    def on_work(self, waker: Callable[[str], None]) -> None:
        """``waker`` is called with a meter's id whenever something new waits for it, from any thread."""
        self._wakers.append(waker)

    def close(self) -> None:
        """Writes what was handed in, and lets the folder go; may be called twice."""
        self._context.store.close()
        self._context.generation.close()
        self._folder.release()

    def __enter__(self) -> "Host":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wake(self, meter: str) -> None:
        for waker in self._wakers:
            waker(meter)


def _fill(writing: Writing, installation: str, options: HostOptions, now_s: int) -> None:
    """The first rows of a new database."""
    connection = writing.connection
    connection.execute(
        insert(schema.installation).values(
            one=1,
            id=installation,
            name=options.name,
            currency=options.currency.upper(),
            currency_digits=options.currency_digits,
            zone=options.zone,
            meters_ceiling=options.meters_ceiling,
            vend_ceiling_micro=options.vend_ceiling_micro,
            made_s=now_s,
        )
    )
    connection.execute(insert(schema.mark).values(one=1, generation=1, commits=0))
    connection.execute(insert(schema.areas).values(id=AREA_DEFAULT, number=0))
    connection.execute(insert(schema.stations).values(id=STATION_DEFAULT, area=AREA_DEFAULT, number=0))
    write_sought(connection, "stations", [(STATION_DEFAULT, {})])
    log_action(writing, now_s, "installation make", installation, options.name)


def _recognise(context: HostContext, generation: int, commits: int) -> None:
    """R7: a database of another generation than the state folder's, or behind it, was restored."""
    files = context.generation
    remembered = files.read()
    if remembered is not None and remembered[0] == generation and remembered[1] <= commits:
        files.begin(generation, commits)
        return
    fresh = max(generation, remembered[0] if remembered is not None else 0) + 1
    commits, asked = context.store.write(lambda writing: unsync_all(writing, context, fresh))
    # Before the new generation: a state folder that was lost, or put back itself, knows them all again.
    files.note_epochs(asked)
    files.begin(fresh, commits)
