"""Alembic's own folder: the environment, and one revision for each version of the database."""

__all__: list[str] = []
