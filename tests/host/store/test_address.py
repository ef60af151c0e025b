"""Addresses of servers: what is one, what is refused, and that no password is ever shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewatt.host.refusals import StoreError
from prewatt.host.store.dialect.address import ADDRESS_CHARS_MAX, ServerAddress
from prewatt.units import ValueFieldError

SECRET = "s3cret-w0rd"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/", categories=["L", "N", "P", "S"]), min_size=1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u@h/n", "postgresql://u@h:5432/n"),
        ("postgres://u@h:99/n", "postgresql://u@h:99/n"),
        ("postgresql://u@localhost/n", "postgresql://u@localhost:5432/n"),
        ("postgresql://u@/n?host=/run/pg", "postgresql://u@:5432/n?host=/run/pg"),
        ("postgresql://u@[::1]:7/n", "postgresql://u@[::1]:7/n"),
        ("postgresql://u%40x@h/n%20m", "postgresql://u%40x@h:5432/n%20m"),
        ("postgresql://u@h/n?sslmode=require", "postgresql://u@h:5432/n?sslmode=require"),
        ("postgresql://u@h/n?sslmode=verify-full&sslrootcert=/a.pem", "postgresql://u@h:5432/n?sslrootcert=/a.pem"),
        ("postgresql://u@[::1]/n?sslrootcert=/a.pem", "postgresql://u@[::1]:5432/n?sslrootcert=/a.pem"),
        ("postgresql://u@localhost/n?sslmode=verify-full", "postgresql://u@localhost:5432/n?sslmode=verify-full"),
    ],
)
def test_an_address_is_stored_as_it_is_read(text, shown):
    address = ServerAddress.parse(text)
    assert str(address) == shown
    assert ServerAddress.parse(str(address)) == address


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES, st.integers(1, 65_535))
def test_any_user_and_name_come_back_as_they_were(user, name, port):
    text = str(ServerAddress(user, "h.example", port, name, "verify-full"))
    if len(text) <= ADDRESS_CHARS_MAX:
        address = ServerAddress.parse(text)
        assert (address.user, address.name, address.port) == (user, name, port)


@pytest.mark.parametrize("mode", [("h", "verify-full"), ("localhost", "disable"), ("127.0.0.1", "disable")])
def test_a_server_elsewhere_is_spoken_to_with_a_checked_certificate_unless_told_otherwise(mode):
    host, expected = mode
    address = ServerAddress.parse(f"postgresql://u@{host}/n")
    assert address.sslmode == expected
    context = address.tls()
    assert (context is False) == (expected == "disable")
    if context:
        assert context.check_hostname
        assert ServerAddress.parse(f"postgresql://u@{host}/n?sslmode=require").tls().check_hostname is False


def test_whoever_names_an_authority_has_it_asked_on_this_computer_too():
    assert ServerAddress.parse("postgresql://u@localhost/n?sslrootcert=/a.pem").sslmode == "verify-full"
    with pytest.raises(ValueFieldError, match=r"sslrootcert.*only with sslmode verify-full"):
        ServerAddress.parse("postgresql://u@localhost/n?sslmode=require&sslrootcert=/a.pem")


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "mysql://u@h/n", "postgresql://h/n", "postgresql://u@h", "postgresql://u@h/", "postgresql://u@/n"),
        *("postgresql://u@h:0/n", "postgresql://u@h:65536/n", "postgresql://u@h:x/n", "postgresql://u@h/n?nothing=1"),
        *("postgresql://u@h/n?sslmode=prefer", "postgresql://u@h/n/m", "postgresql://u@h/n#x", "postgresql://u@h/n?x"),
        *("postgresql://u@h/n?sslmode=require&sslrootcert=/a", "postgresql://u@h/n?sslmode=disable&sslrootcert=/a"),
        *("postgresql://u@/n?host=/run/pg&sslrootcert=/a",),
        *("postgresql://u@[::1/n", "postgresql://u@h/n%0a", "postgresql://u%ff@h/n"),
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueFieldError, match="database"):
        ServerAddress.parse(text)


def test_an_address_has_a_longest():
    most = "postgresql://u@h/" + "n" * (ADDRESS_CHARS_MAX - len("postgresql://u@h/"))
    assert len(ServerAddress.parse(most).name) == len(most) - len("postgresql://u@h/")
    with pytest.raises(ValueFieldError, match=f"at most {ADDRESS_CHARS_MAX}"):
        ServerAddress.parse(most + "n")


@pytest.mark.parametrize(
    "text",
    [
        *(f"postgresql://u:{SECRET}@h/n", f"postgresql://u:{SECRET}@h:x/n", f"postgresql://u:{SECRET}", SECRET),
        *(f"postgresql://u@h/n?password={SECRET}", f"u:{SECRET}@h", f"postgresql://u:{SECRET}@h/n#{SECRET}"),
        *(f"postgresql://u:a?{SECRET}@h/n", f"postgresql://u:a/{SECRET}@h/n", f"postgresql://:{SECRET}@h/n"),
        *(f"{SECRET}://u@h/n", f"postgresql://u:{SECRET}\n@h/n"),
    ],
)
def test_a_password_in_an_address_is_refused_and_not_shown(text):
    with pytest.raises(ValueFieldError) as caught:
        ServerAddress.parse(text)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: "postgresql://" + data.decode("latin-1")))
def test_any_text_is_an_address_or_one_clear_error(text):
    try:
        address = ServerAddress.parse(text)
    except ValueFieldError:
        return
    assert ServerAddress.parse(str(address)) == address


@pytest.fixture
def no_environment(monkeypatch, tmp_path):
    for name in ("PGPASSWORD", "PGPASSFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_password_comes_from_the_named_file_then_the_environment_then_the_password_file(no_environment, monkeypatch):
    folder, text = no_environment, "postgresql://u@h:9/n"
    assert ServerAddress.parse(text).read_password() is None
    write(folder / ".pgpass", "h:9:n:u:from home\n")
    assert ServerAddress.parse(text).read_password() == "from home"
    monkeypatch.setenv("PGPASSFILE", str(write(folder / "other", "# none\n*:*:*:u:from other\n")))
    assert ServerAddress.parse(text).read_password() == "from other"
    monkeypatch.setenv("PGPASSWORD", "from environment")
    assert ServerAddress.parse(text).read_password() == "from environment"
    assert ServerAddress.parse(text, write(folder / "named", SECRET + "\n")).read_password() == SECRET
    assert SECRET not in repr(ServerAddress.parse(text, folder / "named"))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        *(("h:9:n:u:a:b", "a:b"), ("*:*:*:*:x", "x"), ("h:9:n:v:x", None), ("h:8:n:u:x", None), ("H:9:n:u:x", None)),
        *(("h:9:n:u:a\\:b\\\\c", "a:b\\c"), ("h:9:n:u", None), ("#h:9:n:u:x", None), ("", None), ("h:9:*:u:", "")),
    ],
)
def test_a_password_file_is_read_as_its_own_programs_read_it(no_environment, line, found):
    write(no_environment / ".pgpass", f"other:9:n:u:no\n{line}\n")
    assert ServerAddress.parse("postgresql://u@h:9/n").read_password() == found


def test_a_local_socket_is_localhost_in_a_password_file(no_environment):
    write(no_environment / ".pgpass", "localhost:5432:n:u:here\n")
    assert ServerAddress.parse("postgresql://u@/n?host=/run/pg").read_password() == "here"


def test_a_password_file_that_others_may_read_or_that_is_none_is_refused(no_environment):
    folder, text = no_environment, "postgresql://u@h/n"
    for path, words in (
        (write(folder / "open", SECRET, 0o640), "others may read it; say `chmod 600` to it"),
        (folder / "missing", "cannot be read"),
        (write(folder / "empty", "\n"), "no password"),
        (write(folder / "long", "x" * 5_000), "no password"),
    ):
        with pytest.raises(StoreError, match=words) as caught:
            ServerAddress.parse(text, path).read_password()
        assert SECRET not in str(caught.value)
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "binary").chmod(0o600)
    with pytest.raises(StoreError, match="not UTF-8"):
        ServerAddress.parse(text, folder / "binary").read_password()
