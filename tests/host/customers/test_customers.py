"""Customers and premises: every field checked, every change told, and one customer at most at a meter."""

import pytest

from prewatt.host.customers.checks import EMAIL_CHARS_MAX, LOCALES
from prewatt.host.customers.customers import LISTED_MAX
from prewatt.host.customers.kinds import AGENTS, CUSTOMERS, PREMISES, SUPPLIERS, check_row
from prewatt.host.refusals import RefusalOutcome, RefusedError
from prewatt.host.registry import Enrolment

ADA = {"name": "Ada", "locale": "fr", "phone": "+33 6 12-34.56(78)", "email": "ada@example.org", "notices": "sms email"}
METER = "000001"


def add(world, key="C1", kind=CUSTOMERS, **given):
    return world.host.customers.add(kind, key, given or ADA)


def log(world, subject):
    """What the audit log says of a subject: action, before and after, oldest first."""
    found = reversed(world.host.log.read(subject=subject).lines)
    return [(line.action, {"before": line.before, "after": line.after}) for line in found]


def tenancies(world, **of):
    found = world.host.customers.read_tenancies(**of)
    return [(each.meter, each.customer, each.premises, each.until_s) for each in found]


def test_a_customer_is_kept_as_it_was_given_in_one_spelling(world):
    made = add(world)
    assert (made.phone, made.notices, made.locale, made.meters) == ("+33612345678", "email sms", "fr", ())
    assert world.host.customers.read(CUSTOMERS, "C1") == made
    assert add(world, "C2", name="Bo").as_dict() == {
        "id": "C2",
        "name": "Bo",
        "locale": "en",
        "phone": "",
        "email": "",
        "notices": "",
        "meters": [],
    }


def test_adding_twice_answers_the_same_and_other_fields_are_refused(world):
    assert add(world) == add(world)
    with pytest.raises(RefusedError) as caught:
        add(world, name="Eve")
    assert caught.value.outcome is RefusalOutcome.EXISTS_WITH_DIFFERENT_FIELDS
    assert [action for action, _ in log(world, "C1")] == ["customer add"]


def test_every_change_is_in_the_log_with_what_was_before_and_after(world):
    add(world)
    changed = world.host.customers.change(CUSTOMERS, "C1", {"phone": "", "notices": "email"})
    world.host.customers.change(CUSTOMERS, "C1", {"phone": "", "notices": "email"})
    assert (changed.name, changed.phone, changed.notices) == ("Ada", "", "email")
    (_, added), (action, change) = log(world, "C1")
    assert (added["before"], added["after"]["name"], action) == (None, "Ada", "customer change")
    assert (change["before"]["phone"], change["after"]["phone"]) == ("+33612345678", "")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        *(("name", given) for given in ("", " ", "a\nb", "x" * 201, "\ud800")),
        *(("locale", given) for given in ("de", "EN", "e n")),
        *(("phone", given) for given in ("0612345678", "+0612345678", "+33612a5678", "+12345678٠", "++3361234567")),
        *(
            ("email", given)
            for given in ("ada", "ada@localhost", "a b@example.org", "a@b@example.org", "a@example.org\n")
        ),
        *(("email", given) for given in ("a@example.org,b@example.org", "<a@example.org>", "a@-b.org")),
        *(("notices", given) for given in ("fax", "sms,email")),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(field, given):
    (wrong,) = check_row(CUSTOMERS, "C1", ADA | {"notices": ""} | {field: given})[1]
    assert (wrong.outcome, wrong.field, wrong.given) == (RefusalOutcome.BAD_FIELD, field, given)


def test_what_is_refused_changes_nothing(world):
    with pytest.raises(RefusedError, match="one of en, fr, ko, sw"):
        add(world, **ADA | {"locale": "de"})
    assert world.host.customers.read_all(CUSTOMERS) == []


@pytest.mark.parametrize(("digits", "allowed"), [(6, False), (7, True), (15, True), (16, False)])
def test_a_phone_number_has_7_to_15_digits(digits, allowed):
    assert (check_row(CUSTOMERS, "C1", {"name": "Ada", "phone": "+" + "1" * digits})[1] == []) is allowed


def test_an_email_address_has_at_most_254_characters():
    domain = ".".join(["b" * 60] * 3 + ["org"])
    longest = "a" * 64 + "@" + "c" * (EMAIL_CHARS_MAX - 66 - len(domain)) + "." + domain
    assert len(longest) == EMAIL_CHARS_MAX
    for email, allowed in ((longest, True), (longest.replace("a@", "aa@", 1), False), (f"{longest}x", False)):
        assert (check_row(CUSTOMERS, "C1", {"name": "Ada", "email": email})[1] == []) is allowed


def test_a_notice_needs_an_address_for_its_way(world):
    with pytest.raises(RefusedError, match="needs the field phone"):
        add(world, name="Ada", notices="sms")
    add(world)
    with pytest.raises(RefusedError, match="needs the field email"):
        world.host.customers.change(CUSTOMERS, "C1", {"email": ""})


def test_a_field_that_there_is_not_and_an_id_that_nobody_added_are_refused(world):
    with pytest.raises(RefusedError, match="one of name, locale"):
        world.host.customers.change(CUSTOMERS, "C1", {"id": "C2"})
    for kind in (CUSTOMERS, PREMISES, SUPPLIERS, AGENTS):
        for call in (lambda kind=kind: world.host.customers.read(kind, "X9"),):
            with pytest.raises(RefusedError) as caught:
                call()
            assert (caught.value.outcome, caught.value.field) == (kind.unknown, kind.word)


def test_lists_go_on_after_the_last_id(world):
    for number in range(5):
        add(world, f"P{number}", PREMISES, address=f"{number} Mill Lane")
    read = world.host.customers.read_all
    assert [each.id for each in read(PREMISES, limit=2)] == ["P0", "P1"]
    assert [each.id for each in read(PREMISES, after="P1", limit=LISTED_MAX)] == ["P2", "P3", "P4"]
    for limit in (0, LISTED_MAX + 1):
        with pytest.raises(RefusedError, match="limit"):
            read(PREMISES, limit=limit)


def test_suppliers_and_agents_have_a_name_and_a_contact(world):
    assert add(world, "E1", SUPPLIERS, name="Grid", email="sales@example.org").email == "sales@example.org"
    assert add(world, "K1", AGENTS, name="Kiosk", phone="+254700000001").phone == "+254700000001"


def test_a_meter_passes_from_one_customer_to_the_next_and_the_history_stays(world):
    for key in ("C1", "C2"):
        add(world, key)
    add(world, "P1", PREMISES, address="1 Mill Lane")
    world.host.customers.assign(METER, customer="C1", premises="P1", reason="moved in")
    world.host.customers.assign(METER, customer="C1", reason="asked twice")
    world.now_s += 100
    world.host.customers.assign(METER, customer="C2", reason="sold the house")
    now = world.now_s
    assert tenancies(world, meter=METER) == [(METER, "C2", "P1", None), (METER, "C1", "P1", now)]
    assert tenancies(world, customer="C1") == [(METER, "C1", "P1", now)]
    shown = world.host.registry.read_meter(METER)
    assert (shown.customer, shown.premises) == ("C2", "P1")
    assert world.host.customers.read(CUSTOMERS, "C2").meters == (METER,)
    action, detail = log(world, METER)[-1]
    assert (action, detail["before"]["customer"], detail["after"]["customer"]) == ("meter assign", "C1", "C2")
    assert len(log(world, METER)) == 3


def test_an_empty_house_keeps_its_premises_and_ends_its_tenancy_once(world):
    add(world)
    add(world, "P1", PREMISES, address="1 Mill Lane")
    world.host.customers.assign(METER, customer="C1", premises="P1", reason="moved in")
    first = world.host.customers.vacate(METER, reason="moved out")
    assert world.host.customers.vacate(METER, reason="asked twice") == first
    shown = world.host.registry.read_meter(METER)
    assert (shown.customer, shown.premises) == (None, "P1")
    assert world.host.customers.read(PREMISES, "P1").meters == (METER,)


def test_times_of_a_meter_never_go_back_whatever_the_clock_does(world):
    for key in ("C1", "C2"):
        add(world, key)
    world.host.customers.assign(METER, customer="C1", reason="moved in")
    began = world.now_s
    world.now_s -= 5_000
    world.host.customers.assign(METER, customer="C2", reason="the clock went back")
    world.host.customers.vacate(METER, reason="and out")
    found = world.host.customers.read_tenancies(meter=METER)
    assert [(each.from_s, each.until_s) for each in found] == [(began, began), (began, began)]


def test_nobody_is_given_a_meter_that_is_not_there_nor_a_meter_to_somebody_who_is_not(world):
    add(world)
    for fields, outcome in (
        ({"customer": "C9"}, RefusalOutcome.UNKNOWN_CUSTOMER),
        ({"premises": "P9"}, RefusalOutcome.UNKNOWN_PREMISES),
        ({"customer": "C1", "premises": "P9"}, RefusalOutcome.UNKNOWN_PREMISES),
        ({}, RefusalOutcome.BAD_FIELD),
        ({"customer": ""}, RefusalOutcome.BAD_FIELD),
    ):
        with pytest.raises(RefusedError) as caught:
            world.host.customers.assign(METER, **fields, reason="why")
        assert caught.value.outcome is outcome
    with pytest.raises(RefusedError) as caught:
        world.host.customers.assign("0000EE", customer="C1", reason="why")
    assert caught.value.outcome is RefusalOutcome.UNKNOWN_METER
    with pytest.raises(RefusedError):
        world.host.customers.vacate("0000EE", reason="why")
    assert tenancies(world, meter=METER) == []


def test_an_enrolment_with_a_customer_begins_a_tenancy(world):
    world.host.registry.enrol(Enrolment("0000AA", customer="C1", customer_name="Ada", premises="P1"))
    assert tenancies(world, meter="0000AA") == [("0000AA", "C1", "P1", None)]
    assert world.host.customers.read(CUSTOMERS, "C1").name == "Ada"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM tenancies",
        "UPDATE tenancies SET customer = 'C2'",
        "UPDATE tenancies SET from_s = 5",
        "UPDATE tenancies SET until_s = NULL",
        "UPDATE tenancies SET until_s = until_s + 1 WHERE until_s IS NOT NULL",
    ],
)
def test_the_database_refuses_another_history(world, statement):
    for key in ("C1", "C2"):
        add(world, key)
    world.host.customers.assign(METER, customer="C1", reason="in")
    world.host.customers.assign(METER, customer="C2", reason="out and in")
    before = world.place.run("SELECT * FROM tenancies ORDER BY number")
    with pytest.raises(Exception, match="never changed or removed"):
        world.place.run(statement)
    assert world.place.run("SELECT * FROM tenancies ORDER BY number") == before


def test_the_database_refuses_two_customers_at_one_meter(world):
    add(world)
    world.host.customers.assign(METER, customer="C1", reason="in")
    with pytest.raises(Exception, match=r"(?i)unique"):
        world.place.run(f"INSERT INTO tenancies (meter, customer, from_s) VALUES ('{METER}', 'C1', 1)")


def test_the_languages_are_those_that_texts_are_written_in():
    assert LOCALES == ("en", "fr", "ko", "sw")
