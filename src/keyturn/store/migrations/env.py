"""Run by Alembic: the migrations, in the transaction that ``migrate`` was given."""

from alembic import context

from keyturn.store.schema import SCHEMA_VERSION

context.configure(
    connection=context.config.attributes["connection"],
    version_table=SCHEMA_VERSION.name,
    transactional_ddl=True,
)
context.run_migrations()
