"""What clients are found by when an issuer of tokens speaks for them."""

import json

from alembic import op
from sqlalchemy import Column, Text, column, select, table, update

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CLIENT = table("client", column("sequence"), column("external_subject"), column("document"))


def upgrade() -> None:
    op.add_column("client", Column("external_subject", Text))
    op.create_index("client_external_subject", "client", ["realm_id", "external_subject"])
    connection = op.get_bind()
    chosen = _CLIENT.c.document.like("%jwt.credential.sub%")
    for sequence, document in connection.execute(select(_CLIENT.c.sequence, _CLIENT.c.document).where(chosen)).all():
        client = json.loads(document)
        attributes = client.get("attributes") or {}
        alias, subject = attributes.get("jwt.credential.issuer"), attributes.get("jwt.credential.sub")
        if client.get("clientAuthenticatorType") == "federated-jwt" and alias and subject:
            values = {"external_subject": json.dumps([alias, subject])}
            connection.execute(update(_CLIENT).where(_CLIENT.c.sequence == sequence).values(values))
