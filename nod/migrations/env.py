"""How Alembic reaches the tables: on the connection that nod/migrate.py opened."""

from alembic import context

from nod.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
