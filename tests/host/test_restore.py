"""A database put back from a backup is recognised, and moves no value before the meters have shown what they hold."""

import os
import shutil

import pytest

from prewatt.codec.messages import MessageType
from prewatt.host.answers import MeterState, TransferState
from prewatt.host.generation import GenerationFiles
from prewatt.host.refusals import RefusedError
from prewatt.host.registry import Enrolment


def _backup(world, name="backup"):
    world.close()
    world.place.back_up(name)
    world.reopen()


def _restore(world, name="backup"):
    world.close()
    world.place.restore(name)
    world.reopen()


def _state(world):
    return world.host.registry.read_meter("000001").state


def test_a_restart_is_no_restore(world):
    world.pump()
    for _ in range(3):
        world.restart()
        assert _state(world) is MeterState.ACTIVE


def test_a_restored_database_fences_before_it_sells_again(world):
    world.pump()
    _backup(world)
    world.host.vending.vend("000001", "10", order="forgotten")
    world.pump()
    assert world.bodies["000001"].money.received_micro == 10_000_000
    _restore(world)
    assert _state(world) is MeterState.UNSYNCED
    world.host.vending.vend("000001", "10", order="new")
    world.settle(3)
    assert world.host.transfers.read("new").state is TransferState.PENDING
    assert world.host.transfers.read_suspense()[0].amount_micro == 10_000_000
    assert world.bodies["000001"].money.received_micro == 10_000_000
    with pytest.raises(RefusedError, match=r"order 'new' has the amount that is in suspense under sequence 16777217"):
        world.host.registry.reconcile("000001", "looked at nothing")
    world.host.transfers.explain_suspense("000001", 16_777_217, "the till says 10 were sold before")
    world.host.registry.reconcile("000001", "the till says 10 were sold twice")
    world.settle(2)
    assert world.host.transfers.read("new").state is TransferState.CONFIRMED
    assert world.bodies["000001"].money.received_micro == 20_000_000
    assert world.host.audit.run().ok


def test_a_cancelled_sale_of_the_backup_is_not_paid_back_before_the_meter_has_shown_what_it_holds(world):
    world.pump()
    world.host.vending.vend("000001", "10", order="A")
    world.host.transfers.cancel("A")
    _backup(world)
    world.host.vending.vend("000001", "10", order="again")
    world.pump()
    _restore(world)
    with pytest.raises(RefusedError, match="in step, reconciled"):
        world.host.transfers.refund("A")
    world.settle(3)
    world.host.registry.reconcile("000001", "in step")
    with pytest.raises(RefusedError, match="without this amount in suspense"):
        world.host.transfers.refund("A")
    world.host.transfers.explain_suspense("000001", world.host.transfers.read_suspense()[0].sequence, "sold again")
    assert world.host.transfers.refund("A").refunded
    assert world.host.audit.run().ok


def test_an_order_that_the_backup_has_waiting_is_settled_by_what_the_meter_holds(world):
    world.pump()
    world.host.vending.vend("000001", "10", order="A")
    _backup(world)
    world.pump()
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED
    _restore(world)
    assert world.host.transfers.read("A").state is TransferState.PENDING
    world.settle(3)
    assert world.host.transfers.read("A").state is TransferState.CONFIRMED
    assert world.bodies["000001"].money.received_micro == 10_000_000
    assert _state(world) is MeterState.ACTIVE
    assert world.host.audit.run().ok


def test_a_command_delayed_over_a_restore_cannot_be_applied_after_the_fences(world):
    world.pump()
    body, kept = world.bodies["000001"], []
    _backup(world)
    world.host.vending.vend("000001", "10", order="forgotten")
    world.spoil = lambda payload: kept.append(payload) or [] if payload[0] == MessageType.COMMAND else [payload]
    world.pump()
    _restore(world)
    world.spoil = None
    world.settle(3)
    assert _state(world) is MeterState.ACTIVE
    for payload in kept:
        body.receive(payload, world.line_ms, bytes(range(32)))
    assert body.money.received_micro == 0


@pytest.mark.parametrize("removed", [False, True])
def test_where_the_power_took_the_mark_back_a_fresh_backup_is_recognised_once_it_is_removed(world, removed):
    world.pump()
    mark = next(world.path.parent.rglob("*.mark"))
    written_at_start = mark.read_bytes()
    _backup(world)
    world.host.vending.vend("000001", "10", order="forgotten")
    world.pump()
    world.close()
    mark.write_bytes(written_at_start)
    if removed:
        mark.unlink()
    _restore(world)
    # What cannot be told apart is why people are asked to remove it.
    assert _state(world) is (MeterState.UNSYNCED if removed else MeterState.ACTIVE)


def test_a_lost_state_folder_is_taken_for_a_restore(world):
    world.pump()
    world.close()
    shutil.rmtree(world.state)
    world.reopen()
    assert _state(world) is MeterState.UNSYNCED
    world.settle(3)
    assert _state(world) is MeterState.ACTIVE
    world.restart()
    assert _state(world) is MeterState.ACTIVE


def test_a_lost_state_folder_learns_again_which_epochs_were_asked_for(world):
    world.pump()
    epoch = world.host.registry.read_meter("000001").epoch
    world.close()
    shutil.rmtree(world.state)
    world.reopen()
    world.close()
    files = GenerationFiles(world.state, world.host.installation.id)
    files.read()
    assert files.highest_epoch("000001") == epoch > 0


def test_a_copy_of_the_data_that_was_used_meanwhile_is_noticed_on_both_sides(world):
    world.pump()
    _backup(world)
    world.host.vending.vend("000001", "1")
    world.pump()
    _backup(world, "used")
    _restore(world)
    assert _state(world) is MeterState.UNSYNCED
    _restore(world, "used")
    assert _state(world) is MeterState.UNSYNCED


def test_a_meter_enrolled_again_after_a_restore_shows_first_what_it_holds(world):
    _backup(world)
    world.add_meter("000009")
    world.host.vending.vend("000009", "5")
    world.pump()
    assert world.bodies["000009"].money.received_micro == 5_000_000
    _restore(world)
    assert [each.id for each in world.host.registry.read_meters()] == ["000001"]
    world.host.registry.enrol(Enrolment("000009"))
    assert world.host.registry.read_meter("000009").state is MeterState.UNSYNCED
    world.settle(3)
    assert [each.amount_micro for each in world.host.transfers.read_suspense()] == [5_000_000]
    world.host.vending.vend("000009", "2", order="after")
    world.settle(2)
    assert world.host.transfers.read("after").state is TransferState.PENDING
    assert "reconcile" in world.host.registry.read_meter("000009").state_reason
    world.host.registry.reconcile("000009", "the till has the 5, the customer the slip")
    world.settle(2)
    assert world.host.transfers.read("after").state is TransferState.CONFIRMED
    assert world.bodies["000009"].money.received_micro == 7_000_000
    assert world.host.audit.run().ok


def test_epochs_survive_a_line_that_was_cut_short(tmp_path):
    files = GenerationFiles(tmp_path, "x")
    files.begin(1, 0)
    files.note_epoch("000001", 3)
    with (tmp_path / "x.epochs").open("ab") as file:
        file.write(b"\n000002 1")
    files.close()
    again = GenerationFiles(tmp_path, "x")
    assert again.read() == (1, 0)
    again.note_epoch("000003", 2)
    again.note_epoch("000001", 1)
    third = GenerationFiles(tmp_path, "x")
    third.read()
    assert [third.highest_epoch(f"00000{n}") for n in (1, 3, 4)] == [3, 2, None]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"generation": "x"}', "null"])
def test_a_generation_file_that_cannot_be_read_counts_as_missing(tmp_path, content):
    files = GenerationFiles(tmp_path, "x")
    files.begin(4, 7)
    assert files.read() == (4, 7)
    (tmp_path / "x.json").write_text(content)
    assert files.read() is None


def test_a_mark_that_a_person_took_away_is_beyond_every_commit_and_leaves_generation_and_epochs(tmp_path):
    files = GenerationFiles(tmp_path, "x")
    files.note_epoch("000001", 3)
    files.begin(4, 7)
    (tmp_path / "x.mark").unlink()
    again = GenerationFiles(tmp_path, "x")
    generation, commits = again.read()
    assert (generation, again.highest_epoch("000001")) == (4, 3)
    assert commits > 2**63
    again.begin(5, 7)
    assert again.read() == (5, 7)


def test_a_noted_epoch_is_on_the_disk_with_the_name_of_its_file(tmp_path, monkeypatch):
    files, synced = GenerationFiles(tmp_path, "x"), []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino) or real(descriptor))
    files.note_epoch("000001", 1)
    assert synced == [(tmp_path / "x.epochs").stat().st_ino, tmp_path.stat().st_ino]
