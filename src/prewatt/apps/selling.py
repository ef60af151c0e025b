"""What a seller asks of the host, as calls that answer JSON: the API and the command line both go through here.

ROUTES says under which path of the API each call stands, so that a command finds the same call by the same path
whether an `up` is running or not.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from prewatt.apps.sellingbodies import SellingBodies
from prewatt.apps.sellingcampaigns import SellingCampaigns
from prewatt.apps.sellingledger import SellingLedger
from prewatt.apps.sellingplaces import SellingPlaces
from prewatt.apps.sellingrates import SellingRates
from prewatt.apps.sellingregistry import SellingRegistry
from prewatt.apps.sellingstaff import SellingStaff
from prewatt.apps.tables import named_table, table_from_document
from prewatt.apps.zones import installation_rule
from prewatt.codec.bodies import RelayOrder
from prewatt.codec.settings import SettingsChange
from prewatt.host.answers import TransferState
from prewatt.host.host import Host
from prewatt.host.registry import Enrolment
from prewatt.host.topology import STATION_DEFAULT
from prewatt.units import ValueFieldError

__all__ = ["APPROVE", "ROUTES", "Json", "Route", "Selling"]

Json = dict[str, Any]


# Not a call of `Selling` but of the `Desk`, which makes the call that was asked for.
APPROVE: Final = "approve"


class Route(NamedTuple):
    """A call of `Selling` by method and path."""

    method: str
    path: str
    call: str


RATE_ROUTES: Final = (
    Route("GET", "/rates", "read_rates"),
    Route("POST", "/rates", "add_rate"),
    Route("POST", "/rates/check", "check_rate"),
    Route("POST", "/rates/import", "import_rate"),
    Route("GET", "/rates/plan", "read_rate"),
    Route("GET", "/rates/assignments", "read_rate_assignments"),
    Route("POST", "/rates/assignments", "assign_rate"),
    Route("GET", "/meters/{meter}/rate", "read_meter_rate"),
    Route("GET", "/meters/{meter}/quote", "quote"),
    Route("GET", "/meters/{meter}/preview", "preview_rate"),
    Route("GET", "/transfers/{order}/charges", "read_charges"),
)
ROUTES: Final = (
    Route("GET", "/meters", "read_meters"),
    Route("GET", "/meters/{meter}", "read_meter"),
    Route("POST", "/meters", "enrol_meter"),
    Route("POST", "/meters/{meter}/close", "close_meter"),
    Route("POST", "/meters/{meter}/block", "block_meter"),
    Route("POST", "/meters/{meter}/reopen", "reopen_meter"),
    Route("POST", "/meters/{meter}/reconcile", "reconcile_meter"),
    Route("POST", "/meters/{meter}/thaw", "thaw_meter"),
    Route("POST", "/meters/{meter}/move", "move_meter"),
    Route("GET", "/meters/{meter}/bodies", "read_bodies"),
    Route("POST", "/meters/{meter}/retire", "retire_meter"),
    Route("POST", "/meters/{meter}/replace", "replace_meter"),
    Route("POST", "/meters/{meter}/lost", "lose_meter"),
    Route("POST", "/meters/{meter}/sign-over", "sign_over"),
    Route("GET", "/meters/{meter}/orders", "read_meter_orders"),
    Route("POST", "/meters/{meter}/text", "send_text"),
    Route("POST", "/meters/{meter}/relay", "order_relay"),
    Route("POST", "/meters/{meter}/settings", "change_settings"),
    Route("POST", "/meters/{meter}/key", "change_key"),
    Route("GET", "/meters/{meter}/events", "read_events"),
    Route("GET", "/meters/{meter}/usage", "read_usage"),
    Route("POST", "/vends", "vend"),
    Route("GET", "/transfers", "read_transfers"),
    Route("GET", "/transfers/{order}", "read_transfer"),
    Route("POST", "/transfers/{order}/cancel", "cancel_transfer"),
    Route("POST", "/transfers/{order}/refund", "refund_transfer"),
    Route("POST", "/transfers/{order}/code", "issue_code"),
    Route("GET", "/suspense", "read_suspense"),
    Route("POST", "/suspense", "explain_suspense"),
    Route("POST", "/suspense/match", "match_suspense"),
    Route("GET", "/areas", "read_areas"),
    Route("POST", "/areas", "add_area"),
    Route("POST", "/areas/{area}/name", "rename_area"),
    Route("GET", "/stations", "read_stations"),
    Route("POST", "/stations", "add_station"),
    Route("GET", "/stations/{station}", "read_station"),
    Route("POST", "/stations/{station}/name", "rename_station"),
    Route("POST", "/stations/{station}/line", "set_station_line"),
    Route("POST", "/stations/{station}/rating", "set_station_rating"),
    Route("GET", "/stations/{station}/coverage", "read_coverage"),
    Route("GET", "/stations/{station}/unbooked", "read_unbooked"),
    Route("POST", "/stations/{station}/unbooked/again", "book_again"),
    Route("POST", "/stations/{station}/unbooked/forget", "forget_unbooked"),
    Route("GET", "/stations/{station}/polling", "read_station_polling"),
    Route("POST", "/stations/{station}/polling", "change_station_polling"),
    Route("POST", "/stations/{station}/polling/inherit", "inherit_polling"),
    Route("GET", "/coverage", "read_total_coverage"),
    Route("GET", "/polling", "read_polling"),
    Route("POST", "/polling", "change_polling"),
    Route("GET", "/tariff", "read_tariff"),
    Route("POST", "/tariffs", "set_tariff"),
    *RATE_ROUTES,
    Route("GET", "/campaigns", "read_campaigns"),
    Route("POST", "/campaigns", "start_campaign"),
    Route("GET", "/campaigns/{campaign}", "read_campaign"),
    Route("POST", "/campaigns/{campaign}/pause", "pause_campaign"),
    Route("POST", "/campaigns/{campaign}/resume", "resume_campaign"),
    Route("POST", "/campaigns/{campaign}/cancel", "cancel_campaign"),
    Route("GET", "/programs", "read_programs"),
    Route("POST", "/programs", "add_program"),
    Route("GET", "/ledger/balance", "read_balance"),
    Route("GET", "/ledger/statement", "read_statement"),
    Route("GET", "/ledger/periods", "read_periods"),
    Route("POST", "/ledger/periods", "close_period"),
    Route("GET", "/ledger/export", "export_entries"),
    Route("GET", "/customers", "read_customers"),
    Route("POST", "/customers", "add_customer"),
    Route("GET", "/customers/{customer}", "read_customer"),
    Route("POST", "/customers/{customer}", "change_customer"),
    Route("GET", "/customers/{customer}/tenancies", "read_customer_tenancies"),
    Route("GET", "/premises", "read_all_premises"),
    Route("POST", "/premises", "add_premises"),
    Route("GET", "/premises/{premises}", "read_premises"),
    Route("POST", "/premises/{premises}", "change_premises"),
    Route("GET", "/suppliers", "read_suppliers"),
    Route("POST", "/suppliers", "add_supplier"),
    Route("GET", "/suppliers/{supplier}", "read_supplier"),
    Route("POST", "/suppliers/{supplier}", "change_supplier"),
    Route("GET", "/agents", "read_agents"),
    Route("POST", "/agents", "add_agent"),
    Route("GET", "/agents/{agent}", "read_agent"),
    Route("POST", "/agents/{agent}", "change_agent"),
    Route("POST", "/meters/{meter}/assign", "assign_meter"),
    Route("POST", "/meters/{meter}/vacate", "vacate_meter"),
    Route("GET", "/meters/{meter}/tenancies", "read_tenancies"),
    Route("GET", "/find", "find"),
    Route("GET", "/registry/import", "read_import"),
    Route("GET", "/registry/{kind}/export", "export_registry"),
    Route("POST", "/registry/{kind}/import", "import_registry"),
    Route("GET", "/audit", "audit"),
    Route("GET", "/log", "read_log"),
    Route("GET", "/self", "read_self"),
    Route("GET", "/users", "read_users"),
    Route("POST", "/users", "add_user"),
    Route("POST", "/users/{user}", "change_user"),
    Route("POST", "/users/{user}/disable", "disable_user"),
    Route("POST", "/users/{user}/enable", "enable_user"),
    Route("GET", "/users/{user}/tokens", "read_tokens"),
    Route("POST", "/users/{user}/tokens", "add_token"),
    Route("POST", "/tokens/{token}/revoke", "revoke_token"),
    Route("GET", "/approvals", "read_approvals"),
    Route("POST", "/approvals/limit", "change_refund_limit"),
    Route("POST", "/approvals/{approval}/withdraw", "withdraw_approval"),
    Route("POST", "/approvals/{approval}/approve", APPROVE),
    Route("POST", "/keys/{key_set}/retire", "retire_key_set"),
)
_REASON: Final = "asked by the owner"
_STATES: Final = ", ".join(TransferState)


class Selling(
    SellingBodies, SellingCampaigns, SellingLedger, SellingPlaces, SellingRates, SellingRegistry, SellingStaff
):
    """The calls. Errors are those of the host: RefusedError, ValueFieldError, HostError."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)

    @property
    def host(self) -> Host:
        """The host that is asked."""
        return self._host

    def read_meters(self) -> list[Json]:
        """Every meter."""
        return [meter.as_dict() for meter in self._host.registry.read_meters()]

    def read_meter(self, meter: str) -> Json:
        """One meter: what is enrolled, what the books hold, and its own last word."""
        return self._host.registry.read_meter(meter).as_dict()

    def enrol_meter(self, meter: str, station: str | None = None, **given: Any) -> Json:  # noqa: ANN401 - passed on
        """Enrols a meter; its station is made where there is none yet."""
        place = STATION_DEFAULT if station is None else station
        fields = {name: value for name, value in given.items() if value is not None}
        return self._host.registry.enrol(Enrolment(meter, place, **fields, makes_station=True)).as_dict()

    def close_meter(self, meter: str, reason: str = _REASON) -> Json:
        """Closes a meter's account."""
        return self._host.registry.close(meter, reason).as_dict()

    def block_meter(self, meter: str, reason: str = _REASON) -> Json:
        """Blocks a meter's account until it is opened again."""
        return self._host.registry.block(meter, reason).as_dict()

    def reopen_meter(self, meter: str, reason: str = _REASON) -> Json:
        """Opens a blocked or closed account again."""
        return self._host.registry.reopen(meter, reason).as_dict()

    def reconcile_meter(self, meter: str, reason: str = _REASON) -> Json:
        """After a restore: a person has compared the meter's open orders with the payments; they may go on."""
        return self._host.registry.reconcile(meter, reason).as_dict()

    def thaw_meter(self, meter: str, reason: str = _REASON, *, back: bool = False) -> Json:
        """A person has looked into a frozen meter: it is fenced, and goes on; ``back``: with the old body again."""
        return self._host.registry.thaw(meter, reason, back=back).as_dict()

    def read_meter_orders(self, meter: str) -> list[Json]:
        """The newest control commands of a meter and what became of them."""
        known = self._host.registry.read_meter(meter).id
        return [order.as_dict() for order in self._host.controls.read(known)]

    def send_text(self, meter: str, text: str) -> Json:
        """Sends a message to the meter's display."""
        return self._host.controls.send_text(meter, text).as_dict()

    def order_relay(self, meter: str, order: str) -> Json:
        """Opens, arms or closes the relay from afar."""
        names = [each.name.lower() for each in RelayOrder]
        if order not in names:
            raise ValueFieldError("order", order, f"one of {', '.join(names)}")
        return self._host.controls.order_relay(meter, RelayOrder[order.upper()]).as_dict()

    def change_settings(self, meter: str, settings: dict[str, int]) -> Json:
        """Changes some of the meter's settings, by name."""
        try:
            change = SettingsChange(settings)
        except ValueError as error:
            raise ValueFieldError("settings", settings, str(error)) from None
        return self._host.controls.change_settings(meter, change).as_dict()

    def change_key(self, meter: str, key_set: int) -> Json:
        """Gives the meter its key of another active set; the old one works until the new one has proved itself."""
        return self._host.controls.change_key(meter, key_set).as_dict()

    def read_events(self, meter: str, limit: int = 50) -> list[Json]:
        """What the meter told: events of its log, alarms, wishes for value; newest first."""
        return [each.as_dict() for each in self._host.happenings.read(meter, limit=limit)]

    def read_usage(self, meter: str, by: str = "hour", days: int = 1) -> Json:
        """Energy of the newest collected days, by hour or by day."""
        return self._host.usage.read(meter, by=by, days=days).as_dict()

    def vend(self, meter: str, amount: str, order: str | None = None, code: bool = False) -> Json:
        """Sells value to a meter for cash; with ``code`` as a value code, or not at all."""
        return self._host.vending.vend(meter, amount, order=order, with_code=code).as_dict()

    def read_transfers(self, meter: str | None = None, state: str | None = None, limit: int = 50) -> list[Json]:
        """Transfers, newest first."""
        if state is not None and state not in set(TransferState):
            raise ValueFieldError("state", state, f"one of {_STATES}")
        wanted = None if state is None else TransferState(state)
        found = self._host.transfers.read_all(meter=meter, state=wanted, limit=limit)
        return [transfer.as_dict() for transfer in found]

    def read_transfer(self, order: str) -> Json:
        """One transfer."""
        return self._host.transfers.read(order).as_dict()

    def cancel_transfer(self, order: str) -> Json:
        """Asks to cancel a transfer that the meter does not hold yet."""
        return self._host.transfers.cancel(order).as_dict()

    def refund_transfer(self, order: str) -> Json:
        """Pays a cancelled order back."""
        return self._host.transfers.refund(order).as_dict()

    def read_suspense(self) -> list[Json]:
        """Value that meters hold and no order explains."""
        return [each.as_dict() for each in self._host.transfers.read_suspense()]

    def explain_suspense(self, meter: str, sequence: int, reason: str = _REASON) -> list[Json]:
        """A person says that value in suspense was sold for cash whose record was lost; gives what is left."""
        self._host.transfers.explain_suspense(meter, sequence, reason)
        return self.read_suspense()

    def read_tariff(self) -> Json:
        """The newest tariff and how far it has come."""
        return self._host.tariffs.read().as_dict()

    def set_tariff(self, unit_price: str, table: str | Json = "flat", meters: Sequence[str] | None = None) -> Json:
        """A new tariff for all meters, or for those named; ``table`` is a name or a document."""
        zone = installation_rule(self._host)
        chosen = named_table(table, zone) if isinstance(table, str) else table_from_document(table, zone)
        return self._host.tariffs.set(unit_price, table=chosen, meters=meters).as_dict()

    def audit(self) -> Json:
        """Recomputes where every paid micro-unit is."""
        return self._host.audit.run().as_dict()
