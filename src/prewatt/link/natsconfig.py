"""Configuration files of message servers: one for a server that the host's boxes meet at, one for an area's leaf node.

Every server speaks TLS 1.3 with certificates on both sides and knows its users by the names in them, so there is no
password to choose, to leak or to leave at a default. All of an installation lives in one account that bears its id,
and a station, and an area with all that comes through its leaf node, may publish under its own name alone. Servers let
each other into their cluster by the name that they have in common. The program reads no list of revoked papers; each
box is a user in one edition of its name alone (`prewatt.link.names`), so what was revoked is nobody's any more. Streams
are on disk before they are acknowledged (``sync_interval``).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prewatt.link.names import Bearer, BoxName, Role, area_name, host_name, servers_uri, station_name
from prewatt.link.papers import Papers
from prewatt.link.revocation import RevokedList
from prewatt.units import BELOW_MAX, Address, ValueFieldError

__all__ = ["ServerPlaces", "build_hub_config", "build_leaf_config", "renew_hub_config"]

# Above the largest box message.
_PAYLOAD_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerPlaces:
    """Where a server listens (host:port): for boxes, for leaf nodes, and for its sisters in a cluster."""

    clients: str
    leaves: str
    cluster: str | None = None
    routes: Sequence[str] = ()


def build_hub_config(name: str, papers: Papers, places: ServerPlaces, store: Path) -> str:
    """Of a server beside the host. Its papers are those of a server; every area may come as a leaf node."""
    own, revoked = _checked(papers, Role.SERVER), papers.revoked
    tls = _tls(papers)
    config: dict[str, object] = {
        **_begin(name, places.clients, tls, store, "hub"),
        "leafnodes": {
            "listen": places.leaves,
            "tls": tls,
        },
        "accounts": _hub_accounts(own.installation, revoked),
    }
    if places.cluster is not None:
        config["cluster"] = {
            "name": f"prewatt-{own.installation}",
            "listen": places.cluster,
            "tls": tls,
            "authorization": _sisters(own.installation, revoked),
            "routes": [f"tls://{route}" for route in places.routes],
        }
    return _text(config)


def renew_hub_config(text: str, papers: Papers) -> str:
    """What `build_hub_config` gave, for the papers that are believed now; ValueFieldError for anything else."""
    own, revoked = _checked(papers, Role.SERVER), papers.revoked
    try:
        config = json.loads(text)
        config["accounts"] = {**config["accounts"], **_hub_accounts(own.installation, revoked)}
        if "cluster" in config:
            config["cluster"]["authorization"] = _sisters(own.installation, revoked)
    except (ValueError, KeyError, TypeError):
        raise ValueFieldError("server.conf", text[:40], "what `prewatt host server` wrote") from None
    return _text(config)


def build_leaf_config(papers: Papers, clients: str, hubs: Sequence[str], store: Path) -> str:
    """Of the server beside an area server: its own domain, a leaf of the servers in ``hubs`` (host:port)."""
    own = _checked(papers, Role.AREA)
    area = own.numbers[0]
    tls = _tls(papers)
    stations = [station_name(own.installation, Address(area, number)) for number in range(BELOW_MAX)]
    users: list[dict[str, object]] = [{"user": papers.bearer.uri}]
    users += [{"user": _user(each, papers.revoked), "permissions": _permissions(each, own)} for each in stations]
    remote = {key: value for key, value in tls.items() if key != "verify_and_map"}
    config = {
        **_begin(f"area-{area}", clients, tls, store, f"area-{area}"),
        "leafnodes": {
            "reconnect": 1,
            "remotes": [{"urls": [f"tls://{hub}" for hub in hubs], "account": own.installation, "tls": remote}],
        },
        "accounts": {own.installation: {"jetstream": "enabled", "users": users}},
    }
    return _text(config)


def _hub_accounts(installation: str, revoked: RevokedList) -> dict[str, object]:
    areas = [area_name(installation, number) for number in range(BELOW_MAX)]
    users: list[dict[str, object]] = [{"user": _user(host_name(installation), revoked)}]
    users += [{"user": _user(area, revoked), "permissions": _leaf_permissions(area)} for area in areas]
    return {installation: {"jetstream": "enabled", "users": users}}


def _user(box: BoxName, revoked: RevokedList) -> str:
    return Bearer(box, revoked.edition_of(box)).uri


def _sisters(installation: str, revoked: RevokedList) -> dict[str, object]:
    return {"user": servers_uri(installation, revoked.servers_edition())}


def _checked(papers: Papers, role: Role) -> BoxName:
    if papers.name.role is not role:
        raise ValueFieldError("papers", str(papers.name), f"those of a{'n' if role is Role.AREA else ''} {role}")
    return papers.name


def _begin(name: str, clients: str, tls: dict[str, object], store: Path, domain: str) -> dict[str, object]:
    return {
        "server_name": name,
        "listen": clients,
        "tls": tls,
        "max_payload": _PAYLOAD_BYTES_MAX,
        "jetstream": {"store_dir": str(store.absolute()), "domain": domain, "sync_interval": "always"},
    }


def _tls(papers: Papers) -> dict[str, object]:
    return {
        "cert_file": str(papers.certificate_file.absolute()),
        "key_file": str(papers.key_file.absolute()),
        "ca_file": str(papers.authority_file.absolute()),
        "verify_and_map": True,
        "min_version": "1.3",
        "timeout": 5,
    }


def _permissions(station: BoxName, area: BoxName) -> dict[str, object]:
    """A station hears what is for it, and says what it says to its area server under its own name."""
    below, above = (f"{box.role}-{'-'.join(map(str, box.numbers))}" for box in (station, area))
    return {"publish": [f"prewatt.{above}.{below}"], "subscribe": [f"prewatt.{below}.*"]}


def _leaf_permissions(area: BoxName) -> dict[str, object]:
    """What an area's leaf node may say here, under its own name: messages to the host, answers to what the host asks of
    its stream, and what fetching from the host's stream takes. It hears what is for it and nothing of other areas."""
    own, host = f"{area.role}-{area.numbers[0]}", str(Role.HOST)
    # Only the way to make a consumer that has its filter in the subject: a filter in the body could be any area's.
    asks = [f"$JS.hub.API.CONSUMER.CREATE.DOWN.{own}.prewatt.keep.{own}.{host}"]
    asks += [f"$JS.hub.API.CONSUMER.{each}.DOWN.{own}" for each in ("INFO", "MSG.NEXT")]
    acks = [f"$JS.ACK.DOWN.{own}.>", f"$JS.ACK.*.*.DOWN.{own}.>"]
    return {
        "publish": [f"prewatt.{host}.{own}", f"_INBOX.{host}.>", *asks, *acks],
        "subscribe": [f"prewatt.{own}.>", f"_INBOX.{own}.>", f"$JS.{own}.API.>", "$JS.ACK.>"],
    }


def _text(config: dict[str, object]) -> str:
    """The server reads JSON as well as its own format."""
    return json.dumps(config, indent=1) + "\n"
