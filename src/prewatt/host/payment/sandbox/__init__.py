"""The other side of each way to pay, for a first look, for demonstrations and for tests. No money moves here."""

__all__: list[str] = []
