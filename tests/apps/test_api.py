"""The HTTP interface of a running `up`: every route, one error shape, strict bodies, sales that are made once."""

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from prewatt.apps.selling import ROUTES

METER = "000001"
API = "/api/v1"
STREET_ROUTES = {
    ("GET", "/street"),
    ("GET", "/street/{meter}"),
    ("POST", "/street/{meter}/keys"),
    ("GET", "/clock"),
    ("POST", "/clock"),
}
ALL_ROUTES = {(route.method, route.path) for route in ROUTES} | STREET_ROUTES
# What a question cannot do without.
NEEDED = {
    "/ledger/statement": "?account=cash",
    "/rates/plan": "?plan=asked-about",
    "/meters/{meter}/preview": "?plan=asked-about",
}
OPEN_ROUTES = {("POST", "/logins")}
SELLERS = 8
LONG = "x" * 100_000
HOSTILE = [
    "",
    " ",
    "\x00",
    "000001\x00",
    "\ud800",
    "☃" * 1_000,
    "../../etc/passwd",
    "'; DROP TABLE orders; --",
    "%2e%2e",
    "${jndi}",
    "<script>alert(1)</script>",
    "\r\nX-Injected: 1",
    "٠٠٠٠٠١",
    "0x 01",
    LONG,
]


@pytest.fixture(scope="module")
def up(tmp_path_factory, programs_in):
    with programs_in(tmp_path_factory.mktemp("api")) as programs, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREWATT_LOG_LEVEL", "info")
        yield programs.up(speed=60, meters=2, fork=True)


def is_error(answer, status=None):
    """Whether an answer is a refusal of the one shape."""
    code, content = answer
    assert 400 <= code < 500, answer
    assert status is None or code == status, answer
    assert set(content) == {"error"}
    error = content["error"]
    assert set(error) == {"outcome", "field", "given", "allowed", "text"}
    assert isinstance(error["outcome"], str)
    assert error["text"]
    assert len(error["text"].splitlines()) == 1, "a line for a person"
    assert len(json.dumps(content, ensure_ascii=False)) < 2_048, "what was given is not thrown back whole"
    return True


def filled(path):
    places = {"{meter}": METER, "{order}": "1", "{campaign}": "asked-about", "{station}": "S1", "{area}": "A1"}
    question = NEEDED.get(path, "")
    places |= {
        "{customer}": "C1",
        "{premises}": "P1",
        "{supplier}": "E1",
        "{agent}": "K1",
        "{kind}": "agents",
        "/find": "/find?text=0",
    }
    for name, place in places.items():
        path = path.replace(name, place)
    return path + question


def send(up, method, target, body=b"", headers=None):
    """One request with exactly these bytes; the status, and JSON where there is some."""
    connection = HTTPConnection("127.0.0.1", up.port, timeout=30)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        given = {"Authorization": f"Bearer {up.token}", "Content-Type": "application/json"} | (headers or {})
        for name, value in given.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        raw = answer.read()
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(raw) if is_json else None
    finally:
        connection.close()


def test_health_needs_no_token(up):
    status, content = up.ask("GET", "/healthz", token="")
    assert (status, content["ok"]) == (200, True)


def test_the_description_names_every_route_and_no_other(up):
    status, described = up.ask("GET", "/openapi.json", token="")
    assert status == 200
    found = {
        (method.upper(), path.removeprefix(API))
        for path, operations in described["paths"].items()
        if path.startswith(API)
        for method in operations
    }
    assert found == ALL_ROUTES | OPEN_ROUTES
    assert "/healthz" in described["paths"]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)


@pytest.mark.parametrize(("method", "path"), sorted(ALL_ROUTES))
def test_no_route_answers_without_the_token(up, method, path):
    for token in ("", "wrong", up.token[:-1], up.token + "x"):
        assert is_error(up.ask(method, API + filled(path), {} if method == "POST" else None, token=token), 401)
    assert is_error(send(up, method, f"{API}{filled(path)}?token={up.token}", headers={"Authorization": ""}), 401)
    assert is_error(send(up, method, API + filled(path), headers={"Authorization": "Bearer \xff\xfe"}), 401)


# Of what there is nothing in a new street.
EMPTY = {
    *("/suspense", "/meters/{meter}/bodies", "/programs", "/stations/{station}/unbooked"),
    *("/rates/assignments", "/transfers/{order}/charges", "/users", "/approvals", "/ledger/periods"),
}


@pytest.mark.parametrize(
    "path", sorted(path for method, path in ALL_ROUTES if method == "GET" and "{user}" not in path)
)
def test_every_question_has_an_answer(up, path):
    up.post("/vends", meter=METER, amount="0.10", order="asked-about")
    up.post("/campaigns", kind="clock", id="asked-about")
    up.post("/customers", customer="C1", name="Ada")
    up.post("/premises", premises="P1", address="1 Mill Lane")
    up.post(f"/meters/{METER}/assign", customer="C1", premises="P1")
    up.post("/suppliers", supplier="E1", name="Grid")
    up.post("/agents", agent="K1", name="Kiosk")
    up.post("/rates", document={"name": "asked-about", "valid_from": "2020-01-01", "price": {"unit": "0.25"}})
    status, content = up.ask("GET", API + filled(path))
    if path == "/meters/{meter}/quote":
        # No plan holds for the meters of this street.
        assert (status, content["error"]["outcome"]) == (409, "no_rate")
        return
    assert status == 200
    assert content or path in EMPTY


@pytest.mark.parametrize("path", sorted(path for method, path in ALL_ROUTES if method == "POST"))
def test_every_body_is_taken_strictly(up, path):
    takes_one = path not in {f"/transfers/{{order}}/{step}" for step in ("cancel", "refund", "code")}
    takes_one &= not path.startswith("/campaigns/")
    takes_one &= not path.endswith(("/disable", "/enable", "/revoke", "/withdraw")) and not path.startswith("/keys/")
    for body in (b"", b"{", b"[]", b"null", b'"x"', b"3", b'{"moon": 1}', b"\xff\xfe", b'{"meter": NaN}'):
        if takes_one:
            assert is_error(send(up, "POST", API + filled(path), body), 422), body
    if takes_one:
        assert is_error(send(up, "POST", API + filled(path), b"[" * 100_000))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/vends", {"meter": METER}),
        ("/vends", {"amount": "1.00"}),
        ("/vends", {"meter": 1, "amount": "1.00"}),
        ("/vends", {"meter": METER, "amount": 1}),
        ("/vends", {"meter": METER, "amount": 1.5}),
        ("/vends", {"meter": METER, "amount": True}),
        ("/vends", {"meter": METER, "amount": None}),
        ("/vends", {"meter": METER, "amount": ["1.00"]}),
        ("/vends", {"meter": METER, "amount": "1.00", "order": 7}),
        ("/vends", {"meter": METER, "amount": "1.00", "state": "confirmed"}),
        ("/meters", {"meter": "000009", "m_id": "3"}),
        ("/meters", {"meter": "000009", "m_id": True}),
        ("/meters", {"meter": "000009", "m_id": 3.0}),
        ("/meters", {"meter": "000009", "m_id": -1}),
        ("/meters", {"meter": "000009", "m_id": 256}),
        ("/meters", {"meter": "000009", "m_id": 10**30}),
        ("/meters", {"meter": "000009", "station": ""}),
        ("/meters", {"meter": "000009", "suite": "des"}),
        ("/clock", {"speed": "60"}),
        ("/clock", {"speed": 0}),
        ("/clock", {"speed": 3_601}),
        ("/clock", {"speed": 10**400}),
        ("/clock", {"speed": True}),
        ("/clock", {"speed": 60.5}),
        ("/street/000001/keys", {"keys": ""}),
        ("/street/000001/keys", {"keys": 5}),
        ("/street/0000AA/keys", {"keys": "C"}),
        ("/tariffs", {"unit_price": "0.30", "table": "moon"}),
        ("/tariffs", {"unit_price": "0.30", "table": {}}),
        ("/tariffs", {"unit_price": "0.30", "table": {"steps": 1}}),
        ("/tariffs", {"unit_price": "0.30", "meters": ["0000AA"]}),
        ("/tariffs", {"unit_price": "0.30", "meters": "000001"}),
        ("/tariffs", {"unit_price": 0.3}),
    ],
)
def test_a_wrong_field_is_refused_and_changes_nothing(up, path, body):
    before = [up.get(each) for each in ("/transfers", "/tariff")] + [[m["id"] for m in up.get("/meters")]]
    assert is_error(up.ask("POST", API + path, body))
    assert [up.get(each) for each in ("/transfers", "/tariff")] + [[m["id"] for m in up.get("/meters")]] == before


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_refused_wherever_it_is_given(up, text):
    body = {"meter": METER, "amount": "1.00"}
    assert is_error(up.ask("POST", f"{API}/vends", body | {"meter": text}), 422)
    assert is_error(up.ask("POST", f"{API}/vends", body | {"amount": text}), 422)
    assert is_error(up.ask("POST", f"{API}/vends", body | {"order": text}), 422)
    assert is_error(up.ask("POST", f"{API}/vends", {text: text}), 422)
    assert is_error(up.ask("POST", f"{API}/meters", {"meter": "000009", "customer": text}), 422)
    assert is_error(up.ask("POST", f"{API}/meters", {"meter": "000009", "station": text}), 422)
    assert is_error(up.ask("POST", f"{API}/customers", {"customer": text, "name": "Ada"}), 422)
    assert is_error(up.ask("POST", f"{API}/meters/{METER}/assign", {"customer": text}), 422)
    assert is_error(up.ask("POST", f"{API}/registry/customers/import", {"text": text}), 422)
    assert is_error(up.ask("POST", f"{API}/tariffs", {"unit_price": text}), 422)
    assert is_error(up.ask("POST", f"{API}/tariffs", {"unit_price": "0.30", "table": text}), 422)
    assert is_error(up.ask("POST", f"{API}/street/{METER}/keys", {"keys": text}), 422)


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1",
        "/api/v1/",
        "/api/v2/meters",
        "/api/v1/meters/",
        "/api/v1//meters",
        "/api/v1/meters/000001/",
        "/api/v1/meters/..",
        "/api/v1/meters/../clock",
        "/api/v1/meters/..%2fclock",
        "/api/v1/meters/%2e%2e/clock",
        "/api/v1/meters/000001%00",
        "/api/v1/meters/%ff%fe",
        "/api/v1/meters/000001;x=1",
        "/api/v1/transfers/nobody",
        "/api/v1/transfers/9999999999999999999999",
        "/api/v1/transfers/%27%20OR%201=1",
        "/api/v1/transfers?limit=0",
        "/api/v1/transfers?limit=1001",
        "/api/v1/transfers?limit=x",
        "/api/v1/transfers?state=gone",
        "/api/v1/transfers?meter=zzz",
        "/api/v1/meters/000001/usage?by=minute",
        "/api/v1/meters/000001/usage?days=0",
        "/api/v1/meters/000001/usage?days=99999999999999999999",
        "/api/v1/street/0000AA",
        "/api/v1/" + "a" * 8_000,
    ],
)
def test_a_path_that_leads_nowhere_is_refused_in_the_one_shape(up, target):
    assert is_error(send(up, "GET", target))


@pytest.mark.parametrize(
    "target", ["/docs", "/redoc", "/nowhere", "/static/../../../etc/passwd", "/static/%2e%2e/%2e%2e/pages.py"]
)
def test_a_page_that_is_not_there_is_not_found(up, target):
    assert send(up, "GET", target)[0] == 404
    assert is_error(send(up, "GET", target, headers={"Accept": "application/json"}), 404)


def test_a_method_that_a_route_does_not_have_is_refused(up):
    for method, target in (("DELETE", "/meters/000001"), ("PUT", "/vends"), ("POST", "/audit"), ("PATCH", "/clock")):
        assert is_error(send(up, method, API + target), 405)


def test_the_same_order_again_is_the_same_sale(up):
    first = up.post("/vends", meter=METER, amount="0.50", order="twice")
    again = up.post("/vends", meter=METER, amount="0.50", order="twice")
    assert (first["existed"], again["existed"]) == (False, True)
    same = ("order", "transfer", "meter", "amount_micro", "authorization")
    assert [first[name] for name in same] == [again[name] for name in same]
    assert is_error(up.ask("POST", f"{API}/vends", {"meter": METER, "amount": "0.51", "order": "twice"}), 409)
    assert is_error(up.ask("POST", f"{API}/vends", {"meter": "000002", "amount": "0.50", "order": "twice"}), 409)


def test_an_order_given_by_eight_threads_at_once_is_sold_once(up, eventually):
    before = up.get("/audit")["cash_micro"]
    with ThreadPoolExecutor(SELLERS) as threads:
        for number in range(5):
            body = {"meter": "000002", "amount": "0.20", "order": f"raced-{number}"}
            asked = [threads.submit(up.ask, "POST", f"{API}/vends", body) for _ in range(SELLERS)]
            answers = [each.result() for each in asked]
            assert {status for status, _ in answers} == {200}
            assert len({content["transfer"] for _, content in answers}) == 1
            assert sum(not content["existed"] for _, content in answers) == 1
    assert up.get("/audit")["cash_micro"] == before + 5 * 200_000
    eventually(lambda: all(up.get(f"/transfers/raced-{n}")["state"] == "confirmed" for n in range(5)))
    assert up.face("000002")["received_micro"] == 5 * 200_000


def test_orders_of_eight_threads_are_all_made_and_all_arrive(up, eventually):
    def sell(number):
        return up.post("/vends", meter=METER, amount="0.03", order=f"crowd-{number}")["transfer"]

    eventually(lambda: not up.get("/transfers?state=pending"))
    received = up.face()["received_micro"]
    with ThreadPoolExecutor(SELLERS) as threads:
        transfers = list(threads.map(sell, range(SELLERS)))
    assert len(set(transfers)) == SELLERS
    eventually(lambda: not up.get("/transfers?state=pending"))
    assert up.face()["received_micro"] == received + SELLERS * 30_000
    assert up.get("/audit")["ok"]


def test_a_key_pressed_over_the_interface_shows_on_the_face(up):
    pages = {tuple(up.post(f"/street/{METER}/keys", keys="C")["lcd"]) for _ in range(4)}
    assert len(pages) > 1


def test_the_token_is_in_no_answer(up):
    for method, path in ALL_ROUTES:
        answer = up.ask(method, API + filled(path), {} if method == "POST" else None)
        assert up.token not in json.dumps(answer[1])


def test_after_all_of_this_the_server_is_well(up):
    assert up.ask("GET", "/healthz")[0] == 200
    assert up.get("/audit")["ok"]
    logged = [json.loads(line) for line in up.said.with_suffix(".err").read_text().splitlines()]
    assert logged
    assert [line for line in logged if line["level"] not in ("debug", "info")] == []
    assert up.token not in up.said.with_suffix(".err").read_text()
