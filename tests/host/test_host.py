"""The data folder and the host on it: made once, claimed by one, and clear about what is wrong."""

import json
import os
import stat
import subprocess
import sys

import pytest

from prewatt.codec.hop import Answers, Round, build_hop, parse_hop
from prewatt.host.dispatch import DispatchDriver
from prewatt.host.folder import DATABASE_NAME, LOCK_NAME, DataFolder, read_holder
from prewatt.host.generation import state_home
from prewatt.host.host import Host, HostOptions
from prewatt.host.refusals import (
    DataFolderError,
    FolderBusyError,
    FolderExistsError,
    FolderMissingError,
    FolderVersionError,
    RefusedError,
)


def test_a_second_process_on_the_same_data_gets_one_clear_line(world):
    world.host.folder.publish(8400, "token")
    with pytest.raises(FolderBusyError, match=rf"prewatt is up on it already \(process {os.getpid()}, port 8400\)"):
        DataFolder.claim(world.path)
    holder = read_holder(world.path)
    assert (holder.pid, holder.port, holder.token) == (os.getpid(), 8400, "token")
    assert "token" not in repr(holder).replace("token=", "")
    world.close()
    assert read_holder(world.path) is None
    world.reopen()


def test_a_second_process_is_told_of_one_that_is_starting_and_of_one_that_serves_nothing(world):
    world.host.folder.publish(None, None, starting=True)
    assert read_holder(world.path).starting
    with pytest.raises(FolderBusyError, match=rf"is starting on it \(process {os.getpid()}\); try again in a moment"):
        DataFolder.claim(world.path)
    world.host.folder.publish(None, None)
    with pytest.raises(FolderBusyError, match="another prewatt works on it; wait for it to end"):
        DataFolder.claim(world.path)
    world.close()
    with DataFolder.claim(world.path, starting=True):
        assert read_holder(world.path).starting
    world.reopen()


def test_a_lock_of_a_killed_process_means_nothing(world):
    world.close()
    program = (
        "import sys, time\n"
        "from prewatt.host.folder import DataFolder\n"
        "folder = DataFolder.claim(sys.argv[1]); folder.publish(1, 't'); print('up', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, world.path], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"up\n"
    assert read_holder(world.path).port == 1
    with pytest.raises(FolderBusyError):
        DataFolder.claim(world.path)
    child.kill()
    child.wait()
    child.stdout.close()
    assert json.loads((world.path / LOCK_NAME).read_bytes())["port"] == 1
    assert read_holder(world.path) is None
    world.reopen()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff"])
def test_a_holder_that_is_just_writing_is_a_holder_all_the_same(world, text):
    (world.path / LOCK_NAME).write_bytes(text)
    assert read_holder(world.path).port is None


def test_an_installation_is_never_made_over_another(world):
    world.close()
    with (
        DataFolder.claim(world.path) as folder,
        pytest.raises(FolderExistsError, match="there is an installation already"),
    ):
        Host.create(folder, world.vault, **world._outer())
    world.reopen()


def test_a_folder_without_an_installation_says_so(world, databases, tmp_path):
    empty = world._outer() | {"store": databases.place(tmp_path).database}
    with DataFolder.claim(tmp_path) as folder, pytest.raises(FolderMissingError, match="no installation here"):
        Host.open(folder, world.vault, **empty)
    with pytest.raises(FolderMissingError, match="no installation here"):
        DataFolder.claim(tmp_path / "nowhere")
    with pytest.raises(DataFolderError, match="cannot be used"):
        DataFolder.claim(tmp_path / LOCK_NAME / "x", create=True)


def test_a_folder_of_another_version_is_one_clear_error_and_stays_as_it_is(world):
    world.close()
    world.place.tamper("UPDATE alembic_version SET version_num = '0099'")
    before = world.place.content()
    for _ in range(2):
        with DataFolder.claim(world.path) as folder, pytest.raises(FolderVersionError, match="its format is 0099"):
            Host.open(folder, world.vault, **world._outer())
    assert world.place.content() == before


def test_an_installation_cut_off_while_it_was_made_can_be_made_again(file_world, quick_paths):
    path, world = quick_paths(), file_world
    with DataFolder.claim(path, create=True) as folder:
        (path / "prewatt.new").write_bytes(b"half")
        (path / "prewatt.new-wal").write_bytes(b"half")
        host = Host.create(folder, world.vault, **world._outer() | {"store": None})
        assert host.registry.read_meters() == []
        host.close()
    assert sorted(each.name for each in path.iterdir()) == [LOCK_NAME, DATABASE_NAME]


def test_files_are_for_their_owner_only(world):
    world.host.vending.vend("000001", "1")
    assert stat.S_IMODE(world.path.stat().st_mode) == 0o700
    for path in [*world.path.glob(f"{DATABASE_NAME}*"), world.path / LOCK_NAME, *world.state.glob("*.json")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"name": ""}, "name"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "12A"}, "currency"),
        ({"currency_digits": 7}, "currency_digits"),
        ({"currency_digits": -1}, "currency_digits"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"meters_ceiling": 256**3 + 1}, "meters_ceiling"),
    ],
)
def test_an_option_that_is_not_allowed_is_refused_before_anything_is_made(
    world, databases, quick_paths, options, field
):
    path = quick_paths()
    empty = databases.place(path).database
    with DataFolder.claim(path, create=True) as folder:
        with pytest.raises(RefusedError) as caught:
            Host.create(folder, world.vault, options=HostOptions(**options), **world._outer() | {"store": empty})
        assert caught.value.field == field
        assert not empty.exists()


def test_a_currency_without_decimals_takes_none(make_world):
    world = make_world(currency="JPY", currency_digits=0)
    assert world.host.vending.vend("000001", "100").amount_micro == 100_000_000
    with pytest.raises(ValueError, match="a whole number"):
        world.host.vending.vend("000001", "100.5")


def test_answers_are_plain_json(world):
    world.host.vending.vend("000001", "10", order="A")
    world.pump()
    world.host.tariffs.set("0.3")
    answers = [
        world.host.registry.read_meter("000001"),
        world.host.transfers.read("A"),
        world.host.vending.vend("000001", "10", order="A"),
        world.host.tariffs.read(),
        world.host.usage.read("000001"),
        world.host.audit.run(),
        world.host.topology.read_stations()[0],
        world.host.controls.read("000001")[0],
    ]
    for answer in answers:
        assert json.loads(json.dumps(answer.as_dict())) == answer.as_dict()
    meter = answers[0].as_dict()
    assert {"id", "balance_micro", "received_micro", "burned_micro", "relay", "state"} <= set(meter)
    assert (meter["relay"], meter["state"]) == ("closed", "active")
    assert {"order", "transfer", "state"} <= set(answers[2].as_dict())
    assert {"ok", "checked", "violations"} <= set(answers[5].as_dict())


def test_the_state_folder_follows_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_home() == tmp_path / "prewatt"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_home() == tmp_path / ".local" / "state" / "prewatt"


def test_the_driver_carries_a_sale_over_a_field_in_threads(world):
    class Street:
        def post(self, area, data):
            message = parse_hop(data)
            if not isinstance(message, Round):
                return
            replies = []
            for meter_id, payload in message.items:
                body = world.bodies[meter_id.hex().upper()]
                replies += [(meter_id, reply) for reply in body.receive(payload, 0, os.urandom(32))]
            driver.arrived(area, build_hop(Answers(message.address, message.number, True, tuple(replies))))

    driver = DispatchDriver(world.host.network, Street())
    world.host.on_work(driver.wake)
    driver.start()
    world.host.vending.vend("000001", "10", order="A")
    assert world.host.vending.wait("A", 10).state == "confirmed"
    world.host.vending.vend("000001", "5", order="B")
    assert world.host.vending.wait("B", 10).state == "confirmed"
    driver.stop()
    assert world.host.audit.run().ok
