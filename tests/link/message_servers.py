"""Real message servers for tests: a hub of one or three, and a leaf beside an area server, on free ports."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.ports import free_port

from prewatt.link.natsconfig import ServerPlaces, build_hub_config, build_leaf_config
from prewatt.link.papers import Papers

PROGRAM = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or "nats-server"
READY_WITHIN_S = 30.0


def free_places(count: int) -> list[str]:
    """Places that were free a moment ago, all different."""
    return [f"127.0.0.1:{free_port()}" for _ in range(count)]


class Server:
    """One server; it can be killed and started again on the same store."""

    def __init__(self, folder: Path, name: str, config: str, clients: str) -> None:
        self.clients, self.log = clients, folder / f"{name}.log"
        self.name = name
        self._config = folder / f"{name}.conf"
        self._config.write_text(config)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Server":
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, "-c", self._config], stdout=log, stderr=subprocess.STDOUT)
        return self

    def wait_ready(self) -> "Server":
        host, _, port = self.clients.rpartition(":")
        until_s = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return self
            except OSError:
                assert self._process.poll() is None, self.log.read_text()
                assert time.monotonic() < until_s, self.log.read_text()
                time.sleep(0.02)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()


def make_hub(folder: Path, papers: Papers, count: int) -> tuple[list[Server], list[str]]:
    """``count`` servers, not started, and where leaf nodes reach them."""
    clients, leaves, cluster = free_places(count), free_places(count), free_places(count)
    servers = []
    for number in range(count):
        together = {"cluster": cluster[number], "routes": cluster} if count > 1 else {}
        places = ServerPlaces(clients[number], leaves[number], **together)
        name = f"hub-{number + 1}"
        servers.append(Server(folder, name, build_hub_config(name, papers, places, folder / name), clients[number]))
    return servers, leaves


def make_leaf(folder: Path, papers: Papers, leaves: list[str], name: str = "leaf") -> Server:
    """The server beside an area server, not started."""
    (place,) = free_places(1)
    return Server(folder, name, build_leaf_config(papers, place, leaves, folder / name), place)
