"""The audit log: who, from where, before and after, and a chain that shows whoever touched it."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.refusals import RefusedError
from prewatt.host.store.migrate import check_revision
from prewatt.host.store.trail import LogBreak, LogLine, check_chain, hash_line

DUMPS = Path(__file__).parents[2] / "vectors" / "databases"


def chained(count):
    rows, previous = [], b""
    for number in range(1, count + 1):
        line = LogLine(number, 10 * number, "ada", "cli root", "vend", "000001", f"order {number}", None, None)
        previous = hash_line(previous, line)
        rows.append((line, previous))
    return rows, (count, previous)


def test_a_log_as_it_was_written_is_whole():
    rows, tail = chained(50)
    assert check_chain(rows, tail) is None
    assert check_chain([], (0, b"")) is None


@settings(deadline=None, max_examples=100)
@given(at=st.integers(0, 19), field=st.sampled_from(LogLine._fields[1:]))
def test_a_changed_line_is_named(at, field):
    rows, tail = chained(20)
    line, digest = rows[at]
    rows[at] = line._replace(**{field: 7 if field == "at_s" else "other"}), digest
    assert check_chain(rows, tail) == LogBreak(at + 1, "changed")


@settings(deadline=None, max_examples=100)
@given(at=st.integers(0, 19), count=st.integers(1, 5))
def test_removed_lines_are_named_by_the_first(at, count):
    rows, tail = chained(20)
    del rows[at : at + count]
    assert check_chain(rows, tail) == LogBreak(at + 1, "removed")


def test_an_added_line_is_named_even_with_the_right_hash():
    rows, tail = chained(20)
    line = LogLine(21, 5, "eve", "", "vend", "000001", "", None, None)
    assert check_chain([*rows, (line, hash_line(tail[1], line))], tail) == LogBreak(21, "added")


def test_a_log_that_was_written_anew_does_not_fit_what_was_noted():
    _, tail = chained(20)
    rows, _ = chained(19)
    line = LogLine(20, 5, "eve", "", "vend", "000001", "", None, None)
    assert check_chain([*rows, (line, hash_line(rows[-1][1], line))], tail) == LogBreak(20, "changed")


def test_texts_that_move_between_fields_make_another_line():
    one = LogLine(1, 1, "a", "b", "c", "d", "e", None, None)
    assert hash_line(b"", one) != hash_line(b"", one._replace(actor="ab", origin=""))
    assert hash_line(b"", one) != hash_line(b"", one._replace(before="null"))


def busy(world):
    for number in range(3):
        world.host.vending.vend("000001", "1", order=f"A{number}")
    assert world.host.audit.run().ok


def broken(world):
    (found,) = [each for each in world.host.audit.run().violations if each.entity == "log"]
    return int(found.id), found.found


def test_a_line_changed_by_sql_is_named_by_the_audit(world):
    busy(world)
    world.place.tamper("UPDATE audit_log SET detail = 'order B' WHERE number = 3")
    assert broken(world) == (3, "line was changed")


def test_a_line_removed_by_sql_is_named_by_the_audit(world):
    busy(world)
    ((last,),) = world.place.run("SELECT max(number) FROM audit_log")
    world.place.tamper("DELETE FROM audit_log WHERE number = 2")
    assert broken(world) == (2, "line was removed")
    world.place.tamper(f"DELETE FROM audit_log WHERE number = {last}")
    assert broken(world) == (2, "line was removed")


def test_the_newest_line_removed_by_sql_is_named_by_the_audit(world):
    busy(world)
    ((last,),) = world.place.run("SELECT max(number) FROM audit_log")
    world.place.tamper(f"DELETE FROM audit_log WHERE number = {last}")
    assert broken(world) == (last, "line was removed")


def test_a_line_added_by_sql_is_named_by_the_audit(world):
    busy(world)
    ((last,),) = world.place.run("SELECT max(number) FROM audit_log")
    columns = "number, at_s, actor, action, subject, detail"
    world.place.tamper(f"INSERT INTO audit_log ({columns}) VALUES ({last + 1}, 1, 'eve', 'x', 'y', 'z')")
    assert broken(world) == (last + 1, "line was added")


def test_work_that_was_undone_leaves_no_gap_in_the_chain(world):
    busy(world)
    before = world.host.audit.run().log_lines

    def fails(writing):
        writing.log.append(1, writing.by, ("x", "y", "z"), None, None)
        raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        world.host.context.store.write(fails)
    futures = [world.host.context.store.submit(fails) for _ in range(3)]
    world.host.vending.vend("000001", "1", order="after")
    assert all(future.exception() for future in futures)
    after = world.host.audit.run()
    assert after.ok
    assert after.log_lines == before + 1


def test_the_chain_goes_on_over_a_restart(world):
    busy(world)
    world.restart()
    busy2 = world.host.audit.run()
    world.host.vending.vend("000001", "1", order="later")
    assert world.host.audit.run().log_lines == busy2.log_lines + 1
    assert world.host.audit.run().ok


def test_lines_of_an_older_format_get_the_chain(quick_paths):
    folder = quick_paths()
    folder.mkdir()
    path = folder / "prewatt.db"
    connection = sqlite3.connect(path)
    connection.executescript((DUMPS / "revision-0001.sql").read_text())
    before = connection.execute("SELECT number, at_s, actor, action, subject, detail FROM audit_log").fetchall()
    connection.close()
    check_revision(path)
    connection = sqlite3.connect(path)
    fields = ", ".join(LogLine._fields)
    rows = connection.execute(f"SELECT {fields}, hash FROM audit_log ORDER BY number").fetchall()
    tail = connection.execute("SELECT number, hash FROM log_tail").fetchone()
    assert before
    assert len(rows) == len(before)
    assert check_chain([(LogLine(*row[:-1]), row[-1]) for row in rows], tail) is None
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute("UPDATE audit_log SET detail = ''")
    connection.close()


def test_it_says_who_from_where_and_before_and_after(staff):
    ada = staff.add("ada", "owner")
    ada.call("vend", meter="000001", amount="2", order="A")
    staff.owner().call("change_refund_limit", amount="5")
    by_ada = staff.host.log.read(actor="ada").lines
    assert [(line.action, line.subject) for line in by_ada] == [("vend", "000001")]
    assert by_ada[0].origin.startswith("api 10.0.0.7 token ")
    (limit,) = staff.host.log.read(subject="refund").lines
    assert (limit.actor, limit.origin) == ("owner", "cli root")
    assert (limit.before, limit.after) == ({"micro": 100_000_000}, {"micro": 5_000_000})


def test_what_the_host_does_by_itself_is_the_hosts(world):
    assert {line.actor for line in world.host.log.read().lines} == {"host"}


def test_it_is_read_newest_first_page_by_page_and_by_period(world):
    for number in range(7):
        world.now_s += 10
        world.host.vending.vend("000001", "1", order=f"A{number}")
    whole = world.host.log.read(subject="000001", limit=500).lines
    found, below = [], None
    while True:
        page = world.host.log.read(subject="000001", limit=3, below=below)
        found += page.lines
        below = page.next
        if below is None:
            break
    assert tuple(found) == whole
    assert [line.number for line in whole] == sorted((line.number for line in whole), reverse=True)
    middle = whole[2].at_s
    assert [line.at_s for line in world.host.log.read(from_s=middle, until_s=middle + 1).lines] == [middle]


@pytest.mark.parametrize(
    "asked", [{"limit": 0}, {"limit": 501}, {"below": -1}, {"from_s": 2**63}, {"subject": "\x00"}, {"actor": ""}]
)
def test_what_cannot_be_asked_is_refused(world, asked):
    with pytest.raises(RefusedError, match="allowed"):
        world.host.log.read(**asked)
