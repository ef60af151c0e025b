"""Alembic runs this file: it migrates over the connection that it is handed, inside that connection's transaction."""

from alembic import context

from prewatt.host.store.schema import metadata

__all__: list[str] = []

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    render_as_batch=False,
)
context.run_migrations()
