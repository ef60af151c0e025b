"""The benchmarks: one file a claim, each measured against a baseline in the same run. `make bench` runs them."""

__all__: list[str] = []
