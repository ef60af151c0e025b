"""The street's own routes: faces, keys and clock. They exist where `up` runs virtual meters."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from prewatt.apps.faces import Face
from prewatt.apps.street.street import Street

__all__ = ["street_routes"]


class KeysIn(BaseModel):
    """Keys to press, one after the other."""

    model_config = ConfigDict(extra="forbid", strict=True)
    keys: str


class SpeedIn(BaseModel):
    """World seconds a second."""

    model_config = ConfigDict(extra="forbid", strict=True)
    speed: int


def street_routes(street: Street) -> APIRouter:
    """See the module."""
    routes = APIRouter()

    @routes.get("/street")
    def read_faces() -> list[Face]:
        """What a person standing before each meter sees."""
        return street.faces()

    @routes.get("/street/{meter}")
    def read_face(meter: str) -> Face:
        """What a person standing before one meter sees."""
        return street.face(meter)

    @routes.post("/street/{meter}/keys")
    def press_keys(meter: str, body: KeysIn) -> Face:
        """Presses keys on a meter; the face afterwards."""
        return street.press(meter, body.keys)

    @routes.get("/clock")
    def read_clock() -> dict[str, Any]:
        """The street's clock."""
        return {"now_s": street.clock.now_s(), "speed": street.clock.speed}

    @routes.post("/clock")
    def set_clock(body: SpeedIn) -> dict[str, Any]:
        """Changes the speed of the street's clock."""
        street.set_speed(body.speed)
        return {"now_s": street.clock.now_s(), "speed": street.clock.speed}

    return routes
