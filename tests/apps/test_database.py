"""An installation on a PostgreSQL server, by the same commands: made, sold from, refused where it is another's."""

import os
import subprocess
import sys

import pytest
from tests.database_servers import DatabaseServer

from prewatt.apps.cli import seller
from prewatt.apps.database import ADDRESS_NAME
from prewatt.host.folder import DATABASE_NAME

SECRET = "not-to-be-seen"


@pytest.fixture(scope="module")
def server():
    made = DatabaseServer().start()
    yield made
    made.close()


@pytest.fixture
def address(server, request):
    name = f"a{abs(hash(request.node.name))}"
    server.run(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


def refused(ran, *words):
    assert ran.code == 1, ran
    assert ran.err.count("\n") == 1
    for each in words:
        assert each in ran.err, ran.err
    return ran.err


def test_an_installation_on_a_server_is_made_sold_from_and_audited(programs, address):
    made = programs.json("init", "--database", address)
    assert not (programs.data / DATABASE_NAME).exists()
    assert (programs.data / ADDRESS_NAME).read_text().strip().startswith("postgresql://prewatt@:5432/a")
    programs.json("meter", "enrol", "000001")
    sold = programs.json("vend", "000001", "10.00")
    assert sold["state"] == "pending"
    assert [each["id"] for each in programs.json("meter", "list")] == ["000001"]
    assert programs.json("audit")["ok"]
    assert made["installation"]
    refused(programs.run("init"), "there is an installation already")
    refused(programs.run("init", "--database", address), "there is an installation already")


def test_another_folder_does_not_take_an_installation_that_it_does_not_know(programs, address):
    programs.json("init", "--database", address)
    other = programs.folder / "other"
    refused(programs.run("init", "--database", address, data=other), "there is an installation in it already")
    assert not (other / ADDRESS_NAME).exists()


def test_setting_and_folder_must_name_the_same_database(programs, address, server, monkeypatch):
    programs.json("init", "--database", address)
    monkeypatch.setenv("PREWATT_DATABASE", address)
    programs.json("meter", "list")
    monkeypatch.setenv("PREWATT_DATABASE", server.url("elsewhere"))
    refused(programs.run("meter", "list"), "PREWATT_DATABASE names", "elsewhere", ADDRESS_NAME)
    monkeypatch.delenv("PREWATT_DATABASE")
    assert programs.run("init", data=programs.folder / "file").code == 0
    monkeypatch.setenv("PREWATT_DATABASE", address)
    refused(programs.run("meter", "list", data=programs.folder / "file"), "its database is the file prewatt.db")


def test_the_environment_gives_a_new_installation_its_database(programs, address, monkeypatch):
    monkeypatch.setenv("PREWATT_DATABASE", address)
    programs.json("init")
    monkeypatch.delenv("PREWATT_DATABASE")
    assert programs.json("meter", "list") == []


def test_a_server_that_is_not_there_is_one_line_and_makes_nothing(programs, tmp_path):
    away = f"postgresql://u@/n?host={tmp_path}"
    refused(programs.run("init", "--database", away), "the server cannot be reached")
    assert not (programs.data / DATABASE_NAME).exists()
    assert not (programs.data / ADDRESS_NAME).exists()


def test_a_password_given_in_the_address_is_refused_and_seen_nowhere(programs, tmp_path):
    ran = programs.run("init", "--database", f"postgresql://u:{SECRET}@127.0.0.1:1/n")
    text = refused(ran, "an address without a password", "PREWATT_DATABASE_PASSWORD_FILE")
    assert SECRET not in text + ran.out
    assert not any(SECRET.encode() in each.read_bytes() for each in programs.folder.rglob("*") if each.is_file())


def test_a_password_is_used_and_seen_nowhere(programs, server, monkeypatch):
    """A user who must prove himself, over TCP, with the password from a file; then with a wrong one."""
    server.run(f"CREATE ROLE clerk LOGIN PASSWORD '{SECRET}'")
    server.run("CREATE DATABASE shop OWNER clerk")
    place = server.listen_with_passwords()
    key = programs.folder / "password"
    key.write_text(SECRET + "\n")
    key.chmod(0o600)
    monkeypatch.setenv("PREWATT_DATABASE_PASSWORD_FILE", str(key))
    monkeypatch.setenv("PREWATT_LOG_LEVEL", "debug")
    address = f"postgresql://clerk@{place}/shop"
    ran = programs.run("init", "--database", address)
    assert ran.code == 0, ran
    key.write_text(SECRET + "x")
    wrong = programs.run("meter", "list")
    refused(wrong, "the server does not take the password of this user")
    monkeypatch.delenv("PREWATT_DATABASE_PASSWORD_FILE")
    monkeypatch.setenv("HOME", str(programs.folder))
    none = programs.run("meter", "list")
    refused(none, "the server asks for a password, and none is kept")
    key.unlink()
    assert SECRET not in ran.out + ran.err + wrong.err + none.err
    kept = [each for each in programs.folder.rglob("*") if each.is_file()]
    assert not any(SECRET.encode() in each.read_bytes() for each in kept)


def test_a_second_host_on_the_same_database_is_refused(programs, address, monkeypatch):
    """The folder's lock does not reach another computer; the database's own does."""
    # How long a command waits for another that is just ending.
    monkeypatch.setattr(seller, "BUSY_WAIT_S", 0.1)
    programs.json("init", "--database", address)
    hold = (
        "import sys\n"
        "from prewatt.host.store import Store\n"
        "from prewatt.host.store.dialect.address import ServerAddress\n"
        "from prewatt.host.store.dialect.postgresql import PostgresqlDialect\n"
        "store = Store(PostgresqlDialect(ServerAddress.parse(sys.argv[1])))\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    ) as other:
        assert other.stdout.readline() == b"held\n"
        refused(programs.run("meter", "list"), "another prewatt works on it")
        other.stdin.close()
        other.wait()
    assert programs.json("meter", "list") == []
