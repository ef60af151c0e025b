"""The audit: recomputes the law of conservation from the entries and the meters' own authenticated words.

It trusts no stored sum. What it finds is named by entity: meters first, then cards, then orders, each by id, then the
ledger as a whole; the first is what a person looks at first.
"""

from prewatt.host.audit.audit import Audit

__all__ = ["Audit"]
