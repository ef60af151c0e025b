"""`prewatt customer` and `prewatt premises`: who buys, where meters hang; and who has which meter since when."""

from typing import Annotated, Any

import typer

from prewatt.apps.cli.options import Data, JsonOut, MeterArgument
from prewatt.apps.cli.seller import in_path, open_seller
from prewatt.apps.cli.show import fields, local_time, print_json, table
from prewatt.apps.settings import read_settings

__all__ = ["customers", "list_rows", "premises_app", "register", "show_row"]

customers = typer.Typer(no_args_is_help=True, help="Customers: add, change, list, show, find.")
premises_app = typer.Typer(no_args_is_help=True, help="Premises, where meters hang: add, change, list, show.")

_Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="Id: letters, digits and . _ : -")]
_Premises = Annotated[str, typer.Argument(metavar="PREMISES", help="Id: letters, digits and . _ : -")]
_Address = Annotated[str, typer.Option("--address", help="Where it is, in one line.")]
_After = Annotated[str, typer.Option("--after", help="Only those whose id comes after this one.", show_default=False)]
_Limit = Annotated[int, typer.Option("--limit", help="How many at most, 1 to 1000.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")]
_LocaleOption = typer.Option("--locale", help="Language of texts: en, fr, ko or sw.", show_default=False)
_PhoneOption = typer.Option("--phone", help="With the country: +33612345678; empty for none.", show_default=False)
_EmailOption = typer.Option("--email", help="E-mail address; empty for none.", show_default=False)
_NoticesOption = typer.Option("--notices", help="Ways of notices: email, sms, 'email sms'.", show_default=False)
_Locale = Annotated[str | None, _LocaleOption]
_Phone = Annotated[str | None, _PhoneOption]
_Email = Annotated[str | None, _EmailOption]
_Notices = Annotated[str | None, _NoticesOption]
_ASKED = "asked by the owner"


@customers.command("add")
def add_customer(
    customer: _Customer,
    name: Annotated[str, typer.Option("--name", help="Name, in one line.")],
    locale: _Locale = None,
    phone: _Phone = None,
    email: _Email = None,
    notices: _Notices = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Add a customer; the same again changes nothing."""
    given = {"name": name, "locale": locale, "phone": phone, "email": email, "notices": notices}
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/customers", customer=customer, **given)
    show_row(found, json_out)


@customers.command("change")
def change_customer(
    customer: _Customer,
    name: Annotated[str | None, typer.Option("--name", help="Name, in one line.", show_default=False)] = None,
    locale: _Locale = None,
    phone: _Phone = None,
    email: _Email = None,
    notices: _Notices = None,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Change a customer; what is not given stays."""
    given = {"name": name, "locale": locale, "phone": phone, "email": email, "notices": notices}
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/customers/{in_path('customer', customer)}", **given)
    show_row(found, json_out)


@customers.command("list")
def list_customers(after: _After = "", limit: _Limit = 50, data: Data = None, json_out: JsonOut = False) -> None:
    """List customers by id."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/customers", after=after, limit=limit)
    list_rows(found, ("id", "name", "locale", "phone", "email", "meters"), json_out)


@customers.command("show")
def show_customer(customer: _Customer, data: Data = None, json_out: JsonOut = False) -> None:
    """Show a customer, and the meters that the customer has or had."""
    place = f"/customers/{in_path('customer', customer)}"
    with open_seller(read_settings(data=data)) as seller:
        found, had = seller.get(place), seller.get(f"{place}/tenancies")
    if json_out:
        print_json(found | {"tenancies": had})
        return
    show_row(found, json_out)
    _tenancies(had, json_out)


@customers.command("find")
def find_anything(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Part of an id, name, phone number, meter or address.")],
    limit: Annotated[int, typer.Option("--limit", help="How many hits at most, 1 to 200.")] = 20,
    data: Data = None,
    json_out: JsonOut = False,
) -> None:
    """Find customers, premises, suppliers, agents, stations and meters; case, accents and spaces make no difference."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/find", text=text, limit=limit)
    list_rows(found, ("kind", "id", "field", "text"), json_out)


@premises_app.command("add")
def add_premises(premises: _Premises, address: _Address, data: Data = None, json_out: JsonOut = False) -> None:
    """Add a place where meters hang; the same again changes nothing."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post("/premises", premises=premises, address=address)
    show_row(found, json_out)


@premises_app.command("change")
def change_premises(premises: _Premises, address: _Address, data: Data = None, json_out: JsonOut = False) -> None:
    """Change an address."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.post(f"/premises/{in_path('premises', premises)}", address=address)
    show_row(found, json_out)


@premises_app.command("list")
def list_premises(after: _After = "", limit: _Limit = 50, data: Data = None, json_out: JsonOut = False) -> None:
    """List premises by id."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get("/premises", after=after, limit=limit)
    list_rows(found, ("id", "address", "meters"), json_out)


@premises_app.command("show")
def show_premises(premises: _Premises, data: Data = None, json_out: JsonOut = False) -> None:
    """Show premises, with the meters that hang there."""
    with open_seller(read_settings(data=data)) as seller:
        found = seller.get(f"/premises/{in_path('premises', premises)}")
    show_row(found, json_out)


def register(app: typer.Typer) -> None:
    """Adds the commands on who has a meter to ``app``, that of `prewatt meter`."""

    @app.command("assign")
    def assign_meter(
        meter: MeterArgument,
        customer: Annotated[
            str | None, typer.Option("--customer", help="Who has it from now on.", show_default=False)
        ] = None,
        premises: Annotated[
            str | None, typer.Option("--premises", help="Where it hangs from now on.", show_default=False)
        ] = None,
        reason: _Reason = _ASKED,
        data: Data = None,
        json_out: JsonOut = False,
    ) -> None:
        """Give a meter another customer, other premises, or both.

        The tenancy before ends at this moment and stays in the history. Value that the meter holds stays in it.
        """
        place = f"/meters/{in_path('meter', meter)}/assign"
        with open_seller(read_settings(data=data)) as seller:
            found = seller.post(place, customer=customer, premises=premises, reason=reason)
        _tenancies(found, json_out)

    @app.command("vacate")
    def vacate_meter(
        meter: MeterArgument, reason: _Reason = _ASKED, data: Data = None, json_out: JsonOut = False
    ) -> None:
        """Say that nobody has a meter any more; it keeps its premises."""
        with open_seller(read_settings(data=data)) as seller:
            found = seller.post(f"/meters/{in_path('meter', meter)}/vacate", reason=reason)
        _tenancies(found, json_out)

    @app.command("tenancies")
    def show_tenancies(meter: MeterArgument, data: Data = None, json_out: JsonOut = False) -> None:
        """List who has or had a meter, newest first."""
        with open_seller(read_settings(data=data)) as seller:
            found = seller.get(f"/meters/{in_path('meter', meter)}/tenancies")
        _tenancies(found, json_out)


def _text(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value)) or "-"


def show_row(found: dict[str, Any], json_out: bool) -> None:
    """One row, field by field."""
    if json_out:
        print_json(found)
        return
    fields({name: _text(value) for name, value in found.items()})


def list_rows(found: list[dict[str, Any]], columns: tuple[str, ...], json_out: bool) -> None:
    """Rows as a table."""
    if json_out:
        print_json(found)
        return
    table(columns, [tuple(_text(each[name]) for name in columns) for each in found])


def _tenancies(found: list[dict[str, Any]], json_out: bool) -> None:
    if json_out:
        print_json(found)
        return
    rows = [
        (each["meter"], each["customer"], each["premises"] or "-", local_time(each["from_s"]), _until(each["until_s"]))
        for each in found
    ]
    table(("meter", "customer", "premises", "from", "until"), rows)


def _until(second: int | None) -> str:
    return "now" if second is None else local_time(second)
