"""The host: the seller's system of record. Registry, ledger, vending, dispatch, collection and audit on one store.

`prewatt.host.host.Host` is the way in; `prewatt.host.answers` has what it answers, `prewatt.host.refusals` what it
refuses. `prewatt.host.ledger` is pure; everything that touches a disk stands in `prewatt.host.store`.
"""

__all__: list[str] = []
