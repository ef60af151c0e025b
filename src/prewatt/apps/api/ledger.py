"""The fields of the routes on the books."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CloseIn"]


class CloseIn(BaseModel):
    """The last day of the period to be closed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    last_day: Annotated[str, Field(description="Such as 2026-10-31, in the installation's calendar.")]
