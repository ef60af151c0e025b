"""The pages on a fake street: what they show, what their forms do, and what they refuse."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

SELL = "/meter/000001/sell"
JSON = {"accept": "application/json"}


def sell(browser: TestClient, amount: str, order: str = "P-1", **given: Any) -> Any:
    return browser.post(SELL, data={"amount": amount, "order": order, "back": "street"}, **given)


def test_the_street_shows_every_meter(browser: TestClient) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    for meter in ("000001", "000002", "000003"):
        assert f'href="/meter/{meter}"' in page.text
    assert page.text.count("12.34") >= 3
    assert "2026-03-01 12:00:00" in page.text
    assert 'value="600" aria-pressed="true"' in page.text


def test_a_street_without_meters_says_what_to_do(browser: TestClient, source: Any) -> None:
    source.street.clear()
    assert "prewatt up --meters 8" in browser.get("/").text


def test_a_meter_has_its_own_page_with_sixteen_keys_and_a_button(browser: TestClient) -> None:
    page = browser.get("/meter/000002")
    assert page.status_code == 200
    assert page.text.count('name="keys"') == 17
    assert "912.3456 kWh" in page.text
    assert "5 of epoch 1" in page.text


def test_the_script_gets_every_meter_as_the_page_shows_it(browser: TestClient, source: Any) -> None:
    source.street["000002"] |= {"relay_closed": False, "state": "no value", "power_w": 0, "buzzing": "last tokens"}
    state = browser.get("/street.json").json()
    assert state["clock"] == {
        "now_s": 1_772_366_400,
        "utc": "2026-03-01 12:00:00",
        "speed": 600,
        "pace": "10 minutes a second",
    }
    assert state["sum"] == {"meters": "3", "light": "2", "dark": "1", "buzzing": "1", "power": "2,468 W"}
    first, second, _ = state["meters"]
    assert first["text"]["balance"] == "12.34"
    assert first["looks"] == {"light": "on", "level": "good", "buzzing": "no", "blink": "5"}
    assert second["looks"] == {"light": "off", "level": "low", "buzzing": "yes", "blink": "0"}


def test_one_meter_as_json_has_what_its_page_marks(browser: TestClient) -> None:
    (meter,) = browser.get("/meter/000001.json").json()["meters"]
    page = browser.get("/meter/000001").text
    for name in meter["text"]:
        assert name == "causes" or f'data-show="{name}"' in page


def test_a_sale_goes_back_to_where_its_state_is_shown(browser: TestClient, source: Any) -> None:
    answer = sell(browser, "10.00")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/#m-000001"
    assert source.orders["P-1"]["amount_micro"] == 10_000_000
    page = browser.get("/").text
    assert "10.00 sold, on its way to the meter" in page
    assert "P-1" in page


def test_a_sale_on_the_meters_page_goes_back_there(browser: TestClient) -> None:
    answer = browser.post(SELL, data={"amount": "1", "order": "P-1", "back": "meter"})
    assert answer.headers["location"] == "/meter/000001#m-000001"


def test_the_state_of_a_sale_follows_the_host(browser: TestClient, source: Any) -> None:
    sell(browser, "10.00")
    assert browser.get("/street.json").json()["meters"][0]["sale"]["state"] == "pending"
    source.settle("confirmed")
    sale = browser.get("/street.json").json()["meters"][0]["sale"]
    assert (sale["state"], sale["text"]) == ("confirmed", "10.00 sold, the meter holds it")
    reads = source.reads
    browser.get("/street.json")
    assert source.reads == reads


def test_a_store_that_cannot_answer_leaves_the_sale_as_it_was_seen(browser: TestClient, source: Any) -> None:
    sell(browser, "10.00")
    source.settle("confirmed")
    source.broken = RuntimeError("unused")
    assert browser.get("/meter/000001.json").json()["meters"][0]["sale"]["state"] == "pending"


def test_the_same_form_sent_twice_sells_once_and_says_so(browser: TestClient, source: Any) -> None:
    sell(browser, "10.00")
    sell(browser, "10.00")
    assert len(source.orders) == 1
    assert "nothing was sold again" in browser.get("/").text


def test_every_form_has_an_order_of_its_own(browser: TestClient) -> None:
    page = browser.get("/").text + browser.get("/").text
    orders = [part.partition('"')[0] for part in page.split('name="order" value="')[1:]]
    assert len(set(orders)) == len(orders) == 6


@pytest.mark.parametrize("amount", ["", "-1", "0", "1.234", "1e3", "nan", "ten", "9" * 40, "1\n2", "<b>"])
def test_a_bad_amount_is_said_beside_the_field_and_sells_nothing(browser: TestClient, source: Any, amount: str) -> None:
    answer = sell(browser, amount)
    assert answer.status_code == 422
    assert "is not allowed; allowed is a decimal above 0" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "<b>" not in answer.text.partition("<main")[2].replace("<b>P1", "").partition('class="street"')[2]
    assert not source.orders


def test_what_the_host_refuses_is_said_beside_the_field(browser: TestClient) -> None:
    answer = browser.post("/meter/000003/sell", data={"amount": "1", "order": "P-9", "back": "meter"})
    assert answer.status_code == 422
    assert "a meter that is not closed" in answer.text
    assert "Keys of meter 000003" in answer.text


def test_the_script_gets_the_same_as_json(browser: TestClient) -> None:
    answer = sell(browser, "10.00", headers=JSON)
    assert answer.status_code == 200
    assert answer.json()["sale"]["state"] == "pending"
    assert answer.json()["order"] != "P-1"
    refused = sell(browser, "x", order="P-2", headers=JSON)
    assert refused.status_code == 422
    assert refused.json()["error"]["field"] == "amount"


def test_keys_reach_the_meter(browser: TestClient, source: Any) -> None:
    answer = browser.post("/meter/000001/keys", data={"keys": "5#"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/meter/000001#keys")
    state = browser.post("/meter/000001/keys", data={"keys": "!"}, headers=JSON).json()
    assert state["meters"][0]["id"] == "000001"
    assert source.pressed == [("000001", "5#"), ("000001", "!")]


@pytest.mark.parametrize("keys", ["", "x", "5 6", "é"])
def test_keys_that_no_meter_has_are_refused(browser: TestClient, source: Any, keys: str) -> None:
    assert browser.post("/meter/000001/keys", data={"keys": keys}).status_code == 422
    assert not source.pressed


def test_the_speed_can_be_changed(browser: TestClient, source: Any) -> None:
    answer = browser.post("/speed", data={"speed": "3600", "back": "meter", "meter": "000002"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/meter/000002#clock")
    assert source.now_speed == 3_600
    assert browser.post("/speed", data={"speed": "1"}, headers=JSON).json()["clock"]["pace"] == "real time"
    assert browser.post("/speed", data={"speed": "60"}).headers["location"] == "/#clock"


@pytest.mark.parametrize("speed", ["", "0", "-1", "3601", "1.5", "1e3", "٣", "9" * 5_000, "fast"])
def test_a_speed_outside_its_limits_is_refused(browser: TestClient, source: Any, speed: str) -> None:
    answer = browser.post("/speed", data={"speed": speed})
    assert answer.status_code in (413, 422)
    assert source.now_speed == 600
    assert "To the street" in answer.text


def test_an_unknown_meter_is_a_page_that_says_what_to_do(browser: TestClient) -> None:
    for answer in (
        browser.get("/meter/ABCDEF"),
        browser.post("/meter/ABCDEF/sell", data={"amount": "1"}),
        browser.post("/meter/ABCDEF/keys", data={"keys": "1"}),
        browser.post("/speed", data={"speed": "1", "back": "meter", "meter": "ABCDEF"}),
    ):
        assert answer.status_code == 404
        assert "Check the address, or choose a meter on the street." in answer.text
    assert browser.get("/meter/ABCDEF.json").json()["error"]["field"] == "meter"


def test_errors_under_the_paths_of_pages_are_pages(browser: TestClient, source: Any) -> None:
    unknown, wrong_method = browser.get("/nonsense"), browser.get(SELL)
    assert (unknown.status_code, wrong_method.status_code) == (404, 405)
    for answer in (unknown, wrong_method, browser.get("/static/nothing.css")):
        assert answer.headers["content-type"].startswith("text/html")
        assert "To the street" in answer.text
    source.broken = RuntimeError("secret detail")
    broken = browser.get("/")
    assert broken.status_code == 500
    assert "Something broke" in broken.text
    assert "secret detail" not in broken.text


def test_errors_of_the_api_stay_as_they_are(browser: TestClient) -> None:
    assert browser.get("/healthz").json() == {"ok": True}
    for path in ("/api/v1/nonsense", "/api/v1/vends"):
        answer = browser.get(path)
        assert set(answer.json()["error"]) == {"outcome", "field", "given", "allowed", "text"}
        assert "content-security-policy" not in answer.headers
