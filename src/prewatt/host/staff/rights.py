"""Who may do what: one table, from the name of each call of the API to a scope and the roles that have it.

What does not stand here nobody may do. A test compares the table with the calls there are.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.staff.actor import Actor, Role, Scope

__all__ = ["IMPORT_NEEDS", "RIGHTS", "Right", "check_import", "check_right"]


class Right(NamedTuple):
    """What a call belongs to, and who may make it."""

    scope: Scope
    roles: frozenset[Role]


_OWNER: Final = frozenset({Role.OWNER})
_EVERYBODY: Final = frozenset(Role)
_SELLERS: Final = _OWNER | {Role.FINANCE, Role.CLERK, Role.AGENT, Role.API}
_COUNTER: Final = _OWNER | {Role.FINANCE, Role.CLERK}
_FINANCE: Final = _OWNER | {Role.FINANCE}
_FIELD: Final = _OWNER | {Role.TECHNICIAN}
_PLACES: Final = _COUNTER | {Role.TECHNICIAN}
_LOOKERS: Final = _EVERYBODY - {Role.AGENT}
_AUDITORS: Final = _FINANCE | {Role.AUDITOR}


def _rights(scope: Scope, roles: frozenset[Role], calls: str) -> dict[str, Right]:
    return dict.fromkeys(calls.split(), Right(scope, roles))


RIGHTS: Final[Mapping[str, Right]] = {
    **_rights(Scope.READ, _EVERYBODY, "read_meter read_tariff read_transfer read_faces read_face read_clock"),
    **_rights(Scope.READ, _EVERYBODY, "quote read_meter_rate read_charges"),
    **_rights(
        Scope.READ,
        _LOOKERS,
        "read_meters read_bodies read_meter_orders read_events read_usage read_transfers read_suspense read_areas"
        " read_stations read_station read_coverage read_total_coverage read_unbooked read_station_polling read_polling"
        " read_campaigns read_campaign read_programs read_rates read_rate read_rate_assignments preview_rate"
        " read_customers read_customer read_customer_tenancies read_all_premises read_premises read_tenancies"
        " read_suppliers read_supplier read_agents read_agent find",
    ),
    **_rights(Scope.SELL, _SELLERS, "vend issue_code"),
    **_rights(Scope.SELL, _COUNTER, "cancel_transfer refund_transfer"),
    **_rights(Scope.MONEY, _FINANCE, "explain_suspense match_suspense sign_over close_meter block_meter reopen_meter"),
    **_rights(Scope.MONEY, _FINANCE, "reconcile_meter thaw_meter lose_meter replace_meter change_refund_limit"),
    **_rights(
        Scope.FIELD,
        _FIELD,
        "enrol_meter move_meter retire_meter send_text order_relay change_settings change_key add_area rename_area"
        " add_station rename_station set_station_line set_station_rating book_again forget_unbooked"
        " change_station_polling inherit_polling change_polling start_campaign pause_campaign"
        " resume_campaign cancel_campaign press_keys",
    ),
    **_rights(Scope.REGISTRY, _COUNTER, "add_customer change_customer assign_meter vacate_meter"),
    **_rights(Scope.REGISTRY, _PLACES, "add_premises change_premises"),
    **_rights(Scope.REGISTRY, _FINANCE, "add_supplier change_supplier add_agent change_agent"),
    **_rights(Scope.REGISTRY, _AUDITORS, "export_registry"),
    **_rights(Scope.REGISTRY, _FINANCE | _FIELD, "import_registry read_import"),
    **_rights(Scope.PRICES, _FINANCE, "set_tariff add_rate check_rate import_rate assign_rate"),
    **_rights(Scope.AUDIT, _AUDITORS, "audit read_log"),
    **_rights(Scope.AUDIT, _AUDITORS, "read_balance read_statement read_periods export_entries"),
    **_rights(Scope.MONEY, _FINANCE, "close_period"),
    **_rights(
        Scope.STAFF,
        _OWNER,
        "read_users add_user change_user disable_user enable_user read_tokens add_token revoke_token"
        " retire_key_set add_program set_clock",
    ),
    **_rights(Scope.SELF, _EVERYBODY, "read_self read_approvals approve withdraw_approval"),
}

# What somebody needs besides, who takes a file of a kind in: nobody does by a file what that person may not do by hand.
IMPORT_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "customers": ("change_customer",),
    "premises": ("change_premises",),
    "suppliers": ("change_supplier",),
    "agents": ("change_agent",),
    "stations": ("add_station", "rename_station", "set_station_line", "set_station_rating"),
    "meters": ("enrol_meter", "assign_meter"),
}


def check_import(actor: Actor, kind: str) -> None:
    """RefusedError (NOT_ALLOWED) unless ``actor`` may do what a file of this kind does."""
    for call in IMPORT_NEEDS[kind]:
        check_right(actor, call)


def check_right(actor: Actor, call: str) -> None:
    """RefusedError (NOT_ALLOWED) unless ``actor`` may make ``call``."""
    right = RIGHTS.get(call)
    if right is None:
        raise RefusedError(RefusalOutcome.NOT_ALLOWED, "call", call, "a call that somebody has the right to make")
    if not actor.roles & right.roles:
        roles = ", ".join(sorted(right.roles))
        have = ", ".join(sorted(actor.roles)) or "none"
        allowed = f"for the roles {roles}; {actor.name} has {have}"
        raise RefusedError(RefusalOutcome.NOT_ALLOWED, "call", call, allowed)
    if right.scope is not Scope.SELF and right.scope not in actor.scopes:
        allowed = f"for a token with the scope {right.scope}"
        raise RefusedError(RefusalOutcome.NOT_ALLOWED, "call", call, allowed)
