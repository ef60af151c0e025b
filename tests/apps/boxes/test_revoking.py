"""Revoking from the command line down to the list: what is in it, who is told, and what a crash or a restore leaves."""

import json
import os
import subprocess

import pytest

from prewatt.apps.boxes import revoking
from prewatt.apps.boxes.authority import certify, open_authority, read_revoked, write_box_papers, write_host_papers
from prewatt.apps.boxes.issued import ISSUED_NAME, read_issued
from prewatt.apps.boxes.revoking import REASON_CHARS_MAX, bring_list, revoke
from prewatt.apps.settings import read_settings
from prewatt.apps.vault import create_vault
from prewatt.link.certificates import CertificateError, issue, make_authority, read_bearer
from prewatt.link.names import Bearer, area_name, host_name, server_name, station_name
from prewatt.link.papers import REVOKED_NAME, Papers, write_papers
from prewatt.units import Address, ValueFieldError

HERE = "ab" * 16
NOW_S = 1_795_000_000
AREA, STATION, SERVER = area_name(HERE, 1), station_name(HERE, Address(1, 2)), server_name(HERE, 1)


@pytest.fixture
def settings(tmp_path):
    made = read_settings(data=tmp_path / "data")
    made.data.mkdir()
    create_vault(made, ["aes-2026", "aes-2026"])
    return made


def made_for(settings, name, **more):
    place = settings.data.parent / str(name).replace(" ", "-")
    write_box_papers(settings, place, certify(settings, name, NOW_S, **more))
    return place


def listed(settings):
    return read_revoked(settings.data, open_authority(settings, HERE, NOW_S))


def test_all_papers_of_a_box_are_revoked_at_once_and_its_next_ones_are_another_edition(settings):
    first = [read_bearer(certify(settings, AREA, NOW_S).certificate) for _ in range(3)]
    assert first == [Bearer(AREA)] * 3
    certify(settings, STATION, NOW_S)
    done = revoke(settings, AREA, "stolen", NOW_S + 5)
    assert (done.box, done.edition, done.papers) == ("area 1", 0, 3)
    assert read_bearer(certify(settings, AREA, NOW_S + 6).certificate) == Bearer(AREA, 1)
    assert revoke(settings, AREA, "and again", NOW_S + 7).papers == 1
    assert read_bearer(certify(settings, AREA, NOW_S + 8).certificate) == Bearer(AREA, 2)
    record, found = read_issued(settings.data), listed(settings)
    assert {f"{each.serial:x}" for each in found.revoked} == {
        each.serial for each in record.papers if each.box == "area 1" and each.edition < 2
    }
    assert [each.reason for each in record.revoked] == ["stolen", "and again"]
    assert (found.edition_of(AREA), found.edition_of(STATION)) == (2, 0)


def test_the_list_is_numbered_upwards_also_within_a_second_and_after_a_restore(settings):
    numbers = []
    for _ in range(3):
        certify(settings, AREA, NOW_S)
        revoke(settings, AREA, "stolen", NOW_S)
        numbers.append(listed(settings).number)
    assert numbers == sorted(set(numbers))
    assert numbers[0] == NOW_S
    (settings.data / REVOKED_NAME).unlink()
    certify(settings, STATION, NOW_S)
    revoke(settings, STATION, "stolen", NOW_S + 60)
    assert listed(settings).number > numbers[-1]


def test_there_is_nothing_to_revoke_of_a_box_without_papers_nor_twice(settings):
    with pytest.raises(ValueFieldError, match="none of area 1 are on record"):
        revoke(settings, AREA, "stolen", NOW_S)
    assert not (settings.data / REVOKED_NAME).exists()
    certify(settings, AREA, NOW_S)
    revoke(settings, AREA, "stolen", NOW_S)
    before = (settings.data / REVOKED_NAME).read_bytes()
    with pytest.raises(ValueFieldError, match="revoked already"):
        revoke(settings, AREA, "stolen", NOW_S)
    assert (settings.data / REVOKED_NAME).read_bytes() == before


def test_a_reason_is_given_and_has_a_longest_length(settings):
    certify(settings, AREA, NOW_S)
    for reason in ("", "  ", "x" * (REASON_CHARS_MAX + 1)):
        with pytest.raises(ValueFieldError, match="reason"):
            revoke(settings, AREA, reason, NOW_S)
    revoke(settings, AREA, "x" * REASON_CHARS_MAX, NOW_S)


def test_a_power_cut_between_the_list_and_the_record_leaves_a_box_that_is_revoked_and_can_be_revoked_again(
    settings, monkeypatch
):
    certify(settings, AREA, NOW_S)
    whole = revoking.replace_whole

    def cut(path, data):
        if path.name == ISSUED_NAME:
            raise OSError("power")
        return whole(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(revoking, "replace_whole", cut)
        with pytest.raises(OSError, match="power"):
            revoke(settings, AREA, "stolen", NOW_S)
    assert listed(settings).edition_of(AREA) == 1
    # Papers made before anybody notices are of the next edition, and hold.
    fresh = Papers(made_for(settings, AREA))
    assert not listed(settings).refuses(fresh.bearer, fresh.serial)
    assert revoke(settings, AREA, "stolen", NOW_S + 9).papers == 2
    assert listed(settings).refuses(fresh.bearer, fresh.serial)
    assert read_issued(settings.data).standing("area 1", NOW_S).text == "revoked"


def test_a_record_from_an_old_backup_does_not_let_revoked_papers_in_again(settings):
    certify(settings, AREA, NOW_S)
    backup = (settings.data / ISSUED_NAME).read_bytes()
    revoke(settings, AREA, "stolen", NOW_S)
    (settings.data / ISSUED_NAME).write_bytes(backup)
    fresh = Papers(made_for(settings, AREA))
    assert fresh.bearer == Bearer(AREA, 1)
    revoke(settings, AREA, "stolen too", NOW_S + 1)
    assert listed(settings).refuses(fresh.bearer, fresh.serial)
    assert listed(settings).edition_of(AREA) == 2
    assert read_bearer(certify(settings, AREA, NOW_S).certificate) == Bearer(AREA, 2)


def test_papers_that_are_on_no_record_can_be_revoked_by_their_edition(settings):
    lost = Papers(made_for(settings, AREA))
    (settings.data / ISSUED_NAME).unlink()
    with pytest.raises(ValueFieldError):
        revoke(settings, AREA, "stolen", NOW_S)
    revoke(settings, AREA, "stolen", NOW_S, unrecorded=True)
    assert listed(settings).refuses(lost.bearer, lost.serial)
    assert read_bearer(certify(settings, AREA, NOW_S).certificate) == Bearer(AREA, 1)


def test_new_papers_come_with_the_list_and_older_folders_get_it_brought(settings):
    station, area = made_for(settings, STATION), made_for(settings, AREA)
    assert not (area / REVOKED_NAME).exists()
    with pytest.raises(ValueFieldError, match=REVOKED_NAME):
        bring_list(settings.data, area)
    revoke(settings, STATION, "stolen", NOW_S)
    assert bring_list(settings.data, area) == "area 1"
    newest = (settings.data / REVOKED_NAME).read_bytes()
    assert (area / REVOKED_NAME).read_bytes() == newest
    assert (made_for(settings, STATION) / REVOKED_NAME).read_bytes() == newest
    assert not Papers(area).revoked.refuses(Papers(station).bearer, Papers(station).serial)


def test_the_list_is_brought_into_no_folder_that_is_not_a_box_of_the_installation(settings, tmp_path):
    made_for(settings, AREA)
    revoke(settings, AREA, "stolen", NOW_S)
    strange = tmp_path / "strange"
    write_papers(strange, issue(make_authority(HERE, NOW_S), AREA, NOW_S))
    for place, why in ((strange, "not signed"), (tmp_path / "nowhere", "nowhere")):
        with pytest.raises(CertificateError, match=why):
            bring_list(settings.data, place)
        assert not (place / REVOKED_NAME).exists()


def test_the_hosts_own_papers_are_signed_anew_only_when_they_need_to_be(settings):
    folder = write_host_papers(settings, HERE, NOW_S)
    first = Papers(folder)
    write_host_papers(settings, HERE, NOW_S + 364 * 86_400)
    assert Papers(folder).serial == first.serial
    write_host_papers(settings, HERE, NOW_S + 366 * 86_400)
    assert Papers(folder).serial != first.serial
    for spoil in ("box.pem", "box.key", "authority.pem"):
        (folder / spoil).write_text("junk")
        write_host_papers(settings, HERE, NOW_S)
        assert Papers(folder).caller_tls()
    os.chmod(folder / "box.key", 0o644)
    write_host_papers(settings, HERE, NOW_S)
    last = Papers(folder)
    revoke(settings, host_name(HERE), "the folder was copied", NOW_S)
    write_host_papers(settings, HERE, NOW_S)
    assert Papers(folder).bearer == Bearer(host_name(HERE), 1)
    assert Papers(folder).revoked.refuses(last.bearer, last.serial)


def test_an_authority_that_is_made_anew_begins_with_an_empty_list(settings):
    station, host = made_for(settings, STATION), write_host_papers(settings, HERE, NOW_S)
    revoke(settings, STATION, "stolen", NOW_S)
    bring_list(settings.data, station)
    (settings.data / "authority.sealed").unlink()
    fresh = Papers(made_for(settings, STATION))
    assert (fresh.bearer, fresh.revoked.revoked) == (Bearer(STATION), ())
    assert Papers(write_host_papers(settings, HERE, NOW_S)).revoked.revoked == ()
    assert (host / "authority.pem").read_bytes() == (station / "authority.pem").read_bytes()
    assert read_issued(settings.data).standing("station 1.2", NOW_S).text == "2028-11-17"


def test_the_commands_tell_it_and_openssl_takes_the_list(field):
    field.make(0)
    field.run("area", "certify", "A1", "--out", field.folder / "area")
    field.run("station", "certify", "S1", "--out", field.folder / "station", "--days", "59")
    server = field.folder / "server"
    field.run("host", "server", "1", "--out", server, "--clients", "127.0.0.1:4222", "--leaves", "127.0.0.1:7422",
              "--cluster", "127.0.0.1:6222")  # fmt: skip
    assert "renew" in field.run("station", "list")
    assert "papers to renew: station 0.0" in field.run("station", "coverage", "S1")
    assert "renew" not in field.run("area", "list")
    assert field.json("station", "list")[0]["papers"]["renew"] is True
    config = (server / "server.conf").read_text()
    assert "1 paper of edition 0" in field.run("area", "revoke", "A1", "--reason", "stolen")
    field.run("station", "revoke", "S1", "--reason", "struck by lightning")
    field.run("host", "revoke-server", "1", "--reason", "sold")
    assert "1 paper of edition 0" in field.run("host", "revoke", "--reason", "copied", "--unrecorded")
    assert "revoked" in field.run("area", "list")
    assert field.run("papers", "bring", field.folder / "area", server).count("has the list") == 2
    renewed = (server / "server.conf").read_text()
    assert renewed != config
    assert '/area/0#1"' in renewed
    assert '/servers#1"' in renewed
    found = field.json("papers", "list")
    assert [(each["box"], each["revoked"]) for each in found["boxes"]] == [
        ("host", True),
        ("area 0", True),
        ("server 1", True),
        ("station 0.0", True),
    ]
    assert [each["reason"] for each in found["revoked"]] == ["stolen", "struck by lightning", "sold", "copied"]
    assert "struck by lightning" in field.run("papers", "list")
    words = ["openssl", "crl", "-in", field.folder / "area" / REVOKED_NAME, "-noout", "-verify"]
    words += ["-CAfile", field.data / "authority.pem"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stderr.strip() == "verify OK"
    assert json.loads((field.data / ISSUED_NAME).read_text())["revoked"][2]["box"] == "server 1"
