"""Who may look and act: the key, other sites, hostile text, and what a page may load."""

import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from fastapi.testclient import TestClient

from prewatt.apps.api.access import COOKIE

PAGES = ("/", "/meter/000001")
POSTS = ("/speed", "/meter/000001/sell", "/meter/000001/keys")
FORM = {"speed": "60", "amount": "1", "keys": "1"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>{{7*7}}"
VOID = {"meta", "link", "input", "img", "br"}


class Checker(HTMLParser):
    """Open and closed tags match, ids are unique, every reference by id has its element."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.wanted: set[str] = set()
        self.urls: list[str] = []
        self.attributes: set[str] = set()
        self.tags: set[str] = set()
        self.inline = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"{tag} has an attribute twice"
        self.tags.add(tag)
        self.attributes |= set(given)
        self.ids += [given["id"] or ""] if "id" in given else []
        for name in ("for", "aria-describedby", "aria-labelledby"):
            self.wanted |= {given[name] or ""} if name in given else set()
        self.urls += [given[name] or "" for name in ("href", "src", "action") if name in given]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.inline += data


def check(text: str) -> Checker:
    checker = Checker()
    checker.feed(text)
    checker.close()
    assert checker.open == []
    return checker


def test_without_the_key_every_page_says_how_to_get_it(stranger: TestClient) -> None:
    for path in PAGES:
        answer = stranger.get(path)
        assert answer.status_code == 401
        assert "Open the address that prewatt up printed" in answer.text
        assert "000001" not in answer.text
    assert stranger.get("/street.json").json()["error"]["outcome"] == "refused"


def test_the_printed_address_turns_the_key_into_a_cookie(stranger: TestClient, token: str) -> None:
    answer = stranger.get("/", params={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={token};")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize("wrong", ["", "x", "a-token-of-this-ru", "a-token-of-this-run ", "é\udcff"])
def test_a_wrong_key_opens_nothing_and_leaves_no_cookie(stranger: TestClient, wrong: str) -> None:
    answer = stranger.get("/", params={"token": wrong.encode(errors="replace").decode()})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_wrong_key_in_the_address_is_refused_even_with_the_cookie(browser: TestClient) -> None:
    assert browser.get("/", params={"token": "old"}).status_code == 401


def test_without_the_key_nothing_can_be_done(stranger: TestClient, source: Any) -> None:
    stranger.headers["sec-fetch-site"] = "same-origin"
    for path in POSTS:
        assert stranger.post(path, data=FORM).status_code == 401
    assert (source.orders, source.pressed, source.now_speed) == ({}, [], 600)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://testserver:81"},
        {},
    ],
)
def test_other_sites_can_do_nothing(browser: TestClient, source: Any, headers: dict[str, str]) -> None:
    del browser.headers["sec-fetch-site"]
    for path in POSTS:
        answer = browser.post(path, data=FORM, headers=headers)
        assert answer.status_code == 403
        assert "Asked from elsewhere" in answer.text
    assert (source.orders, source.pressed, source.now_speed) == ({}, [], 600)


def test_a_browser_that_only_says_its_origin_can_act(browser: TestClient, source: Any) -> None:
    del browser.headers["sec-fetch-site"]
    assert browser.post("/speed", data=FORM, headers={"origin": "http://testserver"}).status_code == 303
    assert source.now_speed == 60


def test_a_program_with_its_own_key_can_act(stranger: TestClient, source: Any, token: str) -> None:
    answer = stranger.post("/speed", data=FORM, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 303
    assert stranger.post("/speed", data=FORM, headers={"authorization": "Bearer x"}).status_code == 401


def test_credentials_that_another_site_can_send_do_not_stand_for_a_key(browser: TestClient) -> None:
    del browser.headers["sec-fetch-site"]
    assert browser.post("/speed", data=FORM, headers={"authorization": "Basic eA=="}).status_code == 403


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"speed=60&speed=3600", "application/x-www-form-urlencoded", 422),
        (b"speed=%ff", "application/x-www-form-urlencoded", 422),
        (b"&".join(b"f%d=1" % number for number in range(9)), "application/x-www-form-urlencoded", 422),
        (b"speed=" + b"1" * 4_096, "application/x-www-form-urlencoded", 413),
        (b'{"speed": 60}', "application/json", 415),
        (b"speed=60", "text/plain", 415),
        (b"\xff\xfe", "application/x-www-form-urlencoded; charset=utf-16", 422),
        (b"", "application/x-www-form-urlencoded", 422),
    ],
)
def test_a_form_that_is_none_is_refused(
    browser: TestClient, source: Any, content: bytes, kind: str, status: int
) -> None:
    answer = browser.post("/speed", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert source.now_speed == 600


def test_hostile_text_is_shown_and_never_run(browser: TestClient, source: Any) -> None:
    source.street["000001"] |= {
        "lcd": [HOSTILE, "</pre><script>", "&amp;", '"'],
        "state": HOSTILE,
        "notice": HOSTILE,
        "causes": [HOSTILE],
        "buzzing": HOSTILE,
        "messages": [HOSTILE],
    }
    refused = browser.post("/meter/000001/sell", data={"amount": HOSTILE, "order": HOSTILE})
    for answer in (browser.get("/"), browser.get("/meter/000001"), refused, browser.get("/meter/" + "%3Cscript%3Ex")):
        checker = check(answer.text)
        assert checker.inline == ""
        assert not {name for name in checker.attributes if name.startswith("on") or name == "style"}
        assert "<img src=x" not in answer.text
        assert "49" not in answer.text.replace("data-", "") or "{{7*7}}" in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/nonsense"])
def test_pages_are_whole_and_everything_they_name_is_there(browser: TestClient, path: str) -> None:
    text = browser.get(path).text
    assert text.startswith("<!doctype html>")
    assert '<html lang="en">' in text
    checker = check(text)
    assert len(set(checker.ids)) == len(checker.ids)
    assert checker.wanted <= set(checker.ids)
    for url in checker.urls:
        if url.startswith("#"):
            assert url[1:] in checker.ids
        else:
            assert re.fullmatch(r"/[a-z0-9A-Z/.#-]*", url)
    assert text.count("<h1") == 1


@pytest.mark.parametrize("path", [*PAGES, "/street.json", "/nonsense", "/static/prewatt.js"])
def test_every_answer_forbids_what_a_page_does_not_need(browser: TestClient, path: str) -> None:
    headers = browser.get(path).headers
    policy = dict(part.partition(" ")[::2] for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


def test_no_asset_names_another_host() -> None:
    folder = files("prewatt.apps.web")
    checked = 0
    for part in ("static", "templates"):
        for asset in folder.joinpath(part).iterdir():
            text = asset.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?:|\bwss?:|url\(\s*[\"']?//|(?:src|href)=[\"']?//|@import|data:", text), asset
            checked += 1
    assert checked >= 9


def test_no_template_turns_escaping_off_or_holds_script_or_style() -> None:
    for template in files("prewatt.apps.web").joinpath("templates").iterdir():
        text = template.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", "")
        assert "autoescape false" not in text
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style", text), template.name


def test_the_script_never_makes_markup_of_text() -> None:
    script = files("prewatt.apps.web").joinpath("static/prewatt.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", script)


def test_the_first_page_with_all_it_loads_is_small(browser: TestClient, source: Any) -> None:
    for number in range(4, 9):
        source.street[f"{number:06X}"] = source.street["000001"] | {"id": f"{number:06X}"}
    paths = ("/", "/static/prewatt.css", "/static/prewatt.js", "/static/icon.svg", "/static/lcd.woff")
    assert sum(len(browser.get(path).content) for path in paths) < 60_000


def test_assets_need_no_key_so_that_the_first_error_is_readable(stranger: TestClient) -> None:
    assert stranger.get("/static/prewatt.css").headers["content-type"].startswith("text/css")
    assert stranger.get("/static/../pages.py").status_code == 404
    assert stranger.get("/static/%2e%2e/pages.py").status_code == 404
