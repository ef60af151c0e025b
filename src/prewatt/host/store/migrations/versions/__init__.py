"""The revisions, oldest first. One that was released is never changed."""

__all__: list[str] = []
