"""Puts routes and fields into docs/reference/api.md: routes from the OpenAPI document, answers from their own types."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI

from marked import DOCS, put
from prewatt.apps.api import build_app
from prewatt.apps.selling import Selling
from prewatt.apps.street.street import Street
from prewatt.device.meter.view import MeterView
from prewatt.host import answers, bodyanswers, boxanswers
from prewatt.host.accounting import answers as accounting
from prewatt.host.audit import answers as auditanswers
from prewatt.host.campaigns.answers import CampaignAnswer, CampaignMeter, CampaignOutline
from prewatt.host.customers import answers as registry
from prewatt.host.plans import answers as rateanswers
from prewatt.host.programanswers import ProgramAnswer
from prewatt.host.refusals import RefusalOutcome
from prewatt.host.staff import answers as staffanswers

__all__ = ["routes_text", "with_routes"]

PAGE = DOCS / "reference" / "api.md"
# What each call answers; the bodies are plain JSON objects to the OpenAPI document.
ANSWERS = {
    "read_meters": "list of Meter",
    "read_meter": "Meter",
    "enrol_meter": "Meter",
    "close_meter": "Meter",
    "block_meter": "Meter",
    "reopen_meter": "Meter",
    "reconcile_meter": "Meter",
    "thaw_meter": "Meter",
    "send_text": "Control",
    "order_relay": "Control",
    "change_settings": "Control",
    "change_key": "Control",
    "read_bodies": "list of Body",
    "retire_meter": "Body",
    "replace_meter": "Body",
    "lose_meter": "Body",
    "sign_over": "SignOver",
    "read_meter_orders": "list of Control",
    "read_events": "list of Happening",
    "read_usage": "Usage",
    "vend": "Vend",
    "read_transfers": "list of Transfer",
    "read_transfer": "Transfer",
    "cancel_transfer": "Transfer",
    "refund_transfer": "Transfer",
    "issue_code": "Code",
    "read_suspense": "list of Suspense",
    "explain_suspense": "list of Suspense",
    "match_suspense": "Transfer",
    "read_tariff": "Tariff",
    "set_tariff": "Tariff",
    "read_campaigns": "list of CampaignOutline",
    "start_campaign": "Campaign",
    "read_campaign": "Campaign",
    "pause_campaign": "Campaign",
    "resume_campaign": "Campaign",
    "cancel_campaign": "Campaign",
    "read_programs": "list of Program",
    "add_program": "Program",
    "move_meter": "Meter",
    "read_areas": "list of Area",
    "add_area": "Area",
    "rename_area": "Area",
    "read_stations": "list of Station",
    "read_station": "Station",
    "add_station": "Station",
    "rename_station": "Station",
    "set_station_rating": "Station",
    "set_station_line": "Station",
    "read_coverage": "Coverage of a station",
    "read_unbooked": "list of Unbooked",
    "book_again": "list of Unbooked",
    "forget_unbooked": "list of Unbooked",
    "read_total_coverage": "Coverage",
    "read_polling": "Polling",
    "change_polling": "Polling",
    "read_station_polling": "Polling",
    "change_station_polling": "Polling",
    "inherit_polling": "Polling",
    "read_balance": "Balance",
    "read_statement": "list of Statement",
    "read_periods": "list of Period",
    "close_period": "Period",
    "export_entries": "Export",
    "read_customers": "list of Customer",
    "add_customer": "Customer",
    "read_customer": "Customer",
    "change_customer": "Customer",
    "read_customer_tenancies": "list of Tenancy",
    "read_all_premises": "list of Premises",
    "add_premises": "Premises",
    "read_premises": "Premises",
    "change_premises": "Premises",
    "read_suppliers": "list of Contact",
    "add_supplier": "Contact",
    "read_supplier": "Contact",
    "change_supplier": "Contact",
    "read_agents": "list of Contact",
    "add_agent": "Contact",
    "read_agent": "Contact",
    "change_agent": "Contact",
    "assign_meter": "list of Tenancy",
    "vacate_meter": "list of Tenancy",
    "read_tenancies": "list of Tenancy",
    "find": "list of Found",
    "read_import": "ImportProgress",
    "export_registry": "Sheet",
    "import_registry": "Import",
    "read_rates": "list of RateOutline",
    "add_rate": "Rate",
    "check_rate": "RateCheck",
    "import_rate": "RateCheck",
    "read_rate": "Rate",
    "read_rate_assignments": "list of RateAssignment",
    "assign_rate": "RateAssignment",
    "read_meter_rate": "RateHolding",
    "quote": "RateQuote",
    "preview_rate": "RateBill",
    "read_charges": "list of Charge",
    "audit": "Audit",
    "read_log": "Log",
    "read_self": "Self",
    "read_users": "list of User",
    "add_user": "User",
    "change_user": "User",
    "disable_user": "User",
    "enable_user": "User",
    "read_tokens": "list of Token",
    "add_token": "Token",
    "revoke_token": "Token",
    "login": "Token",
    "read_approvals": "list of Approval",
    "approve": "`approval` (Approval), `answer` (what the call answers)",
    "withdraw_approval": "Approval",
    "change_refund_limit": "`refund_limit_micro`",
    "retire_key_set": "list of `set`, `suite`, `state`, `made_s`",
    "read_faces": "list of Face",
    "read_face": "Face",
    "press_keys": "Face",
    "read_clock": "`now_s`, `speed`",
    "set_clock": "`now_s`, `speed`",
    "health": "`ok`, `version`",
}
TYPES: tuple[type, ...] = (
    answers.MeterAnswer,
    answers.VendAnswer,
    answers.ChargeAnswer,
    answers.TransferAnswer,
    answers.SuspenseAnswer,
    bodyanswers.BodyAnswer,
    bodyanswers.SignOverAnswer,
    bodyanswers.CodeAnswer,
    answers.TariffAnswer,
    rateanswers.RateAnswer,
    rateanswers.RateOutline,
    rateanswers.RateCheckAnswer,
    rateanswers.RateProblem,
    rateanswers.RateAssignmentAnswer,
    rateanswers.RateHolding,
    rateanswers.RateQuoteAnswer,
    rateanswers.RateBillAnswer,
    rateanswers.RateEnergy,
    answers.UsageAnswer,
    answers.UsageRow,
    answers.ControlAnswer,
    answers.HappeningAnswer,
    boxanswers.AreaAnswer,
    boxanswers.StationAnswer,
    boxanswers.BoxAnswer,
    boxanswers.Coverage,
    boxanswers.CoverageAnswer,
    boxanswers.Straggler,
    boxanswers.UnbookedAnswer,
    boxanswers.PollingAnswer,
    CampaignAnswer,
    CampaignOutline,
    CampaignMeter,
    ProgramAnswer,
    accounting.BalanceAnswer,
    accounting.BalanceRow,
    accounting.StatementAnswer,
    accounting.StatementRow,
    accounting.PeriodAnswer,
    accounting.ExportAnswer,
    auditanswers.AuditAnswer,
    auditanswers.Violation,
    registry.CustomerAnswer,
    registry.PremisesAnswer,
    registry.ContactAnswer,
    registry.TenancyAnswer,
    registry.FoundAnswer,
    registry.SheetAnswer,
    registry.ImportAnswer,
    registry.BadRow,
    registry.ImportProgress,
    staffanswers.LogAnswer,
    staffanswers.LogLineAnswer,
    staffanswers.SelfAnswer,
    staffanswers.UserAnswer,
    staffanswers.TokenAnswer,
    staffanswers.ApprovalAnswer,
    MeterView,
)
WORDS = {
    "str": "text",
    "int": "integer",
    "bool": "true or false",
    "None": "null",
    "bytes": "text",
    "dict[str, Any]": "object",
}


def with_routes(document: str) -> str:
    """``document`` with routes, fields and outcomes as they are."""
    document = put(document, "routes", routes_text())
    document = put(document, "answers", "\n\n".join(_type_text(each) for each in TYPES))
    return put(document, "outcomes", ", ".join(f"`{each}`" for each in RefusalOutcome))


def routes_text() -> str:
    """A section for each route."""
    app = application()
    document = app.openapi()
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path == "/healthz" or path.startswith("/api/")
    ]
    unknown = {name for _, _, operation in operations if (name := _name(operation)) not in ANSWERS}
    if unknown:
        raise ValueError(f"routes: {', '.join(sorted(unknown))} are not in ANSWERS")
    return "\n\n".join(_route(*each, document["components"]["schemas"]) for each in operations)


def application() -> FastAPI:
    """The application without a host or a street behind it: enough to be described."""
    return build_app(Selling(cast(Any, None)), cast(Street, _Nothing()), "")


class _Nothing:
    """Stands where nothing is called."""

    def __getattr__(self, name: str) -> object:
        return lambda *given, **named: None


def _name(operation: dict[str, Any]) -> str:
    """The call's own name; FastAPI puts path and method behind it where none was given."""
    return str(operation["operationId"]).partition("_api_")[0].removesuffix("_healthz_get")


def _route(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    what = operation.get("description") or operation["summary"]
    rows = [*_parameters(operation), *_body(operation, schemas)]
    parts = [f"#### {method} {path}", f"{_cell(what)} Answers {ANSWERS[_name(operation)]}."]
    if rows:
        parts.append("\n".join(["| field | | |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts)


def _parameters(operation: dict[str, Any]) -> Iterator[str]:
    for each in operation.get("parameters", []):
        if each["in"] == "query":
            yield f"| `{each['name']}` (query) | {_schema_words(each['schema'])} | {_default(each['schema'])} |"


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    if "requestBody" not in operation:
        return
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = schemas[reference.rpartition("/")[2]]
    for name, field in schema["properties"].items():
        needed = "needed" if name in schema.get("required", ()) else _default(field)
        about = f". {field['description']}" if "description" in field else ""
        yield f"| `{name}` | {_schema_words(field)}{about} | {needed} |"


def _schema_words(schema: dict[str, Any]) -> str:
    words = {"string": "text", "boolean": "true or false", "array": "list"}
    kinds = [each.get("type", "object") for each in schema.get("anyOf", [schema])]
    shown = " or ".join(words.get(kind, kind) for kind in kinds if kind != "null")
    if "minimum" in schema:
        shown += f", {schema['minimum']} to {schema['maximum']:,}"
    return shown


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "may be left out" if default is None else f"else `{default}`"


def _type_text(answer: type) -> str:
    name = "Face" if answer is MeterView else answer.__name__.removesuffix("Answer")
    rows = [f"| `{field}` | {kind} | {about} |" for field, kind, about in _fields(answer)]
    about = _cell(inspect.cleandoc(answer.__doc__ or ""))
    return "\n\n".join([f"#### {name}", about, "\n".join(["| field | | |", "| --- | --- | --- |", *rows])])


def _fields(answer: type) -> Iterator[tuple[str, str, str]]:
    """Name, kind and docstring of every field, as JSON has them."""
    tree = ast.parse(Path(inspect.getfile(answer)).read_text())
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == answer.__name__)
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            about = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            name = "id" if node.target.id == "meter_id" else node.target.id
            yield name, _kind(ast.unparse(node.annotation), answer), _cell(str(about))


def _kind(annotation: str, answer: type) -> str:
    many = re.fullmatch(r"tuple\[(.+), \.\.\.\]", annotation)
    if many:
        return f"list of {_kind(many[1], answer)}"
    return " or ".join(_word(each.strip(" '\""), answer) for each in annotation.split("|"))


def _word(name: str, answer: type) -> str:
    """A type as JSON has it: an enumeration as its words, an answer by its name."""
    if name in WORDS:
        return WORDS[name]
    kind = getattr(sys.modules[answer.__module__], name)
    return ", ".join(f"`{each.value}`" for each in kind) if issubclass(kind, Enum) else name


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_routes(PAGE.read_text()))
