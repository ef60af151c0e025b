"""`prewatt audit` on a million entries, beside a plain reading of the same rows by SQLAlchemy in the same run.

The database is a shop after 250,000 sales to 5,000 meters: each was paid, numbered, reserved and delivered (four
entries), has its order, payment and proof, and was committed in groups of 100. It is written past the host, in blocks,
with the host's own code for the chain. The baseline reads every entry with SQLAlchemy Core and adds its amount to two
sums, which is the least that an audit could do: not its orders, payments, proofs, meters, rules, dates and hashes.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from sqlite3 import connect

from sqlalchemy import select
from tests.host.conftest import World
from tests.host.databases import FilePlace

from bench.harness import Result, at_most, figure, ratio_at_most
from prewatt.host.folder import DataFolder
from prewatt.host.host import Host
from prewatt.host.ledger import GENESIS, Entry, make_link
from prewatt.host.store import Store, schema

__all__ = ["fill", "run"]

METERS, SALES = 5_000, 250_000
GROUP_ENTRIES = 100
GOAL_S = 20.0
GOAL = 4.0
AMOUNT_MICRO = 10_000_000
FIRST_S = 1_700_000_000
