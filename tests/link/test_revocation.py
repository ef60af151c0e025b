"""The authority's list of revoked papers: openssl takes it, boxes read from it what was meant, and nothing forged."""

import random
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.link.certificates import CertificateError, issue, make_authority, read_bearer, read_serial
from prewatt.link.names import Bearer, area_name, server_name, station_name
from prewatt.link.revocation import LIST_BYTES_MAX, REVOKED_MAX, Revocation, build_list, parse_list
from prewatt.units import Address

HERE = "ab" * 16
NOW_S = int(time.time())
AUTHORITY, STRANGER = make_authority(HERE, NOW_S), make_authority(HERE, NOW_S)
AREA, STATION = area_name(HERE, 1), station_name(HERE, Address(1, 2))


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)


def papers(tmp_path, word, bearer):
    made = issue(AUTHORITY, bearer, NOW_S)
    (tmp_path / word).write_bytes(made.certificate)
    return Revocation(read_serial(made.certificate), bearer, NOW_S)


def test_openssl_accepts_the_list_and_refuses_only_the_papers_in_it(tmp_path):
    stolen, later = papers(tmp_path, "stolen", Bearer(AREA)), papers(tmp_path, "later", Bearer(AREA, 1))
    papers(tmp_path, "other", Bearer(STATION))
    authority, revoked = tmp_path / "authority.pem", tmp_path / "revoked.pem"
    authority.write_bytes(AUTHORITY.pem)
    revoked.write_bytes(build_list(AUTHORITY, 7, [stolen], NOW_S))
    assert openssl("crl", "-in", revoked, "-CAfile", authority, "-noout", "-verify").stderr.strip() == "verify OK"
    shown = openssl("crl", "-in", revoked, "-noout", "-text").stdout
    assert f"{stolen.serial:X}" in shown
    assert f"{later.serial:X}" not in shown
    check = ("verify", "-x509_strict", "-crl_check", "-CAfile", authority, "-CRLfile", revoked)
    assert openssl(*check, tmp_path / "later").returncode == openssl(*check, tmp_path / "other").returncode == 0
    refused = openssl(*check, tmp_path / "stolen")
    assert refused.returncode != 0
    assert "certificate revoked" in refused.stderr


def test_a_list_holds_for_as_long_as_its_authority_does(tmp_path):
    authority, revoked = tmp_path / "authority.pem", tmp_path / "revoked.pem"
    authority.write_bytes(AUTHORITY.pem)
    revoked.write_bytes(build_list(AUTHORITY, 7, [], NOW_S))
    papers(tmp_path, "box", Bearer(AREA, 3))
    issue_s = int(AUTHORITY.certificate.not_valid_after_utc.timestamp()) - 60
    check = ("verify", "-crl_check", "-CAfile", authority, "-CRLfile", revoked)
    assert "CRL has expired" not in openssl(*check, "-attime", issue_s, tmp_path / "box").stderr
    # A box whose clock is an hour slow takes it too.
    assert "CRL is not yet valid" not in openssl(*check, "-attime", NOW_S - 3_590, tmp_path / "box").stderr


bearers = st.builds(
    Bearer,
    st.one_of(
        st.builds(lambda number: area_name(HERE, number), st.integers(0, 255)),
        st.builds(lambda a, n: station_name(HERE, Address(a, n)), st.integers(0, 255), st.integers(0, 255)),
        st.builds(lambda number: server_name(HERE, number), st.integers(0, 255)),
    ),
    st.integers(0, 9_998),
)
revocations = st.builds(Revocation, st.integers(1, 2**159 - 1), bearers, st.integers(1, 2**31))


@settings(deadline=None, max_examples=40)
@given(st.lists(revocations, unique_by=lambda each: each.serial, max_size=8), st.integers(1, 2**40), bearers)
def test_what_is_built_is_read_back_and_every_edition_up_to_the_one_revoked_is_over(rows, number, other):
    found = parse_list(build_list(AUTHORITY, number, rows, NOW_S), AUTHORITY.pem)
    assert (found.number, set(found.revoked)) == (number, set(rows))
    for row in rows:
        assert found.refuses(row.bearer, row.serial)
        assert found.refuses(row.bearer, row.serial + 1 if row.serial > 1 else 2)
        assert not found.refuses(Bearer(row.bearer.box, found.edition_of(row.bearer.box)), 2**160)
    newest = max((row.bearer.edition for row in rows if row.bearer.box == other.box), default=-1)
    assert found.refuses(other, 2**160) == (other.edition <= newest)


def test_the_name_that_servers_share_changes_whenever_one_of_them_is_revoked():
    rows = []
    for at, (server, edition) in enumerate([(1, 0), (2, 0), (1, 1), (3, 0)], 1):
        rows.append(Revocation(at, Bearer(server_name(HERE, server), edition), NOW_S))
        assert parse_list(build_list(AUTHORITY, at, rows, NOW_S), AUTHORITY.pem).servers_edition() == at
    rows.append(Revocation(9, Bearer(AREA), NOW_S))
    assert parse_list(build_list(AUTHORITY, 9, rows, NOW_S), AUTHORITY.pem).servers_edition() == 4


def test_the_same_serial_twice_is_one_entry():
    row = Revocation(5, Bearer(AREA), NOW_S)
    assert parse_list(build_list(AUTHORITY, 1, [row, row], NOW_S), AUTHORITY.pem).revoked == (row,)


def test_a_list_that_the_authority_did_not_sign_is_refused():
    forged = build_list(STRANGER, 7, [Revocation(5, Bearer(AREA), NOW_S)], NOW_S)
    with pytest.raises(CertificateError, match="not signed"):
        parse_list(forged, AUTHORITY.pem)


def test_a_list_that_is_damaged_in_any_way_is_refused_in_one_line():
    chance = random.Random(11)
    whole = build_list(AUTHORITY, 7, [Revocation(5, Bearer(AREA), NOW_S)], NOW_S)
    spoiled = [b"", b"x", whole[:-30], AUTHORITY.pem, chance.randbytes(500)]
    spoiled += [whole[: chance.randrange(len(whole) - 28)] for _ in range(40)]
    for _ in range(200):
        at = chance.randrange(30, len(whole) - 30)
        changed = bytes((whole[at] ^ (1 << chance.randrange(7)),))
        # Line ends, and bits beyond the last byte, mean nothing to a reader of PEM.
        if whole[at] not in b"\n=" and changed not in (b"\n", b"\r", b" "):
            spoiled.append(whole[:at] + changed + whole[at + 1 :])
    refused = 0
    for each in spoiled:
        try:
            found = parse_list(each, AUTHORITY.pem)
        except CertificateError as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            assert [row.serial for row in found.revoked] == [5]
    assert refused >= len(spoiled) - 5


def test_a_certificate_that_names_its_box_and_edition_is_read_as_such():
    for bearer in (Bearer(AREA), Bearer(STATION, 3), Bearer(server_name(HERE, 1), 2)):
        assert read_bearer(issue(AUTHORITY, bearer, NOW_S).certificate, AUTHORITY.pem) == bearer


def test_a_list_has_a_longest_length():
    rows = [Revocation(number, Bearer(STATION, 9_998), NOW_S) for number in range(1, REVOKED_MAX + 2)]
    built = build_list(AUTHORITY, 1, rows[:-1], NOW_S)
    assert len(built) <= LIST_BYTES_MAX
    assert len(parse_list(built, AUTHORITY.pem).revoked) == REVOKED_MAX
    with pytest.raises(ValueError, match=str(REVOKED_MAX)):
        build_list(AUTHORITY, 1, rows, NOW_S)
    with pytest.raises(CertificateError, match="bytes"):
        parse_list(bytes(LIST_BYTES_MAX + 1), AUTHORITY.pem)
