"""The project's own vectors, replayed: no byte of either suite changes unseen."""

import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest

from prewatt.crypto import SUITES, AuthenticationError

VECTORS = Path(__file__).parents[1] / "vectors" / "prewatt"
NUMBERS = {"key_set"}
TEXTS = {"kind"}


@pytest.fixture(scope="module")
def recorder():
    spec = importlib.util.spec_from_file_location("prewatt_vector_record", VECTORS / "record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(each):
    for line in (VECTORS / f"{each.name.value}.jsonl").read_text().splitlines():
        row = json.loads(line)
        given = row["arguments"]
        row["arguments"] = {k: v if k in NUMBERS | TEXTS else bytes.fromhex(v) for k, v in given.items()}
        yield row


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_every_recorded_call_gives_its_recorded_bytes(each, recorder):
    for row in read(each):
        if row.get("refused"):
            with pytest.raises(AuthenticationError):
                recorder.run(each, row["function"], row["arguments"])
        else:
            assert recorder.run(each, row["function"], row["arguments"]).hex() == row["output"], row


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_every_function_is_recorded(each):
    seen = Counter(row["function"] for row in read(each))
    assert set(seen) == {
        "terminal_key", "session_key", "sign", "encrypt", "decrypt", "check_value", "seal", "open", "tag",
    }  # fmt: skip
    assert any(row.get("refused") for row in read(each))


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_the_recorder_would_write_the_same_file_again(each, recorder):
    assert recorder.record(each) == (VECTORS / f"{each.name.value}.jsonl").read_text()
