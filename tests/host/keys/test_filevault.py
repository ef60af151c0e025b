"""The sealed file as a file: opening, damage, replacing, other processes."""

import contextlib
import os
import pickle
import stat
import subprocess
import sys
import threading

import pytest

from prewatt.host.keys import (
    DamagedVaultError,
    FileVault,
    KeySetRetiredError,
    VaultBusyError,
    VaultError,
    VaultExistsError,
    VaultMissingError,
    VaultSecret,
    WrongSecretError,
    durable,
)
from prewatt.host.keys.durable import one_writer, replace_whole

METER = b"\x12\x34\x56"


def test_an_opened_vault_gives_the_same_sets_and_keys(vault, secret):
    vault.add("tdes-1998", 77, now_s=5)
    vault.retire(1)
    again = FileVault.open(vault.path, secret)
    assert again.sets() == vault.sets()
    for index in (0, 2, 77):
        assert again.terminal_key(index, METER) == vault.terminal_key(index, METER)
    with pytest.raises(KeySetRetiredError):
        again.terminal_key(1, METER)


def test_the_file_is_for_its_owner_only_and_holds_no_key_in_clear(vault, secret, tmp_path):
    old_mask = os.umask(0)
    try:
        vault.add("aes-2026", now_s=5)
    finally:
        os.umask(old_mask)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    file = vault.path.read_bytes()
    for each in vault._held.content.sets:
        assert each.master not in file
        assert each.master.hex().encode() not in file
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.vault", "keys.vault.lock"]


def test_the_default_cost_is_the_one_of_rfc_9106_and_works(tmp_path, secret):
    vault = FileVault.create(tmp_path / "v", secret, suites=["aes-2026"], now_s=1)
    cost = vault._key.header.cost
    assert (cost.time_cost, cost.memory_kib, cost.lanes) == (3, 65_536, 4)
    assert FileVault.open(tmp_path / "v", secret).terminal_key(0, METER) == vault.terminal_key(0, METER)


def test_system_randomness_makes_other_keys_in_every_vault(tmp_path, secret, low_cost):
    keys = set()
    for name in "abc":
        vault = FileVault.create(tmp_path / name, secret, suites=["aes-2026"] * 2, now_s=1, cost=low_cost)
        keys |= {vault.terminal_key(0, METER), vault.terminal_key(1, METER)}
    assert len(keys) == 6


def test_a_vault_is_never_created_over_a_file(vault, secret, low_cost):
    before = vault.path.read_bytes()
    with pytest.raises(VaultExistsError, match="exists already"):
        FileVault.create(vault.path, secret, suites=["aes-2026"], now_s=1, cost=low_cost)
    assert vault.path.read_bytes() == before


@pytest.mark.parametrize(("suites", "field"), [([], "suites"), (["rot13"], "suite"), (["aes-2026", ""], "suite")])
def test_a_vault_is_not_created_without_good_suites(tmp_path, secret, low_cost, suites, field):
    with pytest.raises(ValueError, match=field):
        FileVault.create(tmp_path / "v", secret, suites=suites, now_s=1, cost=low_cost)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_or_folder_is_named(tmp_path, secret, low_cost):
    with pytest.raises(VaultMissingError, match="keys init"):
        FileVault.open(tmp_path / "v", secret)
    with pytest.raises(VaultMissingError, match="folder does not exist"):
        FileVault.open(tmp_path / "no" / "v", secret)
    with pytest.raises(VaultMissingError, match="folder does not exist"):
        FileVault.create(tmp_path / "no" / "v", secret, suites=["aes-2026"], now_s=1, cost=low_cost)
    with pytest.raises(VaultError, match="directory"):
        FileVault.open(tmp_path, secret)


def test_a_wrong_passphrase_is_told_from_a_damaged_file(vault):
    with pytest.raises(WrongSecretError, match="does not open"):
        FileVault.open(vault.path, VaultSecret.from_passphrase("correct horse batterz"))
    vault.path.write_bytes(vault.path.read_bytes()[:-1])
    with pytest.raises(DamagedVaultError, match="cut or altered"):
        FileVault.open(vault.path, VaultSecret.from_passphrase("correct horse batterz"))


def test_a_key_file_with_the_text_of_the_passphrase_does_not_open_it(vault, tmp_path):
    path = tmp_path / "key"
    path.write_text("correct horse battery")
    path.chmod(0o600)
    with pytest.raises(WrongSecretError):
        FileVault.open(vault.path, VaultSecret.from_file(path))


def test_a_key_file_opens_what_it_sealed(tmp_path, low_cost):
    secret = VaultSecret.create_file(tmp_path / "key")
    FileVault.create(tmp_path / "v", secret, suites=["aes-2026"], now_s=1, cost=low_cost)
    assert len(FileVault.open(tmp_path / "v", VaultSecret.from_file(tmp_path / "key")).sets()) == 1


def test_a_change_of_secret_shuts_the_old_one_out(vault, secret, low_cost):
    held = FileVault.open(vault.path, secret)
    new = VaultSecret.from_passphrase("another passphrase")
    key = vault.terminal_key(0, METER)
    vault.reseal(new)
    assert vault.terminal_key(0, METER) == key
    assert vault.add("aes-2026", now_s=1).index == 3
    with pytest.raises(WrongSecretError):
        FileVault.open(vault.path, secret)
    with pytest.raises(WrongSecretError, match="sealed anew"):
        held.sets()
    with pytest.raises(WrongSecretError, match="sealed anew"):
        held.add("aes-2026", now_s=1)
    assert FileVault.open(vault.path, new).sets() == vault.sets()


def test_every_change_seals_with_fresh_random_bytes(vault):
    before = vault.path.read_bytes()
    vault.retire(2)
    after = vault.path.read_bytes()
    assert before[36:52] != after[36:52], "the nonce"
    assert before[52:68] != after[52:68]


def test_what_another_process_added_or_retired_is_seen_at_once(vault, secret):
    other = FileVault.open(vault.path, secret)
    other.terminal_key(0, METER)
    vault.retire(0)
    with pytest.raises(KeySetRetiredError):
        other.terminal_key(0, METER)
    vault.add("aes-2026", now_s=9)
    assert other.terminal_key(3, METER) == vault.terminal_key(3, METER)
    assert other.add("aes-2026", now_s=9).index == 4
    assert vault.sets() == other.sets()


def test_quick_changes_never_leave_the_same_stamp(vault, secret):
    other = FileVault.open(vault.path, secret)
    for _ in range(30):
        index = vault.add("aes-2026", now_s=9).index
        assert len(other.terminal_key(index, METER)) == 32
        vault.retire(index)
        with pytest.raises(KeySetRetiredError):
            other.terminal_key(index, METER)


def test_a_replaced_file_is_younger_than_the_old_one_whatever_the_clock_says(vault):
    future_ns = 4_000_000_000_000_000_000
    os.utime(vault.path, ns=(future_ns, future_ns))
    vault.retire(0)
    assert vault.path.stat().st_mtime_ns > future_ns
    os.utime(vault.path, ns=(1, 1))
    vault.retire(1)
    assert vault.path.stat().st_mtime_ns > 1


def test_a_vault_whose_file_vanished_goes_on_deriving_but_changes_nothing(vault):
    key = vault.terminal_key(0, METER)
    vault.path.unlink()
    assert vault.terminal_key(0, METER) == key
    assert len(vault.sets()) == 3
    with pytest.raises(VaultMissingError):
        vault.add("aes-2026", now_s=1)
    assert not vault.path.exists()


def test_a_vault_whose_file_was_damaged_says_so_at_the_next_use(vault):
    whole = vault.path.read_bytes()
    vault.path.write_bytes(whole[:-1] + bytes((whole[-1] ^ 1,)))
    with pytest.raises(DamagedVaultError):
        vault.terminal_key(0, METER)
    with pytest.raises(DamagedVaultError):
        vault.retire(0)
    vault.path.write_bytes(whole)
    assert len(vault.terminal_key(0, METER)) == 32


@pytest.mark.parametrize("step", ["fsync", "replace", "open"])
def test_a_write_that_fails_at_any_step_leaves_the_old_vault(vault, secret, monkeypatch, tmp_path, step):
    before = vault.path.read_bytes()
    real = getattr(os, step)

    def fail(*arguments, **named):
        if step == "open" and not str(arguments[0]).endswith(".new"):
            return real(*arguments, **named)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, step, fail)
    with pytest.raises(VaultError, match="No space left"):
        vault.retire(0)
    monkeypatch.undo()
    assert vault.path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.vault", "keys.vault.lock"]
    assert len(vault.terminal_key(0, METER)) == 32
    vault.retire(0)
    with pytest.raises(KeySetRetiredError):
        FileVault.open(vault.path, secret).terminal_key(0, METER)


def test_the_new_file_is_on_the_disk_before_it_takes_the_name(vault, monkeypatch):
    steps = []
    real_sync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(durable.os, "fsync", lambda fd: (steps.append("sync"), real_sync(fd)))
    monkeypatch.setattr(durable.os, "replace", lambda a, b: (steps.append("replace"), real_replace(a, b)))
    vault.retire(0)
    assert steps == ["sync", "replace", "sync"], "the file, the name, the folder"


def test_a_crash_before_the_name_changes_leaves_a_file_that_the_next_change_overwrites(vault, secret):
    leftover = vault.path.with_name("keys.vault.new")
    leftover.write_bytes(b"half of something")
    leftover.chmod(0o644)
    assert FileVault.open(vault.path, secret).add("aes-2026", now_s=1).index == 3
    assert not leftover.exists()
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    assert len(vault.sets()) == 4


def test_a_link_keeps_being_a_link_to_the_changed_vault(vault, secret, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(vault.path)
    FileVault.open(link, secret).retire(0)
    assert link.is_symlink()
    with pytest.raises(KeySetRetiredError):
        vault.terminal_key(0, METER)


def test_a_writer_waits_only_so_long_for_another(tmp_path):
    with (
        one_writer(tmp_path / "v"),
        pytest.raises(VaultBusyError, match="another process"),
        one_writer(tmp_path / "v", wait_s=0.05),
    ):
        pytest.fail("two writers at once")
    with one_writer(tmp_path / "v", wait_s=0.0):
        pass


ADDING = """
import sys
from prewatt.host.keys import FileVault, VaultSecret
vault = FileVault.open(sys.argv[1], VaultSecret.from_passphrase("correct horse battery"))
for _ in range(10):
    vault.add("aes-2026", now_s=7)
"""


def test_two_processes_that_write_at_once_lose_nothing(vault, secret):
    workers = [subprocess.Popen([sys.executable, "-c", ADDING, str(vault.path)]) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert [each.index for each in vault.sets()] == list(range(23))
    keys = {vault.terminal_key(index, METER) for index in range(23)}
    assert len(keys) == 23


def test_threads_that_read_and_write_one_vault_lose_nothing(vault):
    faults = []

    def work():
        try:
            for _ in range(5):
                index = vault.add("aes-2026", now_s=7).index
                vault.terminal_key(index, METER)
                vault.retire(index)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(vault.sets()) == 23


KILLED = """
import itertools, sys
from prewatt.host.keys import FileVault, VaultSecret
vault = FileVault.open(sys.argv[1], VaultSecret.from_passphrase("correct horse battery"))
print("ready", flush=True)
for number in itertools.cycle(range(200)):
    vault.reseal(VaultSecret.from_passphrase("correct horse battery"))
"""


def test_a_process_killed_while_it_writes_leaves_a_vault_that_opens(vault, secret):
    for wait_s in (0.0, 0.013, 0.031, 0.05):
        worker = subprocess.Popen([sys.executable, "-c", KILLED, str(vault.path)], stdout=subprocess.PIPE)
        with worker:
            worker.stdout.readline()
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(wait_s)
            worker.kill()
        opened = FileVault.open(vault.path, secret)
        assert [each.index for each in opened.sets()] == [0, 1, 2]
    assert opened.add("aes-2026", now_s=1).index == 3


def test_a_vault_and_a_secret_are_not_copied(vault, secret):
    for thing in (vault, secret):
        with pytest.raises(TypeError):
            pickle.dumps(thing)


def test_replacing_a_file_that_does_not_exist_makes_it(tmp_path):
    replace_whole(tmp_path / "new", b"bytes")
    assert (tmp_path / "new").read_bytes() == b"bytes"
