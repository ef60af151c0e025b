"""What the installation's authority signs is what openssl verifies, and papers that are not a box's own are refused."""

import shutil
import ssl
import subprocess
import time

import pytest

from prewatt.link.certificates import (
    AUTHORITY_DAYS,
    Authority,
    CertificateError,
    issue,
    make_authority,
    read_expiry_s,
    read_name,
)
from prewatt.link.names import area_name, host_name, server_name, station_name
from prewatt.link.papers import Papers, write_papers
from prewatt.units import DAY_S, Address, ValueFieldError

HERE = "ab" * 16
NOW_S = int(time.time())


def openssl(*words):
    return subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)


def test_openssl_verifies_every_box_for_what_it_may_do(papers):
    for word, client, server in [("host", 0, 0), ("area", 0, 0), ("server", 0, 0), ("station", 0, 2)]:
        mine = papers[word]
        verify = ("verify", "-x509_strict", "-CAfile", str(mine.authority_file))
        assert openssl(*verify, "-purpose", "sslclient", str(mine.certificate_file)).returncode == client
        assert openssl(*verify, "-purpose", "sslserver", str(mine.certificate_file)).returncode == server
        shown = openssl("x509", "-in", str(mine.certificate_file), "-noout", "-ext", "subjectAltName").stdout
        assert f"URI:{mine.name.uri}" in shown
        # By an address a message server's program knows its sisters; nobody else may be taken for one.
        assert ("IP Address:127.0.0.1" in shown) == (word == "server")


def test_openssl_refuses_what_a_strangers_authority_signed(papers):
    forged, own = papers["forged area"], papers["area"]
    assert openssl("verify", "-CAfile", str(own.authority_file), str(forged.certificate_file)).returncode != 0
    assert openssl("verify", "-CAfile", str(own.authority_file), str(own.certificate_file)).returncode == 0


def test_the_key_is_that_of_the_certificate_and_for_its_owner_alone(papers):
    mine = papers["area"]
    of_key = openssl("pkey", "-in", str(mine.key_file), "-pubout").stdout
    assert of_key == openssl("x509", "-in", str(mine.certificate_file), "-noout", "-pubkey").stdout != ""
    assert mine.key_file.stat().st_mode & 0o077 == 0


def test_a_certificate_ends_when_it_was_said_to():
    authority = make_authority(HERE, NOW_S)
    papers = issue(authority, area_name(HERE, 1), NOW_S, days=7)
    assert read_expiry_s(papers.certificate) == NOW_S + 7 * DAY_S
    assert read_expiry_s(authority.pem) == NOW_S + AUTHORITY_DAYS * DAY_S
    for days in (0, -1, AUTHORITY_DAYS + 1):
        with pytest.raises(ValueFieldError):
            issue(authority, area_name(HERE, 1), NOW_S, days=days)
    issue(authority, area_name(HERE, 1), NOW_S, days=AUTHORITY_DAYS)
    with pytest.raises(ValueFieldError, match="end of the authority"):
        issue(authority, area_name(HERE, 1), NOW_S + 1, days=AUTHORITY_DAYS)


@pytest.mark.parametrize("address", ["", "a b", "x/y", "é.example", "a\n"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ValueFieldError, match="address"):
        issue(make_authority(HERE, NOW_S), server_name(HERE, 1), NOW_S, reached_at=[address])


@pytest.mark.parametrize("name", [host_name(HERE), area_name(HERE, 1), station_name(HERE, Address(1, 2))])
def test_no_box_but_a_message_server_gets_an_address_into_its_papers(name):
    with pytest.raises(ValueFieldError, match="none in the papers"):
        issue(make_authority(HERE, NOW_S), name, NOW_S, reached_at=["127.0.0.1"])


def test_an_authority_is_read_back_and_not_with_another_key():
    one, other = make_authority(HERE, NOW_S), make_authority(HERE, NOW_S)
    assert Authority.parse(one.pem, one.build_key()).pem == one.pem
    with pytest.raises(CertificateError, match="not that of the certificate"):
        Authority.parse(one.pem, other.build_key())
    for pem, key in ((b"", one.build_key()), (one.pem, b""), (one.pem[:-40], one.build_key()), (one.pem, b"\x30\x00")):
        with pytest.raises(CertificateError):
            Authority.parse(pem, key)


def test_no_key_shows_in_a_repr():
    authority = make_authority(HERE, NOW_S)
    assert "PRIVATE" not in repr(issue(authority, area_name(HERE, 1), NOW_S))
    assert "key" not in repr(authority)


def test_a_name_is_believed_only_from_the_authority(papers):
    own, forged = papers["area"], papers["forged area"]
    assert read_name(own.certificate_file.read_bytes(), own.authority_file.read_bytes()) == area_name(HERE, 1)
    with pytest.raises(CertificateError, match="not signed"):
        read_name(forged.certificate_file.read_bytes(), own.authority_file.read_bytes())
    with pytest.raises(CertificateError, match="names no box"):
        read_name(own.authority_file.read_bytes())


def test_papers_that_cannot_be_used_say_in_one_line_why(papers, tmp_path):
    good = papers["area"].folder
    for spoil, why in (
        (lambda place: (place / "box.key").unlink(), "prewatt area certify"),
        (lambda place: (place / "box.pem").write_text("x"), "cannot be read"),
        (lambda place: (place / "box.key").chmod(0o640), "chmod 600"),
        (lambda place: shutil.copy(papers["strange area"].folder / "authority.pem", place), "not signed"),
    ):
        place = tmp_path / why.replace(" ", "-")
        shutil.copytree(good, place)
        spoil(place)
        with pytest.raises(CertificateError, match=why) as caught:
            Papers(place)
        assert "\n" not in str(caught.value)
    with pytest.raises(CertificateError, match="nowhere"):
        Papers(tmp_path / "nowhere")


def test_a_key_that_is_anothers_makes_no_tls(papers, tmp_path):
    shutil.copytree(papers["area"].folder, tmp_path / "mixed")
    shutil.copy(papers["host"].key_file, tmp_path / "mixed" / "box.key")
    with pytest.raises(CertificateError, match="cannot be used"):
        Papers(tmp_path / "mixed").caller_tls()


def test_renewed_papers_replace_the_old_ones(tmp_path):
    authority = make_authority(HERE, NOW_S)
    for days in (3, 30):
        write_papers(tmp_path / "box", issue(authority, area_name(HERE, 1), NOW_S, days=days))
        assert Papers(tmp_path / "box").expires_s == NOW_S + days * DAY_S
    assert Papers(tmp_path / "box").caller_tls().minimum_version is ssl.TLSVersion.TLSv1_3
    assert sorted(path.name for path in (tmp_path / "box").iterdir()) == ["authority.pem", "box.key", "box.pem"]
