"""Boxes as real processes on free ports: started, killed, started again, stopped."""

import io
import json
import logging
import os
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.ports import free_port

# Loaded once here, and not in every process that is forked from this one.
import prewatt.apps.boxes.hostrun
import prewatt.apps.boxes.running  # noqa: F401
from prewatt.apps.boxes.factory import make_memory
from prewatt.apps.cli import app
from prewatt.apps.cli.shell import run
from prewatt.apps.installation import open_installation
from prewatt.apps.settings import read_settings
from prewatt.host.folder import LOCK_NAME
from prewatt.host.registry import Enrolment

DEADLINE_S = 60.0
LOOK_EVERY_S = 0.02


def eventually(look, *, deadline_s=DEADLINE_S):
    """What ``look`` gives once that is true."""
    until = time.monotonic() + deadline_s
    while not (found := look()):
        assert time.monotonic() < until, f"not within {deadline_s} s; the last look gave {found!r}"
        time.sleep(LOOK_EVERY_S)
    return found


class Box:
    """One program that is started again and again with the same words, in a process that need not load itself first."""

    def __init__(self, folder: Path, name: str, *words: object) -> None:
        self.name, self.words = name, [str(word) for word in words]
        self.said, self.failed = folder / f"{name}.out", folder / f"{name}.err"
        self.pid: int | None = None
        self.code: int | None = None

    def start(self) -> "Box":
        assert self.pid is None or self.ended
        self.code = None
        with self.said.open("a") as out, self.failed.open("a") as err:
            self.pid = os.fork()
            if self.pid == 0:
                self._be(out.fileno(), err.fileno())
        return self

    def _be(self, out: int, err: int) -> None:
        code = 99
        try:
            os.dup2(out, 1)
            os.dup2(err, 2)
            sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - as long as the process
            sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
            logging.root.handlers.clear()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            code = run(app, self.words)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException as error:
            os.write(2, repr(error).encode())
        finally:
            os._exit(code)

    @property
    def ended(self) -> bool:
        if self.code is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def wait(self) -> int:
        eventually(lambda: self.ended)
        return self.code

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Asks it to stop; its exit code."""
        os.kill(self.pid, number)
        return self.wait()

    def end(self) -> None:
        if self.pid is not None and not self.ended:
            self.kill()


class Field:
    """An installation with its boxes in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.boxes: list[Box] = []
        self.words: dict[str, tuple[str, ...]] = {}
        self._port = free_port()

    def run(self, *words: object) -> str:
        """A command, run inside this process, that must be done; what it said."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(app, [*map(str, words), "--data", str(self.data)])
        assert code == 0, (words, out.getvalue(), err.getvalue())
        return out.getvalue()

    def json(self, *words: object):
        return json.loads(self.run(*words, "--json"))

    def make(self, meters: int = 1, station: str = "S1", first: int = 1) -> list[Path]:
        """An installation with an area, a station, and so many meters below it; their memories."""
        if not self.data.exists():
            self.run("init")
            self.run("tariff", "set", "0.25")
        made = []
        for number in range(first, first + meters):
            meter = f"{number:06X}"
            self.run("meter", "enrol", meter, "--station", station)
            made.append(self.folder / f"{meter}.nvm")
            self.run("meter", "make", meter, "--out", made[-1])
        return made

    def make_many(self, count: int) -> list[Path]:
        """`make` for many meters, without a command for each."""
        self.make(0)
        settings = read_settings(data=self.data)
        made = []
        with open_installation(settings) as host:
            price = host.tariffs.read().unit_price_micro
            for number in range(1, count + 1):
                meter = host.registry.enrol(Enrolment(f"{number:06X}")).as_dict()
                made.append(self.folder / f"{meter['id']}.nvm")
                make_memory(settings, meter, price, made[-1])
        return made

    def box(self, name: str, *words: object) -> Box:
        self.boxes.append(Box(self.folder, name, *words))
        return self.boxes[-1]

    def host(self, *addresses: str) -> Box:
        words = [word for address in addresses for word in ("--areas", address)]
        return self.box("host", "host", "run", "--data", self.data, "--port", self._port, *words)

    def ask(self, method: str, path: str, body=None):
        """Status and JSON of one request to the running host."""
        holder = json.loads((self.data / LOCK_NAME).read_text())
        connection = HTTPConnection("127.0.0.1", holder["port"], timeout=DEADLINE_S)
        try:
            headers = {"Authorization": f"Bearer {holder['token']}", "Content-Type": "application/json"}
            connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str):
        status, content = self.ask("GET", path)
        assert status == 200, (path, status, content)
        return content

    def wait_host(self, host: Box) -> None:
        """Until the host answers."""

        def answers() -> bool:
            assert not host.ended, host.failed.read_text()
            try:
                holder = json.loads((self.data / LOCK_NAME).read_text())
                return holder["pid"] == host.pid and self.ask("GET", "/meters")[0] == 200
            except (OSError, ValueError, KeyError, TypeError):
                return False

        eventually(answers)

    def vend(self, meter: str, amount: str, order: str):
        status, content = self.ask("POST", "/vends", {"meter": meter, "amount": amount, "order": order})
        assert status == 200, content
        return content

    def wait_confirmed(self, *orders: str, deadline_s=DEADLINE_S) -> None:
        """Until these orders are confirmed."""
        for order in orders:
            eventually(
                lambda order=order: self.get(f"/transfers/{order}")["state"] == "confirmed", deadline_s=deadline_s
            )

    def end(self) -> None:
        for each in reversed(self.boxes):
            each.end()
        for each in (each for each in self.boxes if each.said.exists()):
            print(f"--- {each.name}\n{each.said.read_text()}{each.failed.read_text()}")


@pytest.fixture
def quick_folder():
    """A folder in memory where there is one: 1.8 MB a meter are written with every start."""
    with TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def field(quick_folder, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(quick_folder / "state"))
    monkeypatch.setenv("PREWATT_LOG_LEVEL", "warning")
    made = Field(quick_folder)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
def ports():
    return free_port


@pytest.fixture
def four(field, ports):
    """Host, area, station and one meter, running over tcp; `field.words`: how an area or a station is started."""
    (memory,) = field.make()
    up, middle, line = (f"tcp://127.0.0.1:{ports()}" for _ in range(3))
    field.words = {"area": ("--host", up, "--stations", middle), "station": ("--area", middle, "--meters", line)}
    field.run("area", "certify", "A1", "--out", field.folder / "area")
    field.run("station", "certify", "S1", "--out", field.folder / "station")
    boxes = {
        "host": field.host(up),
        **{each: field.box(each, each, "run", field.folder / each, *field.words[each]) for each in ("area", "station")},
        "meter": field.box("meter", "meter", "run", memory, "--line", line),
    }
    for box in boxes.values():
        box.start()
    field.wait_host(boxes["host"])
    return boxes
