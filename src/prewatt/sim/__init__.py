"""The whole platform in one process from one seed: a virtual clock, invented carriers, every fault, and an auditor."""

__all__: list[str] = []
