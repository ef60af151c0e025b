"""The way to a server on another computer: encrypted by the server itself, and to no server that is not the right one.

The server is a real one with `ssl = on`, and takes nothing else over TCP. It listens on this computer; that it is the
one that was meant shows in its certificate, which is signed and named here in every right and wrong way.
"""

import socket
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import func, insert, select
from tests.database_servers import DatabaseServer as Server

from prewatt.host.refusals import StoreError
from prewatt.host.store import Store, schema
from prewatt.host.store.dialect.address import ServerAddress
from prewatt.host.store.dialect.postgresql import PostgresqlDialect
from prewatt.host.store.dialect.wire import Link
from prewatt.host.store.server import DatabaseServer
from prewatt.host.store.trail import HOST
from prewatt.link.certificates import issue, make_authority
from prewatt.link.names import server_name
from prewatt.units import DAY_S

HERE = "ab" * 16
SECRET = "not-to-be-heard"
NOW_S = int(time.time())
COUNT_MARK = insert(schema.mark).values(one=1, generation=1, commits=0)
# An authority that has been there for a while, and one that calls itself the same.
OURS, STRANGE = make_authority(HERE, NOW_S - 90 * DAY_S), make_authority(HERE, NOW_S - 90 * DAY_S)


def papers(authority=OURS, names=("127.0.0.1",), days_ago=1, days=30):
    """A server's certificate and its key."""
    made = issue(authority, server_name(HERE, 1), NOW_S - days_ago * DAY_S, days=days, reached_at=names)
    return made.certificate, made.key


RIGHT = papers()
WRONG = {
    "another name": (papers(names=["db.example"]), "IP address mismatch, certificate is not valid for '127.0.0.1'"),
    "no name": (papers(names=[]), "IP address mismatch, certificate is not valid for '127.0.0.1'"),
    "another authority": (papers(STRANGE), "unable to get local issuer certificate|signature failure"),
    "ended": (papers(days_ago=40), "certificate has expired"),
    "not yet begun": (papers(days_ago=-2), "certificate is not yet valid"),
}


@pytest.fixture(scope="module")
def server():
    """A server that speaks TLS, and its place."""
    made = Server().start()
    made.run(f"CREATE ROLE clerk LOGIN PASSWORD '{SECRET}'")
    made.run("CREATE DATABASE shop OWNER clerk")
    made.place = made.listen_with_passwords(*RIGHT)
    yield made
    made.close()


@pytest.fixture
def authority(tmp_path):
    path = tmp_path / "authority.pem"
    path.write_bytes(OURS.pem)
    return path


@pytest.fixture
def address(server, authority, tmp_path):
    """Makes the address of the server's database, with the right password beside it."""
    password = tmp_path / "password"
    password.write_text(SECRET)
    password.chmod(0o600)

    def make(query=f"sslmode=verify-full&sslrootcert={authority}", place=server.place):
        return ServerAddress.parse(f"postgresql://clerk@{place}/shop?{query}", password)

    return make


def ask(address, question="SELECT 1"):
    return PostgresqlDialect(address).ask(question)


def heard(server):
    """Who has come as far as to say a name, by the server's own word."""
    return server.log.read_text().count("user=clerk")


OWN_WAY = "SELECT ssl::text || ' ' || version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


def test_a_host_works_over_tls_with_a_checked_certificate(server, address):
    def say(writing):
        return writing.log.append(1, HOST, ("say", "x", "once"), None, None)

    database = DatabaseServer(address())
    database.create(lambda writing: writing.connection.execute(COUNT_MARK))
    store = database.open()
    try:
        for _ in range(20):
            store.write(say)
        assert store.write(lambda writing: writing.driver.execute(OWN_WAY).fetchone()) == ["true TLSv1.3"]
        with store.reading() as connection:
            assert connection.exec_driver_sql(OWN_WAY).scalar_one() == "true TLSv1.3"
            assert connection.execute(select(func.count()).select_from(schema.audit_log)).scalar_one() == 20
        server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'clerk'")
        with pytest.raises(StoreError, match=r"cannot be reached .*nothing was half done"):
            store.write(say)
        store.write(say)
    finally:
        store.close()


def test_a_statement_may_take_longer_than_connecting_may(address, monkeypatch):
    monkeypatch.setattr("prewatt.host.store.dialect.postgresql.CONNECT_WAIT_S", 0.5)
    assert ask(address(), "SELECT 'slept' FROM pg_sleep(0.8)") == "slept"


def test_the_password_is_proved_for_this_certificate_alone(address):
    """Channel binding: who stands in between, with a certificate of his own, cannot pass the proof on."""
    with closing(PostgresqlDialect(address())._connect()) as link:
        assert link.auth.mechanism_name == "SCRAM-SHA-256-PLUS"


@pytest.mark.parametrize("wrong", WRONG)
def test_a_server_with_a_wrong_certificate_is_told_nothing(server, address, wrong):
    certificate, words = WRONG[wrong]
    server.certify(*certificate)
    before = heard(server)
    try:
        for database in (DatabaseServer(address()).exists, lambda: Store(PostgresqlDialect(address()))):
            with pytest.raises(StoreError, match="its certificate is refused: ") as caught:
                database()
            assert "\n" not in str(caught.value)
            with pytest.raises(StoreError, match=words):
                database()
        assert heard(server) == before
    finally:
        server.certify(*RIGHT)
    assert ask(address()) == 1
    assert heard(server) > before


def test_a_certificate_that_this_computer_does_not_know_is_refused_where_no_authority_is_named(server, address):
    before = heard(server)
    with pytest.raises(StoreError, match="its certificate is refused: "):
        ask(address("sslmode=verify-full"))
    assert heard(server) == before


def test_require_encrypts_and_checks_nothing(server, address):
    server.certify(*WRONG["another authority"][0])
    try:
        assert ask(address("sslmode=require"), OWN_WAY) == "true TLSv1.3"
    finally:
        server.certify(*RIGHT)


def test_a_server_that_wants_tls_refuses_whoever_speaks_without(address):
    with pytest.raises(StoreError, match=r"does not let this user in .*pg_hba.conf .*TLS"):
        ask(address("sslmode=disable"))


def test_a_server_that_does_not_speak_tls_is_told_nothing_where_tls_is_asked_for(authority):
    plain = Server().start()
    try:
        place = plain.listen_with_passwords()
        for query in ("sslmode=require", "sslmode=verify-full", f"sslrootcert={authority}"):
            with pytest.raises(StoreError, match="the server does not speak TLS, and `sslmode` asks for it"):
                ask(ServerAddress.parse(f"postgresql://clerk@{place}/shop?{query}"))
        assert heard(plain) == 0
    finally:
        plain.close()


def test_an_authority_that_is_none_is_one_clear_line(server, address, tmp_path):
    junk, none = tmp_path / "junk.pem", tmp_path / "none.pem"
    junk.write_text("no certificate")
    before = heard(server)
    for path in (junk, none, tmp_path):
        with pytest.raises(StoreError, match="sslrootcert cannot be read") as caught:
            ask(address(f"sslrootcert={path}"))
        assert "\n" not in str(caught.value)
    assert heard(server) == before


def test_a_wrong_password_is_refused_over_tls_and_not_shown(address):
    wrong = address()
    wrong.password_file.write_text(SECRET + "x")
    with pytest.raises(StoreError, match="the server does not take the password of this user") as caught:
        ask(wrong)
    assert SECRET not in str(caught.value)


def impostor(answer):
    """Something that listens, says one of these to each message, and hangs up; gives its place."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, listener.accept()[0] as caller:
            caller.settimeout(10)
            for part in answer:
                caller.recv(4_096)
                caller.sendall(part)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return f"127.0.0.1:{listener.getsockname()[1]}", thread


def message(code, data):
    return code + (len(data) + 4).to_bytes(4, "big") + data


SASL = message(b"R", (10).to_bytes(4, "big") + b"SCRAM-SHA-256\0\0")


ANSWERS = {
    "a web server": ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "cannot be reached"),
    "noise": ([b"\xff" * 40], "cannot be reached"),
    "nothing": ([b""], "cannot be reached"),
    "an unknown message": ([message(b"?", b"")], "speaks another protocol"),
    "a question cut off": ([message(b"R", b"")], "cannot be reached"),
    "a challenge that is none": ([SASL, message(b"R", b"\0\0\0\x0bjunk")], "does not prove"),
    "another's challenge": ([SASL, message(b"R", b"\0\0\0\x0br=stranger,s=AAAA,i=4096")], "does not prove"),
    "a proof out of turn": ([SASL, message(b"R", b"\0\0\0\x0cv=AAAA")], "does not prove|another protocol"),
}


@pytest.mark.parametrize("said", ANSWERS)
def test_whoever_answers_without_being_a_server_is_one_clear_line(address, said):
    answer, words = ANSWERS[said]
    place, thread = impostor(answer)
    with pytest.raises(StoreError, match=words) as caught:
        ask(address("sslmode=disable", place))
    thread.join(10)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_left_open_where_a_certificate_was_refused(server, address, monkeypatch):
    """The socket that TLS was spoken over is closed, not only the one that it took the place of."""
    server.certify(*WRONG["another name"][0])
    try:
        with pytest.raises(StoreError, match="its certificate is refused"):
            ask(address())
    finally:
        server.certify(*RIGHT)
    made = []
    start = Link.__init__
    monkeypatch.setattr(Link, "__init__", lambda link, **given: made.append(link) or start(link, **given))
    wrong = address()
    wrong.password_file.write_text("wrong")
    with pytest.raises(StoreError, match="password"):
        ask(wrong)
    assert made[0]._usock is None
