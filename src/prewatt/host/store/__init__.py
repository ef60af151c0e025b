"""The store: schema, migrations, one writer with group commit, and all that depends on the database's kind."""

from prewatt.host.store.dialect import Hot
from prewatt.host.store.store import Store
from prewatt.host.store.writing import Writing

__all__ = ["Hot", "Store", "Writing"]
