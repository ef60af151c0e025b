"""Vectors as the tests of the suites read them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[1] / "vectors"
BYTE_FIELDS = {"iv", "plaintext", "ciphertext", "message", "output", "key", "fixed", "padding_method_2"}


def _decoded(field: str, value: Any) -> Any:
    if field == "components":
        return [bytes.fromhex(each) for each in value]
    return bytes.fromhex(value) if field in BYTE_FIELDS else value


@pytest.fixture(scope="session")
def rows() -> Callable[[str], list[dict[str, Any]]]:
    """Gives every line of a vector file, with its byte fields as bytes."""

    def read(name: str) -> list[dict[str, Any]]:
        lines = (VECTORS / name).read_text().splitlines()
        return [{k: _decoded(k, v) for k, v in json.loads(line).items()} for line in lines]

    return read
