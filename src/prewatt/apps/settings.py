"""Settings of the programs: from the environment (PREWATT_...), each overridden by the option of the same name.

docs/reference/settings.md explains every one of them. Every command reads them, so this module loads little.
"""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from prewatt.units import ValueFieldError

__all__ = ["PORT_MAX", "SPEED_MAX", "STREET_METERS_MAX", "Settings", "read_settings"]

# At 3,600 an hour passes each second: a week of one home in under three minutes.
SPEED_MAX: Final = 3_600

PORT_MAX: Final = 65_535
# One local station has 256 modem addresses, and the transformer's own meter takes one of them.
STREET_METERS_MAX: Final = 255
DIGITS_MAX: Final = 6
_LOG_LEVELS: Final = ("debug", "info", "warning", "error")
_PREFIX: Final = "PREWATT_"
# For people, in place of what the checks of types say.
_ALLOWED: Final = {
    "port": f"a whole number from 0 to {PORT_MAX}",
    "speed": f"a whole number from 1 to {SPEED_MAX}",
    "meters": f"a whole number from 1 to {STREET_METERS_MAX}",
    "digits": f"a whole number from 0 to {DIGITS_MAX}",
    "log_level": ", ".join(_LOG_LEVELS),
}


class Settings(BaseSettings):
    """All settings with their defaults and limits."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX)

    data: Path = Path("prewatt-data")
    """The data folder."""
    address: str = "127.0.0.1"
    """Where `up` listens."""
    port: int = Field(8400, ge=0, le=PORT_MAX)
    """Port of `up`; 0 takes a free one."""
    speed: int = Field(600, ge=1, le=SPEED_MAX)
    """World seconds a second in the street that `up` starts."""
    meters: int = Field(8, ge=1, le=STREET_METERS_MAX)
    """Virtual meters in the street that `up` starts."""
    key_file: Path | None = None
    """The file that opens the key vault; without it, and without a passphrase, DATA/vault.key."""
    passphrase: SecretStr | None = None
    """The passphrase that opens the key vault, where it was made with one."""
    token: SecretStr | None = None
    """The token of whoever asks; without it, who may read the data folder is the owner."""
    maker_key: Path | None = None
    """The public half of the maker's key, for meters that are made here; without it they take no programs."""
    database: str | None = None
    """The PostgreSQL database of a new installation; without it a file in the data folder."""
    database_password_file: Path | None = None
    """The file with the password for that database; without it, what PostgreSQL's own programs use."""
    digits: int = Field(2, ge=0, le=DIGITS_MAX)
    """Decimals of the currency."""
    zone: str | None = None
    """IANA name of the zone whose days and hours count; None: the computer's."""
    log_level: str = Field("warning", pattern=f"^({'|'.join(_LOG_LEVELS)})$")
    """What `up` logs to stderr as JSON lines."""


def read_settings(**given: object) -> Settings:
    """Settings from the environment under what was ``given`` (None counts as not given).

    ValueFieldError names the first setting that is not allowed.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        shown = "***" if name in ("passphrase", "token") else first["input"]
        raise ValueFieldError(f"setting {_PREFIX}{name.upper()}", shown, _ALLOWED.get(name, first["msg"])) from None
