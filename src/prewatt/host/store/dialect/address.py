"""Where a PostgreSQL database is: `postgresql://user@host:port/name`, and how a password for it is found.

An address never holds a password: it stands in command lines, lists of processes, logs and backups. Passwords come from
a file that a setting names, from PGPASSWORD, or from the password file that PostgreSQL's own programs read (PGPASSFILE,
else ~/.pgpass; PostgreSQL documentation, section 32.16), which must be its owner's alone.

A server on another computer is spoken to through TLS with a checked certificate, unless `sslmode` says otherwise; so is
one on this computer whose authority is named. An authority beside a mode that would not ask it is refused.
"""

import os
import ssl
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from prewatt.host.refusals import StoreError
from prewatt.units import ValueFieldError

__all__ = ["ADDRESS_CHARS_MAX", "ServerAddress"]

PORT_DEFAULT: Final = 5432
PORT_MAX: Final = 65_535
# Longer than any real one; what is longer is a mistake.
ADDRESS_CHARS_MAX: Final = 1_000
_PASSWORD_BYTES_MAX: Final = 4_096
_SCHEMES: Final = ("postgresql", "postgres")
_SHAPE: Final = "postgresql://user@host:port/name, with ?host=/folder for a local socket"
_MODES: Final = ("disable", "require", "verify-full")
_QUERY: Final = frozenset({"host", "sslmode", "sslrootcert"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRETS: Final = (
    "an address without a password: it would be seen in lists of processes and in backups; put it into the file that"
    " PREWATT_DATABASE_PASSWORD_FILE names, or into ~/.pgpass"
)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A database on a server. ``host`` is a name, an IP address, or the folder of a local socket."""

    user: str
    host: str
    port: int
    name: str
    sslmode: str
    sslrootcert: str = ""
    password_file: Path | None = field(default=None, compare=False)
    """The whole content, less a line's end, is the password."""

    @classmethod
    def parse(cls, text: str, password_file: Path | None = None) -> "ServerAddress":
        """ValueFieldError for what is no address, or holds a password; neither shows it."""
        if len(text) > ADDRESS_CHARS_MAX:
            raise ValueFieldError("database", f"{len(text)} characters", f"at most {ADDRESS_CHARS_MAX}")
        try:
            parts = urlsplit(text)
            port = PORT_DEFAULT if parts.port is None else parts.port
            query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
            user = unquote(parts.username or "", errors="strict")
            name = unquote(parts.path.removeprefix("/"), errors="strict")
        except ValueError:
            raise ValueFieldError("database", _shown(text), _SHAPE) from None
        if parts.password is not None or "password" in query:
            raise ValueFieldError("database", _shown(text), _SECRETS)
        host = query.get("host") or unquote(parts.hostname or "")
        whole = parts.scheme in _SCHEMES and user and host and name and port and not parts.fragment
        if not whole or "/" in name or set(query) - _QUERY or not (user + host + name).isprintable():
            raise ValueFieldError("database", _shown(text), _SHAPE)
        authority = query.get("sslrootcert", "")
        mode = query.get("sslmode", _mode_of(host, authority))
        if mode not in _MODES:
            raise ValueFieldError("database: sslmode", mode, ", ".join(_MODES))
        if authority and (mode != "verify-full" or host.startswith("/")):
            where = "with a local socket" if host.startswith("/") else f"with sslmode {mode}"
            raise ValueFieldError("database: sslrootcert", where, "only with sslmode verify-full, over TCP")
        return cls(user, host, port, name, mode, authority, password_file)

    def __str__(self) -> str:
        """The address as it is stored and shown."""
        query = [] if self.is_default_mode else [f"sslmode={self.sslmode}"]
        query += [f"sslrootcert={quote(self.sslrootcert)}"] if self.sslrootcert else []
        place = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        if self.is_local:
            query, place = [f"host={quote(self.host)}", *query], f":{self.port}"
        asked = f"?{'&'.join(query)}" if query else ""
        return f"postgresql://{quote(self.user, safe='')}@{place}/{quote(self.name, safe='')}{asked}"

    @property
    def is_local(self) -> bool:
        """Whether a socket in a folder is meant."""
        return self.host.startswith("/")

    @property
    def is_default_mode(self) -> bool:
        """Whether ``sslmode`` is what such an address has anyway."""
        return self.sslmode == _mode_of(self.host, self.sslrootcert)

    @property
    def socket_path(self) -> str:
        """The socket's own path, where a local one is meant."""
        return f"{self.host}/.s.PGSQL.{self.port}"

    def tls(self) -> ssl.SSLContext | bool:
        """How the connection is protected; False: not at all. StoreError where the named certificate cannot be read."""
        if self.sslmode == "disable" or self.is_local:
            return False
        try:
            context = ssl.create_default_context(cafile=self.sslrootcert or None)
        except OSError as error:
            raise StoreError(f"database {self}: sslrootcert cannot be read ({error.strerror or error})") from None
        if self.sslmode == "require":
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def read_password(self) -> str | None:
        """The password as it is now; None where none is kept. StoreError names a file that cannot be used."""
        if self.password_file is not None:
            return _first(self._read(self.password_file)).rstrip("\r\n")
        if "PGPASSWORD" in os.environ:
            return os.environ["PGPASSWORD"]
        named = os.environ.get("PGPASSFILE")
        path = Path(named) if named else Path.home() / ".pgpass"
        if not path.is_file():
            return None
        return self._find(self._read(path))

    def _read(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise StoreError(f"password file {path}: others may read it; say `chmod 600` to it")
                return file.read(_PASSWORD_BYTES_MAX * 64).decode()
        except OSError as error:
            raise StoreError(f"password file {path}: cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise StoreError(f"password file {path}: it is not UTF-8 text") from None

    def _find(self, text: str) -> str | None:
        """The password of the first line that fits: host:port:database:user:password, with `*` for any."""
        host = "localhost" if self.is_local else self.host
        wanted = (host, str(self.port), self.name, self.user)
        for line in text.splitlines():
            fields = _fields(line)
            if len(fields) < len(wanted) + 1 or line.startswith("#"):
                continue
            hosts = {fields[0]} & {"*", host, self.host}
            if hosts and all(given in ("*", want) for given, want in zip(fields[1:], wanted[1:], strict=False)):
                return ":".join(fields[4:])
        return None


def _mode_of(host: str, authority: str) -> str:
    """The `sslmode` of an address that names none."""
    near = host.startswith("/") or host in _LOOPBACK
    return "disable" if near and not authority else "verify-full"


def _first(text: str) -> str:
    if not text.strip("\r\n") or len(text) > _PASSWORD_BYTES_MAX:
        raise StoreError("password file: it holds no password, or none that is one")
    return text


def _fields(line: str) -> list[str]:
    """The fields of one line of a password file."""
    found, escaped = [""], False
    for each in line:
        if escaped or each not in "\\:":
            found[-1] += each
            escaped = False
        elif each == "\\":
            escaped = True
        else:
            found.append("")
    return found


def _shown(text: str) -> str:
    """What may be shown of a text that may hold a password: the scheme, and what stands behind the last `@`."""
    scheme, _, rest = text.partition("://")
    _, found, place = rest.rpartition("@")
    place = place.partition("?")[0].partition("#")[0]
    return f"{scheme if scheme in _SCHEMES else '***'}://***{found}{place[:60] if found else ''}"
