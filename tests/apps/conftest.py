"""Drives the programs as a person does: commands, a running `up`, its API. Each test has a state folder of its own."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from prewatt.apps.cli import app
from prewatt.apps.cli.shell import run
from prewatt.apps.installation import CLOCK_NAME
from prewatt.host.folder import LOCK_NAME

# Eight helpers of a build may share two cores; a right program needs a small part of this.
DEADLINE_S = 60.0
LOOK_EVERY_S = 0.02


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Forked:
    """A program in a process of its own that need not load itself first: killed and started fifty times a minute."""

    def __init__(self, words: tuple[str, ...], out: int, err: int) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(out, 1)
                os.dup2(err, 2)
                sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - as long as the process
                sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
                logging.root.handlers.clear()
                signal.signal(signal.SIGINT, signal.default_int_handler)
                code = run(app, words)
                sys.stdout.flush()
                sys.stderr.flush()
            except BaseException as error:
                os.write(2, repr(error).encode())
                code = 99
            finally:
                os._exit(code)

    def poll(self) -> int | None:
        return self.returncode if self.returncode is not None else self._reap(os.WNOHANG)

    def wait(self, timeout: float = DEADLINE_S) -> int:
        eventually(lambda: self.poll() is not None, deadline_s=timeout)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self) -> None:
        self.wait()

    def _reap(self, options: int) -> int | None:
        found, status = os.waitpid(self.pid, options)
        if found:
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


@dataclass
class Up:
    """A running `prewatt up`."""

    process: "subprocess.Popen[str] | Forked"
    said: Path
    """Files with what it wrote: this one, and the same with .err for the other stream."""
    port: int = 0
    token: str = ""

    def ask(self, method: str, path: str, body: object = None, *, token: str | None = None) -> tuple[int, Any]:
        """Status and JSON of one request to this server, on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The JSON at a path of the API; the test fails where it is refused."""
        status, content = self.ask("GET", f"/api/v1{path}")
        assert status == 200, (path, status, content)
        return content

    def post(self, path: str, **body: object) -> Any:
        """The JSON that answers a body; the test fails where it is refused."""
        status, content = self.ask("POST", f"/api/v1{path}", body)
        assert status == 200, (path, status, content)
        return content

    def face(self, meter: str = "000001") -> Any:
        return self.get(f"/street/{meter}")

    def stop(self, number: int = signal.SIGINT) -> Ran:
        """Ctrl-C, and how it ended."""
        self.process.send_signal(number)
        self.process.wait(DEADLINE_S)
        return self.ended()

    def ended(self) -> Ran:
        """How it ended, and all that it said."""
        return Ran(self.process.returncode, self.said.read_text(), self.said.with_suffix(".err").read_text())

    def kill(self) -> None:
        """kill -9; nothing of the program runs after it."""
        self.process.kill()
        self.process.wait()


class Programs:
    """The programs on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.started: list[subprocess.Popen[str] | Forked] = []
        self.ups: list[Up] = []

    def set_clock(self, world_s: int) -> None:
        """Where the clock of a street that does not run stands."""
        self.data.mkdir(exist_ok=True)
        (self.data / CLOCK_NAME).write_text(json.dumps({"world_s": world_s}))

    def run(self, *words: str, data: Path | None = None) -> Ran:
        """A command, run inside this process: the same code without the interpreter's start."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(app, [*words, "--data", str(data or self.data)])
        return Ran(code, out.getvalue(), err.getvalue())

    def json(self, *words: str) -> Any:
        """What a command that must be done says to programs."""
        ran = self.run(*words, "--json")
        assert ran.code == 0, ran
        return ran.json

    def begin(self, *words: str, out: Any = subprocess.PIPE, err: Any = subprocess.PIPE) -> subprocess.Popen[str]:
        """Starts the real program without waiting for it."""
        command = [str(Path(sys.executable).parent / "prewatt"), *words]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True)
        self.started.append(process)
        return process

    def spawn(self, *words: str) -> Ran:
        """A command as a process of its own, to its end."""
        process = self.begin(*words, "--data", str(self.data))
        out, err = process.communicate(timeout=DEADLINE_S)
        return Ran(process.returncode, out, err)

    def begin_up(self, *, speed: int = 3600, meters: int = 2, fork: bool = False) -> Up:
        """Starts `up` without waiting for it."""
        words = ("up", "--data", str(self.data), "--speed", str(speed), "--meters", str(meters), "--port", "0")
        said = self.folder / f"up-{len(self.ups)}.out"
        with said.open("w") as out, said.with_suffix(".err").open("w") as err:
            if fork:
                self.started.append(Forked(words, out.fileno(), err.fileno()))
                self.ups.append(Up(self.started[-1], said))
            else:
                self.ups.append(Up(self.begin(*words, out=out, err=err), said))
        return self.ups[-1]

    def up(self, *, speed: int = 3600, meters: int = 2, fork: bool = False) -> Up:
        """A running `up` that answers."""
        started = self.begin_up(speed=speed, meters=meters, fork=fork)
        self.wait_ready(started)
        return started

    def wait_ready(self, started: Up) -> None:
        """Waits until `up` says where it serves."""

        def published() -> bool:
            if started.process.poll() is not None:
                raise AssertionError(f"up has ended: {started.ended()}")
            try:
                holder = json.loads((self.data / LOCK_NAME).read_text())
            except (OSError, ValueError):
                return False
            if holder["pid"] != started.process.pid or holder["port"] is None:
                return False
            started.port, started.token = holder["port"], holder["token"]
            return True

        eventually(published)

    def end(self) -> None:
        """Stops whatever still runs."""
        for process in self.started:
            process.kill()
            process.communicate()
        for each in self.ups:
            print(f"{each.said.name}: {each.ended()}")


def eventually(look: Callable[[], Any], *, deadline_s: float = DEADLINE_S) -> Any:
    """What ``look`` gives once that is true; the test fails where it never is."""
    until = time.monotonic() + deadline_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < until, f"not within {deadline_s} s; the last look gave {found!r}"
        time.sleep(LOOK_EVERY_S)


@contextmanager
def programs_in(folder: Path) -> Iterator[Programs]:
    """Programs with an environment of their own; all of them are stopped at the end."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PREWATT_")]:
            patch.delenv(name)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("PREWATT_ZONE", "Europe/Paris")
        made = Programs(folder)
        try:
            yield made
        finally:
            made.end()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    with programs_in(tmp_path) as made:
        yield made


@pytest.fixture(name="eventually", scope="session")
def eventually_fixture() -> Callable[..., Any]:
    return eventually


@pytest.fixture(name="programs_in", scope="session")
def programs_in_fixture() -> Callable[[Path], Any]:
    return programs_in
