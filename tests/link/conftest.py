"""Boxes with papers of one installation, and of a stranger's."""

import time

import pytest

from prewatt.link.certificates import issue, make_authority
from prewatt.link.names import Role, area_name, host_name, server_name, station_name
from prewatt.link.papers import Papers, write_papers
from prewatt.units import Address

INSTALLATION, STRANGER = "ab" * 16, "cd" * 16


@pytest.fixture(scope="session")
def papers(tmp_path_factory):
    """Papers by word: host, area, other area, station, and a host and an area of another installation."""
    folder, now_s = tmp_path_factory.mktemp("papers"), int(time.time())
    own, strange = make_authority(INSTALLATION, now_s), make_authority(STRANGER, now_s)
    named = {
        "host": (own, host_name(INSTALLATION)),
        "area": (own, area_name(INSTALLATION, 1)),
        "other area": (own, area_name(INSTALLATION, 2)),
        "station": (own, station_name(INSTALLATION, Address(1, 2))),
        "server": (own, server_name(INSTALLATION, 1)),
        "strange host": (strange, host_name(STRANGER)),
        "strange area": (strange, area_name(STRANGER, 1)),
        # Signed by a stranger, with a name of ours.
        "forged area": (strange, area_name(INSTALLATION, 1)),
    }
    for word, (authority, name) in named.items():
        places = ["127.0.0.1", "localhost"] if name.role is Role.SERVER else []
        write_papers(folder / word, issue(authority, name, now_s, reached_at=places))
    return {word: Papers(folder / word) for word in named}
