"""How much each credential of a client is used, and from where. What was known of a client is of its first one."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE client_use_before AS SELECT * FROM client_use")
    op.drop_table("client_use")  # a table that is renamed keeps the name of its primary key
    op.create_table(
        "client_use",
        *(Column(name, Text, primary_key=True) for name in ("realm_id", "client", "credential")),
        Column("tokens", BigInteger, nullable=False),
        Column("last", BigInteger, nullable=False),
        Column("address", Text, nullable=False),
    )
    op.execute(
        "INSERT INTO client_use (realm_id, client, credential, tokens, last, address)"
        " SELECT realm_id, client, '', tokens, last, '' FROM client_use_before"
    )
    op.drop_table("client_use_before")
