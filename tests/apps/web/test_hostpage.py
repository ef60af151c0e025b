"""The page of a host without a street: it is there, loads nothing of others, and every command it names exists."""

import re
from html import unescape

from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.main import get_command

from prewatt.apps.cli import app as commands
from prewatt.apps.web import add_host_page


def client() -> TestClient:
    app = FastAPI()
    add_host_page(app)
    return TestClient(app)


def test_who_comes_to_a_host_without_a_street_is_told_where_to_go():
    answer = client().get("/")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    known = get_command(commands)
    named = re.findall(r"<code>prewatt ([^<]*)</code>", unescape(answer.text))
    assert named
    for words in named:
        command = known
        for word in words.split():
            if word.islower() and not word.startswith("-"):
                command = command.commands[word]


def test_what_the_page_loads_is_there():
    here = client()
    for path in re.findall(r'(?:href|src)="(/static/[^"]*)"', here.get("/").text):
        assert here.get(path).status_code == 200, path
