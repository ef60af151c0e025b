"""Customers, premises, suppliers and agents: who they are, who lives where at which meter, how they are found, and how
tables of them come in and go out (SPEC.md, section 10)."""

__all__: list[str] = []
