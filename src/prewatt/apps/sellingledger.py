"""Calls on the books: trial balance, statements, closed periods, exports; part of `Selling`."""

from typing import Any

from prewatt.host.host import Host

__all__ = ["SellingLedger"]

Json = dict[str, Any]


class SellingLedger:
    """See `prewatt.apps.selling.Selling`."""

    _host: Host

    def read_balance(self, last_day: str | None = None, by: str = "kind") -> Json:
        """The trial balance at the end of a day (without one: now), by kind of account or by account."""
        return self._host.accounting.balance(last_day, by=by).as_dict()

    def read_statement(self, account: str, first_day: str | None = None, last_day: str | None = None) -> list[Json]:
        """The statement of an account, or of each account of a meter; both days are included."""
        return [each.as_dict() for each in self._host.accounting.statement(account, first_day, last_day)]

    def read_periods(self) -> list[Json]:
        """The periods that were closed, newest first."""
        return [each.as_dict() for each in self._host.periods.read()]

    def close_period(self, last_day: str) -> Json:
        """Closes all days up to and with this one, which must be over."""
        return self._host.periods.close(last_day).as_dict()

    def export_entries(
        self, form: str = "csv", first_day: str | None = None, last_day: str | None = None, after: int = 0
    ) -> Json:
        """A part of the entries as text: csv, beancount or json; asked again with its `after` until that is null."""
        return self._host.accounting.export(form, first_day, last_day, after=after).as_dict()
