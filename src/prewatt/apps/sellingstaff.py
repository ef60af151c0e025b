"""The calls about staff: users, tokens, the log, approvals, and ending a key set; a part of `Selling`."""

from collections.abc import Sequence
from typing import Any

from prewatt.host.host import Host
from prewatt.units import ValueFieldError, parse_value

__all__ = ["SellingStaff"]

Json = dict[str, Any]
_KEY_SET_DIGITS_MAX = 3


class SellingStaff:
    """See `prewatt.apps.selling.Selling`."""

    _host: Host

    def read_self(self) -> Json:
        """Who asks, as the host sees it: name, roles, scopes, and from where."""
        return self._host.users.read_self().as_dict()

    def read_users(self) -> list[Json]:
        """All users."""
        return [each.as_dict() for each in self._host.users.read_all()]

    def add_user(self, name: str, roles: Sequence[str], password: str | None = None) -> Json:
        """A new user. The first has to be an owner; from then on the API asks everybody who they are."""
        return self._host.users.add(name, roles, password).as_dict()

    def change_user(
        self, user: str, roles: Sequence[str] | None = None, password: str | None = None, totp: str | None = None
    ) -> Json:
        """Changes roles, password, or the authenticator app (`new` or `off`), whichever is given."""
        return self._host.users.change(user, roles=roles, password=password, totp=totp).as_dict()

    def disable_user(self, user: str) -> Json:
        """The user may do nothing any more."""
        return self._host.users.disable(user).as_dict()

    def enable_user(self, user: str) -> Json:
        """The user may again do what the roles allow."""
        return self._host.users.enable(user).as_dict()

    def read_tokens(self, user: str) -> list[Json]:
        """A user's tokens, newest first, without what opens."""
        return [each.as_dict() for each in self._host.users.read_tokens(user)]

    def add_token(self, user: str, label: str, scopes: Sequence[str] = (), days: int | None = None) -> Json:
        """A new token; what opens with it is in this answer alone."""
        return self._host.users.add_token(user, label, scopes, days).as_dict()

    def revoke_token(self, token: str) -> Json:
        """A token, by its id, opens nothing any more."""
        return self._host.users.revoke_token(token).as_dict()

    def read_log(
        self,
        subject: str | None = None,
        actor: str | None = None,
        from_s: int | None = None,
        until_s: int | None = None,
        below: int | None = None,
        limit: int = 50,
    ) -> Json:
        """The audit log, newest first: who did what to what, when, from where, before and after."""
        period = {"from_s": from_s, "until_s": until_s}
        return self._host.log.read(subject=subject, actor=actor, below=below, limit=limit, **period).as_dict()

    def read_approvals(self) -> list[Json]:
        """What was asked that needs a second person, newest first."""
        return [each.as_dict() for each in self._host.approvals.read_all()]

    def withdraw_approval(self, approval: str) -> Json:
        """What was asked shall not be done."""
        return self._host.approvals.withdraw(approval).as_dict()

    def change_refund_limit(self, amount: str) -> Json:
        """Refunds above this amount need two persons; 0 is every refund."""
        digits = self._host.installation.currency_digits
        micro = parse_value(amount, field="amount", digits=digits, zero=True)
        return {"refund_limit_micro": self._host.approvals.change_limit(micro)}

    def retire_key_set(self, key_set: str) -> list[Json]:
        """Ends a master key set, by its number, for good; gives all sets."""
        if not (key_set.isascii() and key_set.isdecimal() and len(key_set) <= _KEY_SET_DIGITS_MAX):
            raise ValueFieldError("set", key_set, "the number of a key set, 0 to 255")
        return [
            {"set": each.index, "suite": each.suite, "state": str(each.state), "made_s": each.created_s}
            for each in self._host.key_sets.retire(int(key_set))
        ]
