"""Who is who between boxes: the name that a certificate carries, and by which a peer is let in or refused.

    prewatt://INSTALLATION/host                     prewatt://INSTALLATION/area/1
    prewatt://INSTALLATION/area/1/station/2         prewatt://INSTALLATION/server/1     (a message server)

INSTALLATION is the id of the installation, numbers are those of `prewatt.units.address`. A name without its
installation means nothing: two sellers' first areas are two boxes.

Papers carry the name and an edition, `.../area/1#2`, that counts how often the papers of this box were revoked; the
first edition, 0, is not written. So new papers of a box differ by name from those that were stolen with it, also for a
message server that knows its users by names alone.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prewatt.units import Address, ValueFieldError, check_number

__all__ = [
    "EDITION_MAX",
    "Bearer",
    "BoxName",
    "Role",
    "area_name",
    "host_name",
    "parse_place",
    "server_name",
    "servers_uri",
    "station_name",
]

_SCHEME: Final = "prewatt://"
_INSTALLATION: Final = re.compile(r"[0-9a-f]{32}")
_PORT_MAX: Final = 65_535
_PORT: Final = re.compile(r"[0-9]{1,5}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,2}")
_EDITION: Final = re.compile(r"[1-9][0-9]{0,3}")
# A box whose papers were revoked each week of an authority's life is still below it.
EDITION_MAX: Final = 9_999
_ALLOWED: Final = "prewatt://INSTALLATION/host, .../area/N, .../area/N/station/N or .../server/N"


class Role(StrEnum):
    """What a box is."""

    HOST = "host"
    AREA = "area"
    STATION = "station"
    SERVER = "server"


_WORDS: Final = {
    Role.HOST: ("host",),
    Role.AREA: ("area",),
    Role.STATION: ("area", "station"),
    Role.SERVER: ("server",),
}
_NUMBERS: Final = {Role.HOST: 0, Role.AREA: 1, Role.STATION: 2, Role.SERVER: 1}


@dataclass(frozen=True, slots=True)
class BoxName:
    """One box of one installation. ValueFieldError for an id or a number that cannot be one."""

    installation: str
    role: Role
    numbers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not _INSTALLATION.fullmatch(self.installation):
            raise ValueFieldError("installation", self.installation, "32 hex digits")
        if len(self.numbers) != _NUMBERS[self.role]:
            raise ValueFieldError("numbers", self.numbers, f"{_NUMBERS[self.role]} of a {self.role}")
        for number in self.numbers:
            check_number(number, field=self.role)

    @property
    def uri(self) -> str:
        """The name as it stands in a certificate."""
        if self.role is Role.HOST:
            return f"{_SCHEME}{self.installation}/{self.role}"
        steps = [f"{word}/{number}" for word, number in zip(_WORDS[self.role], self.numbers, strict=True)]
        return f"{_SCHEME}{self.installation}/{'/'.join(steps)}"

    @classmethod
    def parse(cls, uri: str) -> "BoxName":
        """The box that ``uri`` names; ValueFieldError for anything that `uri` would not give."""
        installation, _, rest = uri.removeprefix(_SCHEME).partition("/")
        steps = rest.split("/")
        for role, words in _WORDS.items():
            numbers = steps[1::2]
            plain = all(_NUMBER.fullmatch(number) for number in numbers)
            if tuple(steps[::2]) == words and len(numbers) == _NUMBERS[role] and plain and uri.startswith(_SCHEME):
                return cls(installation, role, tuple(map(int, numbers)))
        raise ValueFieldError("box name", uri, _ALLOWED)

    def stands_above(self, other: "BoxName") -> bool:
        """Whether ``other`` calls this box: areas call the host, stations their area server."""
        if self.installation != other.installation:
            return False
        if self.role is Role.AREA:
            return other.role is Role.STATION and other.numbers[:1] == self.numbers
        return self.role is Role.HOST and other.role is Role.AREA

    def meets_at(self, server: "BoxName | None") -> bool:
        """Whether ``server`` may be the message server that this box speaks through: one of the installation, or the
        leaf of its own area. Any other box of the installation that answers there poses as one."""
        if server is None or server.installation != self.installation:
            return False
        return server.role is Role.SERVER or (server.role is Role.AREA and server in (self, self._area()))

    def _area(self) -> "BoxName | None":
        return area_name(self.installation, self.numbers[0]) if self.role is Role.STATION else None

    def __str__(self) -> str:
        return " ".join((self.role, ".".join(map(str, self.numbers)))).rstrip()


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose papers: a box, and which edition of its papers. ValueFieldError for an edition that cannot be one."""

    box: BoxName
    edition: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.edition <= EDITION_MAX:
            raise ValueFieldError("edition", self.edition, f"0 to {EDITION_MAX}")

    @property
    def uri(self) -> str:
        """The name as it stands in a certificate."""
        return f"{self.box.uri}#{self.edition}" if self.edition else self.box.uri

    @classmethod
    def parse(cls, uri: str) -> "Bearer":
        """The bearer that ``uri`` names; ValueFieldError for anything that `uri` would not give."""
        box, sign, edition = uri.partition("#")
        if sign and not _EDITION.fullmatch(edition):
            raise ValueFieldError("edition", uri, f"1 to {EDITION_MAX} behind the #, or no #")
        return cls(BoxName.parse(box), int(edition or 0))

    def __str__(self) -> str:
        return f"{self.box}, edition {self.edition}"


def servers_uri(installation: str, edition: int) -> str:
    """The name that all message servers of an installation bear together, beside their own; ``edition`` counts how
    often a server's papers were revoked."""
    return f"{_SCHEME}{installation}/servers" + (f"#{edition}" if edition else "")


def host_name(installation: str) -> BoxName:
    """The host of an installation."""
    return BoxName(installation, Role.HOST)


def area_name(installation: str, number: int) -> BoxName:
    """An area server."""
    return BoxName(installation, Role.AREA, (number,))


def station_name(installation: str, address: Address) -> BoxName:
    """A local station."""
    return BoxName(installation, Role.STATION, (address.area, address.station))


def server_name(installation: str, number: int) -> BoxName:
    """A message server that boxes of the installation meet at."""
    return BoxName(installation, Role.SERVER, (number,))


def parse_place(text: str, *, field: str) -> tuple[str, int]:
    """Host and port of host:port or [IPv6]:port; ValueFieldError otherwise."""
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not _PORT.fullmatch(port):
        raise ValueFieldError(field, text, "HOST:PORT")
    if int(port) > _PORT_MAX:
        raise ValueFieldError(field, text, f"HOST:PORT with a port up to {_PORT_MAX}")
    return host, int(port)
