"""Files in and out: all rows or none, every bad row named, the same file twice changes nothing."""

import random
import threading

import pytest

from prewatt.host.customers.answers import ImportProgress
from prewatt.host.customers.exchange import SHEETS
from prewatt.host.customers.sheets import build_sheet
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.topology import METERS_PER_STATION_MAX

CUSTOMERS = "customer,name,locale,phone,email,notices\n"
PREMISES = "premises,address\n"
METERS = "meter,area,station,m_id,suite,kind,customer,premises\n"
KINDS = ("customers", "premises", "suppliers", "agents", "stations", "meters")
LETTERS = "aé가＝=+-@'\";, 1Zß"


def counts(answer):
    return answer.added, answer.changed, answer.unchanged


def take(world, kind, text, *, dry_run=False):
    return world.host.exchange.take(kind, text, dry_run=dry_run)


def bad_rows(world, kind, text):
    """What a dry run says is bad; importing the same is refused and changes nothing."""
    before = world.place.run("SELECT count(*) FROM audit_log")
    found = take(world, kind, text, dry_run=True).bad
    with pytest.raises(RefusedError) as caught:
        take(world, kind, text)
    assert caught.value.outcome is RefusalOutcome.BAD_ROWS
    assert caught.value.field.startswith(f"line {found[0].line}, ")
    assert world.place.run("SELECT count(*) FROM audit_log") == before
    return [(each.line, each.field, each.value) for each in found]


def any_name(rng):
    return (
        "x" + "".join(rng.choices(LETTERS, k=rng.randrange(12))).strip()
        if rng.random() < 0.5
        else ("".join(rng.choices(LETTERS, k=5)).strip() or "-")
    )


def any_rows(rng):
    """A file of each kind, with whatever a person may write."""
    people = {}
    for kind, word, size in (("customers", "customer", 60), ("suppliers", "supplier", 3), ("agents", "agent", 9)):
        people[kind] = [
            {
                word: f"{word[0]}{number}{rng.choice('._:-a')}",
                "name": any_name(rng),
                "locale": rng.choice(["en", "fr", "ko", "sw"]),
                "phone": rng.choice(["", f"+{rng.randrange(10**6, 10**15)}"]),
                "email": rng.choice(["", f"-{number}=@example.org"]),
                "notices": "",
            }
            for number in range(size)
        ]
    places = [{"premises": f"P{number}", "address": any_name(rng)} for number in range(40)]
    meters = [
        {
            "meter": f"{number + 0xA00:06X}",
            "area": f"A{number % 3}",
            "station": f"T{number % 6}",
            "m_id": rng.choice(["", str(number)]),
            "suite": "aes-2026",
            "kind": rng.choice(["home", "ct"]),
            "customer": rng.choice(["", *(each["customer"] for each in people["customers"])]),
            "premises": rng.choice(["", *(each["premises"] for each in places)]),
        }
        for number in range(70)
    ]
    stations = [
        {
            "station": f"T{number}",
            "area": f"A{number % 3}",
            "number": rng.choice(["", str(200 + number)]),
            "name": rng.choice(["", any_name(rng)]),
            "line": rng.choice(["", "powerline-2400"]),
            "rating_kva": rng.choice(["", "250", "37.5", "0.001"]),
        }
        for number in range(9)
    ]
    return people | {"premises": places, "stations": stations, "meters": meters}


@pytest.mark.parametrize("seed", range(2))
def test_an_export_imported_into_an_empty_installation_gives_the_same_rows(make_world, seed):
    rows = any_rows(random.Random(seed))
    one, other = make_world(meters=0), make_world(meters=0)
    for kind in KINDS:
        assert counts(take(one, kind, build_sheet(SHEETS[kind].columns, rows[kind]))) == (len(rows[kind]), 0, 0)
    for kind in KINDS:
        exported = one.host.exchange.export(kind)
        # The station of a new installation is there already.
        there = 1 if kind == "stations" else 0
        assert exported.rows == len(rows[kind]) + there
        assert counts(take(other, kind, exported.text, dry_run=True)) == (exported.rows - there, 0, there)
        assert counts(take(other, kind, exported.text)) == (exported.rows - there, 0, there)
        assert counts(take(other, kind, exported.text)) == (0, 0, exported.rows)
        assert other.host.exchange.export(kind) == exported
    for table in ("customers", "premises", "suppliers", "agents", "stations", "meters", "sought", "meter_keys"):
        query = f"SELECT * FROM {table} ORDER BY 1, 2"
        assert sorted(one.place.run(query)) == sorted(other.place.run(query)), table
    held = "SELECT meter, customer, premises FROM tenancies WHERE until_s IS NULL ORDER BY meter"
    assert one.place.run(held) == other.place.run(held)
    assert one.place.run(held)


def test_a_file_adds_changes_and_leaves_alone_in_one_commit(world):
    take(world, "customers", f"{CUSTOMERS}C1,Ada,en,,,\nC2,Bo,en,,,\n")
    ((commits,),) = world.place.run("SELECT commits FROM mark")
    text = CUSTOMERS.replace(",", ";") + "C1;Ada;en;;;\nC2;Bob;fr;;;\nC3;Cy;;;;\n"
    assert counts(take(world, "customers", text, dry_run=True)) == (1, 1, 1)
    assert world.place.run("SELECT commits FROM mark") == [(commits,)]
    assert counts(take(world, "customers", text)) == (1, 1, 1)
    assert world.place.run("SELECT commits FROM mark") == [(commits + 1,)]
    assert counts(take(world, "customers", text)) == (0, 0, 3)
    actions = [row[0] for row in world.place.run("SELECT action FROM audit_log ORDER BY number")][-4:]
    assert actions == ["registry import", "customer change", "customer add", "registry import"]


def test_a_dry_run_lists_every_bad_row_and_what_is_allowed(world):
    text = f"{CUSTOMERS}C1,Ada,de,12,,\nC2,Bo,en,,,\nC 3,,en,,no,fax\nC2,Bob,en,,,\nC4,Dee\n"
    assert bad_rows(world, "customers", text) == [
        (2, "locale", "de"),
        (2, "phone", "12"),
        (4, "customer", "C 3"),
        (4, "email", "no"),
        (4, "name", ""),
        (4, "notices", "fax"),
        (5, "customer", "C2"),
        (6, "row", "2 cells"),
    ]
    assert all(each.allowed for each in take(world, "customers", text, dry_run=True).bad)
    assert world.host.exchange.export("customers").rows == 0


def test_what_cannot_even_be_written_is_shown_all_the_same(world):
    (bad,) = take(world, "premises", f"{PREMISES}P1,\ud800{'x' * 300}\n", dry_run=True).bad
    assert bad.value == "\\ud800" + "x" * 79 + "..."
    for kind, text in (
        ("premises", f"{PREMISES}\ud800,1 Mill Lane\n"),
        ("meters", f"{METERS}\ud800,\ud800,\ud800,,,,\ud800,\ud800\n"),
    ):
        assert {each.value for each in take(world, kind, text, dry_run=True).bad} == {"\\ud800"}


def test_meters_that_contradict_each_other_or_what_is_there_are_all_named(world):
    take(world, "customers", f"{CUSTOMERS}C1,Ada,en,,,\n")
    rows = """0000AA,,S1,3,,,C1,
0000aa,,S1,4,,,,
0000AB,,S1,3,,,,
0000AC,,S1,0,,,,
0000AD,A2,S1,,,,,
0000AE,,S9,,,,C9,P9
0000AF,B,S9,,,,,
0000B0,C,S9,,,,,
000000,,S1,256,des,gas,,
000001,,S1,7,,ct,,
0000B1,,S1,,tdes-1998,,,
"""
    assert bad_rows(world, "meters", METERS + rows.replace("0000AC,,S1,0", "0000AC,,S1,9")) != []
    assert [each[:2] for each in bad_rows(world, "meters", METERS + rows)] == [
        (3, "meter"),
        (4, "m_id"),
        (5, "m_id"),
        (6, "area"),
        (7, "customer"),
        (7, "premises"),
        (9, "area"),
        (10, "kind"),
        (10, "m_id"),
        (10, "meter"),
        (10, "suite"),
        (11, "kind"),
        (11, "m_id"),
        (12, "key_sets"),
    ]
    assert [each.id for each in world.host.registry.read_meters()] == ["000001"]
    assert [each.station for each in world.host.topology.read_stations()] == ["S1"]


def test_a_file_enrols_meters_that_can_be_sold_to_and_passes_others_on(world):
    take(world, "customers", f"{CUSTOMERS}C1,Ada,en,,,\nC2,Bo,en,,,\n")
    take(world, "premises", f"{PREMISES}P1,1 Mill Lane\n")
    world.host.tariffs.set("0.5")
    keys = {index: world.vault.terminal_key(index, bytes.fromhex("0000AA")) for index in (0, 1)}
    world.bodies["0000AA"] = type(world.bodies["000001"])("0000AA", keys)
    text = f"{METERS}0000AA,,,,,,C1,P1\n000001,,,,,,C1,\n"
    assert counts(take(world, "meters", text)) == (1, 1, 0)
    world.host.vending.vend("0000AA", "3")
    world.settle(2)
    shown = world.host.registry.read_meter("0000AA")
    assert (shown.delivered_micro, shown.m_id, shown.tariff_confirmed) == (3_000_000, 1, True)
    assert counts(take(world, "meters", text)) == (0, 0, 2)
    assert counts(take(world, "meters", f"{METERS}000001,,,,,,C2,P1\n")) == (0, 1, 0)
    assert [each.customer for each in world.host.customers.read_tenancies(meter="000001")] == ["C2", "C1"]
    world.host.topology.add_station("S2")
    world.host.topology.move_meter("000001", "S2", reason="why")
    assert counts(take(world, "meters", f"{METERS}000001,,,,,,C2,P1\n")) == (0, 0, 1)
    assert bad_rows(world, "meters", f"{METERS}000001,,,,,,,\n") == [(2, "customer", ""), (2, "premises", "")]


def test_a_station_takes_256_meters_of_a_file_and_not_one_more(make_world):
    world = make_world(meters=0)
    rows = [
        f"{number + 0xA00:06X},,S2,{'' if number % 2 else number},,,,\n" for number in range(METERS_PER_STATION_MAX)
    ]
    assert bad_rows(world, "meters", METERS + "".join(rows) + "00FFFF,,S2,,,,,\n") == [(258, "station", "S2")]
    assert counts(take(world, "meters", METERS + "".join(rows))) == (METERS_PER_STATION_MAX, 0, 0)
    shown = world.host.registry.read_meters(station="S2")
    assert sorted(each.m_id for each in shown) == list(range(METERS_PER_STATION_MAX))


def test_the_ceiling_of_meters_holds_for_files_too(make_world):
    world = make_world(meters=1, meters_ceiling=2)
    text = f"{METERS}0000AA,,,,,,,\n0000AB,,,,,,,\n"
    assert [each[:2] for each in bad_rows(world, "meters", text)] == [(3, "meter")]


def test_nothing_is_left_of_an_import_that_fails_on_the_way(world, monkeypatch):
    from prewatt.host.customers import records

    said = records.log_action
    monkeypatch.setattr(records, "CHUNK", 2)

    def fail(writing, now_s, action, key, detail, **changed):
        if key == "C900":
            raise OSError("no space left")
        said(writing, now_s, action, key, detail, **changed)

    monkeypatch.setattr(records, "log_action", fail)
    text = CUSTOMERS + "".join(f"C{number},Ada,en,,,\n" for number in range(950))
    with pytest.raises(OSError, match="no space"):
        take(world, "customers", text)
    assert world.host.exchange.export("customers").rows == 0
    assert world.place.run("SELECT count(*) FROM sought WHERE kind = 'customers'") == [(0,)]
    assert world.host.exchange.progress == ImportProgress("", "", 0, 0)


def test_two_clerks_with_one_file_at_once_add_each_row_once(world):
    text = CUSTOMERS + "".join(f"C{number},Ada,en,,,\n" for number in range(300))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(take(world, "customers", text))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(counts(each) for each in answers) == [(0, 0, 300)] * 3 + [(300, 0, 0)]


def test_a_kind_that_there_is_not_is_refused(world):
    for call in (lambda: world.host.exchange.export("cats"), lambda: take(world, "cats", "")):
        with pytest.raises(RefusedError, match="one of customers, premises, suppliers, agents, stations, meters"):
            call()
