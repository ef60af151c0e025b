"""A memory file from before there were programs: it grows at its end, and everything in it stays where it was."""

from prewatt.apps.street.nvm_file import FileNvm
from prewatt.device.meter import Birth, Meter
from prewatt.device.meter.nvm import Region
from prewatt.device.now import Now

KEYS = {0: bytes(32), 1: bytes(range(32))}
NOW = Now(0, 1_767_225_600, 1)


def test_an_older_memory_grows_and_its_meter_lives_on(tmp_path):
    path = tmp_path / "000001.nvm"
    memory = FileNvm(path)
    Meter.manufacture(memory, Birth(b"\0\0\1", 0, "aes-2026", KEYS, 150_000))
    before = {region: memory.read(region, 0, region.size) for region in Region if "PROGRAM" not in region.name}
    memory.close()
    grown = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(grown - Region.PROGRAM_A.size - Region.PROGRAM_B.size)
    memory = FileNvm(path)
    assert path.stat().st_size == grown
    assert {region: memory.read(region, 0, region.size) for region in before} == before
    for region in (Region.PROGRAM_A, Region.PROGRAM_B):
        assert set(memory.read(region, 0, region.size)) == {0xFF}
    assert not Meter.power_up(memory, NOW, bytes(32)).money.commissioned
    memory.close()
