"""The bodies of the routes about campaigns and programs."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CampaignIn", "ProgramIn"]


class CampaignIn(BaseModel):
    """A campaign: its kind, whom it is for, what it brings (only the fields of its kind), and when.

    Times are UTC seconds. `hours` are local hours of the installation.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Annotated[str, Field(description="tariff, key, clock, text or program.")]
    scope: Annotated[str, Field(description="meter, station, area or all.")] = "all"
    place: Annotated[str, Field(description="The id of the meter, station or area; empty for all.")] = ""
    id: Annotated[str | None, Field(description="The caller's own id; the same again starts nothing twice.")] = None
    tariff: Annotated[int | None, Field(description="A version that was set before; or else a price.")] = None
    unit_price: Annotated[str | None, Field(description="The price of a new version, a decimal per kWh.")] = None
    table: Annotated[str | dict[str, Any] | None, Field(description="Its mode table: a name or a document.")] = None
    valid_from_s: int | None = None
    key_set: Annotated[int | None, Field(description="The active key set that the meters shall get.")] = None
    replaces: Annotated[int | None, Field(description="The set they forget once the new one is proved.")] = None
    text: str | None = None
    program: Annotated[int | None, Field(description="The version of a program that was added.")] = None
    activate_s: Annotated[int | None, Field(description="When it starts by the meters' clocks; else at once.")] = None
    start_s: int | None = None
    until_s: Annotated[int | None, Field(description="When it ends, whoever has confirmed; null: never.")] = None
    hours: Annotated[str, Field(description="Local hours in which meters are sent to, such as 22-6.")] = "0-24"
    per_minute: Annotated[int, Field(description="Meters let go in a minute.")] = 60
    per_station: Annotated[int, Field(description="Meters under way at once below one station.")] = 4


class ProgramIn(BaseModel):
    """A signed program: the image in base64, the maker's public key and the signature in hex."""

    model_config = ConfigDict(extra="forbid", strict=True)

    image: str
    maker: str
    signature: str
