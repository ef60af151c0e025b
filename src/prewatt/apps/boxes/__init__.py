"""The boxes of the field as processes: what drives devices over real carriers, their memories, and their papers."""

__all__: list[str] = []
