"""Staff: who may do what, how they show who they are, and what needs two of them (docs/operating/staff.md)."""

__all__: list[str] = []
