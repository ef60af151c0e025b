"""Where somebody who is known asks: the right is checked, the call is made in that name, or waits for a second person.

Command line and API both come in here, so neither has a way around it.
"""

from collections.abc import Callable
from typing import Any

from prewatt.apps.selling import APPROVE, Selling
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.actor import Actor
from prewatt.host.staff.rights import check_right
from prewatt.host.store.acting import ActingStore

__all__ = ["Desk"]


class Desk:
    """A seller, for one person who came from ``origin``."""

    def __init__(self, selling: Selling, actor: Actor, origin: str) -> None:
        self._host = selling.host
        self._actor, self._origin = actor, origin

    def call(self, name: str, /, **arguments: Any) -> Any:  # noqa: ANN401 - what the calls take and answer
        """Makes a call of ROUTES. RefusedError: NOT_ALLOWED without the right, NEEDS_APPROVAL where one person is not
        enough; then it was written down, and somebody else can do it."""
        check_right(self._actor, name)
        if name == APPROVE:
            return self._approve(**arguments)
        bound = self._host.acting(self._actor, self._origin)
        if self._host.logins.has_users() and bound.approvals.needed(name, arguments):
            asked = bound.approvals.ask(name, arguments)
            allowed = (
                f"with a second person, who is not {asked.asked_by}: `prewatt approve do {asked.id}` within a day;"
                f" it was written down as approval {asked.id}"
            )
            raise RefusedError(RefusalOutcome.NEEDS_APPROVAL, "call", name, allowed)
        return self._make(bound, name, arguments)

    def _make(self, bound: Any, name: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        made: Callable[..., Any] = getattr(Selling(bound), name)
        return made(**arguments)

    def _approve(self, approval: str, digest: str) -> Any:  # noqa: ANN401
        """Makes the call that somebody else asked for, in this person's name; its end is in the call's own commit."""
        bound = self._host.acting(self._actor, self._origin)
        approved = bound.approvals.take(approval, digest)
        check_right(self._actor, approved.call)
        both = self._host.acting(self._actor, self._origin, bound.approvals.ending(approved))
        answer = self._make(both, approved.call, approved.arguments)
        store = both.context.store
        if isinstance(store, ActingStore):
            store.finish()
        return {"approval": bound.approvals.read(approval).as_dict(), "answer": answer}
