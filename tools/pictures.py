"""Takes the terminal pictures in docs/images: a street that runs, a sale in a second terminal, and the meter's face.

Nothing is drawn by hand. `prewatt` runs in tmux, as on anybody's screen; what stands on that screen, colours and all,
becomes an SVG. Needs tmux and a minute or two. `make docs` does not run it, because no two runs look the same:
`.venv/bin/python tools/pictures.py`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from marked import DOCS

__all__: list[str] = []

IMAGES = DOCS / "images"
PREWATT = Path(sys.executable).with_name("prewatt")
SOCKET = "prewatt-pictures"
# The names that the README uses, whatever the folder of this run is called.
SHOWN = ".venv/bin/prewatt"
WIDTH = 100
STREET_HEIGHT = 31
SHELL_HEIGHT = 28
# Room for the web fonts that rich would fetch from somewhere else; a picture must stand alone.
_FONTS_FROM, _FONTS_TO = "@font-face", ".{unique_id}-matrix"


def main() -> None:
    """Takes all pictures anew."""
    if shutil.which("tmux") is None:
        raise SystemExit("pictures: tmux is not installed; on Debian, apt install tmux")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        (home / ".venv" / "bin").mkdir(parents=True)
        (home / SHOWN).symlink_to(PREWATT)
        with screen(home):
            take(home)


def take(home: Path) -> None:
    """One street, from its first start on."""
    start("street", home, f"{SHOWN} up --port 0", STREET_HEIGHT)
    wait_for("street", "Prewatt is up")
    start("shell", home, "bash --norc --noprofile", SHELL_HEIGHT)
    time.sleep(12)
    for meter, amount in (("000002", "2.50"), ("000004", "10.00"), ("000005", "6.00"), ("000007", "15.00")):
        quietly(home, "vend", meter, amount, "--wait")
    type_in("shell", f"{SHOWN} vend 000001 10.00 --wait")
    wait_for("shell", "confirmed")
    time.sleep(1)
    type_in("shell", f"{SHOWN} meter list")
    wait_for("shell", "reported")
    time.sleep(1)
    save("vend", "a sale in a second terminal", "shell")
    quietly(home, "clock", "--speed", "2400")
    wait_for("street", "♪ buzzer")
    time.sleep(0.5)
    save("up", "prewatt up", "street")
    tmux("send-keys", "-t", "shell", "clear", "Enter")
    type_in("shell", f"{SHOWN} meter watch 000001")
    wait_for("shell", "meter 000001")
    time.sleep(1)
    save("face", "the face of a meter", "shell")
    photograph(home)


@contextmanager
def screen(home: Path) -> Iterator[None]:
    """A tmux server of its own, gone afterwards."""
    try:
        yield
    finally:
        subprocess.run(["tmux", "-L", SOCKET, "send-keys", "-t", "street", "C-c"], check=False)
        time.sleep(3)
        subprocess.run(["tmux", "-L", SOCKET, "kill-server"], check=False)


def environment(home: Path) -> Mapping[str, str]:
    """What the programs of this run see: nothing of the person who takes the pictures."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "TERM": "xterm-256color", "PS1": "$ "}
    return {"LANG": "C.UTF-8"} | kept | own | {"COLORTERM": "truecolor"}


def start(name: str, home: Path, command: str, height: int) -> None:
    """A terminal of its own that runs ``command`` in ``home``."""
    named = [f"{key}={value}" for key, value in environment(home).items()]
    size = ["-x", str(WIDTH), "-y", str(height)]
    tmux("-u", "new-session", "-d", "-s", name, *size, "-c", str(home), "env", "-i", *named, "sh", "-c", command)


def tmux(*words: str) -> str:
    """One command of tmux; its output."""
    asked = ["tmux", "-L", SOCKET, "-f", "/dev/null", *words]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def type_in(name: str, line: str) -> None:
    """Types a line and Enter."""
    tmux("send-keys", "-t", name, line, "Enter")


def wait_for(name: str, word: str, within_s: float = 120) -> None:
    """Until ``word`` stands on the screen."""
    until = time.monotonic() + within_s
    while word not in tmux("capture-pane", "-p", "-t", name):
        if time.monotonic() > until:
            raise SystemExit(f"pictures: {word!r} did not appear in {name}")
        time.sleep(0.2)


def quietly(home: Path, *words: str) -> None:
    """A command beside the picture."""
    done = subprocess.run(
        [PREWATT, *words], cwd=home, env=environment(home), check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"pictures: prewatt {' '.join(words)}: {done.stderr or done.stdout}")


def photograph(home: Path) -> None:
    """The page, as a browser shows it; left out where there is no Chromium."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("pictures: no chromium, so the page keeps its old picture")  # noqa: T201
        return
    held = json.loads((home / "prewatt-data" / "lock").read_text())
    asked = f"http://127.0.0.1:{held['port']}/?token={held['token']}"
    flags = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1180,690", f"--user-data-dir={home}/web"]
    shot = [browser, *flags, f"--screenshot={IMAGES / 'page.png'}", asked]
    subprocess.run(shot, check=True, capture_output=True, timeout=60)


def save(picture: str, title: str, name: str) -> None:
    """What stands on the screen now, as an SVG."""
    captured = tmux("capture-pane", "-e", "-p", "-t", name).rstrip()
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi(captured), soft_wrap=True)
    before, _, rest = CONSOLE_SVG_FORMAT.partition(_FONTS_FROM)
    plain = before + rest[rest.index(_FONTS_TO) :].replace("Fira Code, monospace", "monospace")
    (IMAGES / f"{picture}.svg").write_text(console.export_svg(title=title, code_format=plain, unique_id=picture))


if __name__ == "__main__":
    main()
