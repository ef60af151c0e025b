"""The embedded vault: all master keys in one sealed file, changed by atomic replacement under a lock.

A change reads the file anew under the lock, so what another process added is never lost. Readers need no lock; each
call looks whether the file was replaced (one `stat`), so that a set retired by a command ends in the running host at
once. Terminal keys are derived on demand and the last ones kept, never stored. Where the file vanishes (a stick
pulled out after the start) the host goes on with what it has read; changes are refused.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from prewatt.crypto import suite
from prewatt.host.keys.content import VaultContent
from prewatt.host.keys.durable import FileStamp, one_writer, read_stamped, replace_whole, stamp_of
from prewatt.host.keys.errors import (
    KeySetMissingError,
    VaultError,
    VaultExistsError,
    VaultMissingError,
    WrongSecretError,
)
from prewatt.host.keys.sealed import (
    NONCE_BYTES,
    SALT_BYTES,
    VAULT_MAX_BYTES,
    SealCost,
    SealHeader,
    SealingKey,
    open_vault,
    read_header,
    seal_vault,
)
from prewatt.host.keys.secret import VaultSecret
from prewatt.host.keys.vault import KeySet, KeySetState, KeyVault, refuse_retired

__all__ = ["TERMINAL_KEYS_CACHED_MAX", "FileVault"]

# Terminal keys kept: 64 full stations, about 4 MB. Deriving one again costs microseconds, so more gains little.
TERMINAL_KEYS_CACHED_MAX: Final = 16_384

RandomBytes = Callable[[int], bytes]


class _Held:
    """One reading of the file: immutable, replaced as a whole, with the cache of what was derived from it."""

    __slots__ = ("content", "derive", "stamp")

    def __init__(self, content: VaultContent, stamp: FileStamp) -> None:
        self.content = content
        self.stamp = stamp
        masters = {each.shown.index: (suite(each.shown.suite), each) for each in content.sets}

        @lru_cache(maxsize=TERMINAL_KEYS_CACHED_MAX)
        def derive(index: int, meter_id: bytes) -> bytes:
            found = masters.get(index)
            if found is None:
                raise KeySetMissingError(f"key set {index}: not in this vault; list the sets it has")
            its_suite, held = found
            if held.shown.state is KeySetState.RETIRED:
                raise refuse_retired(index)
            return its_suite.terminal_key(held.master, meter_id, index)

        self.derive = derive


class FileVault(KeyVault):
    """Made by `create` or `open`; safe for several threads and processes."""

    __slots__ = ("_held", "_key", "_path", "_random", "_stat_path", "_thread_lock")

    def __init__(self, path: Path, key: SealingKey, held: _Held, random: RandomBytes) -> None:
        self._path = path
        self._stat_path = os.fspath(path)
        self._key = key
        self._held = held
        self._random = random
        self._thread_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"FileVault({str(self._path)!r}, {len(self._held.content.sets)} sets)"

    def __reduce__(self) -> str:
        raise TypeError("a vault is not copied or stored; open it again where it is needed")

    @property
    def path(self) -> Path:
        """Where the sealed file is."""
        return self._path

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        secret: VaultSecret,
        *,
        suites: Sequence[str],
        now_s: int,
        random: RandomBytes = os.urandom,
        cost: SealCost | None = None,
    ) -> "FileVault":
        """A new vault with one set for each name in `suites` (at least one; two let one be replaced), from index 0.

        `now_s` (UTC) becomes their `created_s`. VaultExistsError where a file is there already, VaultMissingError where
        the folder is not; ValueError for an unknown suite.
        """
        place = _place_of(path)
        if not suites:
            raise ValueError("suites: none given; allowed is one name for each key set, such as aes-2026")
        content = VaultContent()
        for name in suites:
            content = _with_new_set(content, name, None, now_s, random)
        with _as_vault_errors(place), one_writer(place):
            if place.exists():
                raise VaultExistsError(f"vault {place}: exists already; keys are never written over")
            key = SealingKey(secret, SealHeader(cost or SealCost(), random(SALT_BYTES)))
            stamp = replace_whole(place, seal_vault(content.build(), key, random(NONCE_BYTES)))
        return cls(place, key, _Held(content, stamp), random)

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], secret: VaultSecret, *, random: RandomBytes = os.urandom
    ) -> "FileVault":
        """An existing vault; takes the time argon2id was set to cost (a few tenths of a second).

        VaultMissingError, DamagedVaultError, VaultVersionError or WrongSecretError where it cannot be opened.
        """
        place = _place_of(path)
        with _as_vault_errors(place):
            file, stamp = read_stamped(place, VAULT_MAX_BYTES)
        key = SealingKey(secret, read_header(file))
        return cls(place, key, _Held(VaultContent.parse(open_vault(file, key)), stamp), random)

    def sets(self) -> list[KeySet]:
        """Every set, active and retired, by index; sees what other processes changed."""
        return [each.shown for each in self._fresh().content.sets]

    def terminal_key(self, index: int, meter_id: bytes) -> bytes:
        """KT of one meter (3 bytes) under set `index`; KeySetMissingError, KeySetRetiredError, ValueError."""
        return self._fresh().derive(index, meter_id)

    def add(self, suite: str, index: int | None = None, *, now_s: int) -> KeySet:
        """A new set under `index`, or under the lowest index never used."""
        with self._changing() as content:
            changed = _with_new_set(content, suite, index, now_s, self._random)
            self._write(changed, self._key)
        before = {each.shown.index for each in content.sets}
        return next(each.shown for each in changed.sets if each.shown.index not in before)

    def retire(self, index: int) -> KeySet:
        """Ends a set for good."""
        with self._changing() as content:
            changed = content.retired(index)
            self._write(changed, self._key)
        return changed.find(index).shown

    def reseal(self, secret: VaultSecret, *, cost: SealCost | None = None) -> None:
        """Seals the vault under another passphrase or key file (or cost); processes that hold it must open it again."""
        with self._changing() as content:
            header = SealHeader(cost or self._key.header.cost, self._random(SALT_BYTES))
            self._write(content, SealingKey(secret, header))

    def _fresh(self) -> _Held:
        """What the file holds now, read again only where it was replaced."""
        try:
            stamp = stamp_of(os.stat(self._stat_path))
        except OSError:
            return self._held
        if stamp != self._held.stamp:
            with self._thread_lock:
                self._read_again()
        return self._held

    @contextmanager
    def _changing(self) -> Iterator[VaultContent]:
        """The newest content, while no other thread or process may change it."""
        with self._thread_lock, _as_vault_errors(self._path), one_writer(self._path):
            self._read_again()
            yield self._held.content

    def _read_again(self) -> None:
        with _as_vault_errors(self._path):
            file, stamp = read_stamped(self._path, VAULT_MAX_BYTES)
        if stamp == self._held.stamp:
            return
        if read_header(file) != self._key.header:
            raise WrongSecretError(f"vault {self._path}: sealed anew under another secret; open it again with that one")
        self._held = _Held(VaultContent.parse(open_vault(file, self._key)), stamp)

    def _write(self, content: VaultContent, key: SealingKey) -> None:
        stamp = replace_whole(self._path, seal_vault(content.build(), key, self._random(NONCE_BYTES)))
        self._key = key
        self._held = _Held(content, stamp)


def _place_of(path: str | os.PathLike[str]) -> Path:
    # The file itself, not a link to it: replacing a link would leave the old keys behind.
    return Path(os.path.realpath(path))


def _with_new_set(content: VaultContent, name: str, index: int | None, now_s: int, random: RandomBytes) -> VaultContent:
    chosen = suite(name)
    return content.added(
        chosen.name, content.free_index() if index is None else index, now_s, random(chosen.master_bytes)
    )


@contextmanager
def _as_vault_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        if place.parent.is_dir():
            raise VaultMissingError(f"vault {place}: there is none; make one with `prewatt keys init`") from None
        raise VaultMissingError(f"vault {place}: its folder does not exist") from None
    except OSError as error:
        raise VaultError(f"vault {place}: cannot be read or written ({error.strerror})") from error
