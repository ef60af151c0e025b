"""Retiring a master key set: only where every meter keeps another that it has proved, and no campaign gives it out."""

import json
from typing import Final

from sqlalchemy import select

from prewatt.host.context import HostContext, log_action
from prewatt.host.keys import KeySet, KeySetState
from prewatt.host.registry import Registry
from prewatt.host.store import schema
from prewatt.units import ValueFieldError

__all__ = ["KeySets"]

# States of a campaign that has not ended.
_OPEN: Final = ("scheduled", "running", "paused")
_KEY_CAMPAIGN: Final = "key"
# Meters named in one line of an error.
_NAMED_MAX: Final = 5


class KeySets:
    """The key sets of an installation's vault, as its meters need them."""

    def __init__(self, context: HostContext) -> None:
        self._context = context

    def retire(self, index: int) -> list[KeySet]:
        """Ends a set for good; gives all sets. ValueFieldError where a meter would be left without, or VaultError."""
        vault = self._context.vault
        self._check_spare(index)
        vault.retire(index)
        now_s = self._context.now()
        self._context.store.write(lambda writing: log_action(writing, now_s, "key set retire", str(index), ""))
        return list(vault.sets())

    def _check_spare(self, index: int) -> None:
        active = {each.index for each in self._context.vault.sets() if each.state is KeySetState.ACTIVE}
        campaigns = schema.campaigns
        running = select(campaigns.c.id, campaigns.c.what).where(
            campaigns.c.kind == _KEY_CAMPAIGN, campaigns.c.state.in_(_OPEN)
        )
        with self._context.store.reading() as connection:
            rows = connection.execute(running).all()
        giving = [row.id for row in rows if json.loads(row.what)["key_set"] == index]
        if giving:
            raise ValueFieldError(
                "set", index, f"a set that no campaign is giving out; {giving[0]} is, cancel it first"
            )
        needing = [
            meter.id
            for meter in Registry(self._context).read_meters()
            if index in meter.key_sets and not (active - {index}) & (set(meter.key_sets) - set(meter.key_sets_doubted))
        ]
        if needing:
            listed = ", ".join(needing[:_NAMED_MAX]) + (" ..." if len(needing) > _NAMED_MAX else "")
            raise ValueFieldError(
                "set", index, f"a set without which every meter has another; {listed} would have none"
            )
