"""The calls about campaigns and programs; a part of `Selling`."""

import base64
import binascii
from typing import Any

from prewatt.apps.tables import named_table, table_from_document
from prewatt.apps.zones import installation_rule
from prewatt.host.campaigns.wishes import PER_MINUTE_DEFAULT, PER_STATION_DEFAULT, CampaignWish
from prewatt.host.host import Host
from prewatt.units import ValueFieldError, parse_value

__all__ = ["SellingCampaigns"]

Json = dict[str, Any]
# A price is written more finely than money that changes hands.
_PRICE_DIGITS = 6
_ANY_HOUR = "0-24"


class SellingCampaigns:
    """See `prewatt.apps.selling.Selling`."""

    _host: Host

    def start_campaign(
        self,
        kind: str,
        scope: str = "all",
        place: str = "",
        unit_price: str | None = None,
        table: str | Json | None = None,
        hours: str = _ANY_HOUR,
        per_minute: int = PER_MINUTE_DEFAULT,
        per_station: int = PER_STATION_DEFAULT,
        **given: Any,  # noqa: ANN401 - passed on
    ) -> Json:
        """Starts a campaign for a meter, a station, an area or all; the same id again starts nothing twice."""
        zone, chosen = installation_rule(self._host), None
        price = None if unit_price is None else parse_value(unit_price, digits=_PRICE_DIGITS, field="unit_price")
        if table is not None or price is not None:
            named = "flat" if table is None else table
            chosen = named_table(named, zone) if isinstance(named, str) else table_from_document(named, zone)
        wish = CampaignWish(
            kind,
            scope,
            place,
            price_micro=price,
            table=chosen,
            hours=_hours(hours),
            per_minute=per_minute,
            per_station=per_station,
            **given,
        )
        return self._host.campaigns.start(wish).as_dict()

    def read_campaigns(self) -> list[Json]:
        """Campaigns and how far each has come, newest first."""
        return [each.as_dict() for each in self._host.campaigns.read_all()]

    def read_campaign(self, campaign: str) -> Json:
        """One campaign, its stragglers, and the meters that did not confirm."""
        return self._host.campaigns.read(campaign).as_dict()

    def pause_campaign(self, campaign: str) -> Json:
        """Holds a campaign; what still waits for its meters is taken back."""
        return self._host.campaigns.pause(campaign).as_dict()

    def resume_campaign(self, campaign: str) -> Json:
        """Lets a paused campaign go on."""
        return self._host.campaigns.resume(campaign).as_dict()

    def cancel_campaign(self, campaign: str) -> Json:
        """Ends a campaign; what its meters have confirmed stays."""
        return self._host.campaigns.cancel(campaign).as_dict()

    def read_programs(self) -> list[Json]:
        """The programs that meters can be given."""
        return [each.as_dict() for each in self._host.programs.read_all()]

    def add_program(self, image: str, maker: str, signature: str) -> Json:
        """Keeps a signed program; a campaign brings it to meters."""
        try:
            whole = base64.b64decode(image, validate=True)
        except (binascii.Error, ValueError):
            raise ValueFieldError("image", f"{len(image)} characters", "base64") from None
        return self._host.programs.add(whole, _hex("maker", maker), _hex("signature", signature)).as_dict()


def _hours(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and len(text) <= len("00-00")):
        raise ValueFieldError("hours", text, f"two local hours such as 22-6; {_ANY_HOUR} for any")
    return int(first), int(last)


def _hex(field: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueFieldError(field, text, "hex digits") from None
