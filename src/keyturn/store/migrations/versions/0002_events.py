"""Logs of events and of admin events, and how much clients are used."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WHOLE = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    _log("event", "type", "client_id", "user_id", "ip_address")
    _log(
        "admin_event",
        "operation_type",
        "resource_type",
        "resource_path",
        "auth_realm_id",
        "auth_client_id",
        "auth_user_id",
        "auth_ip_address",
    )
    op.create_table(
        "client_use",
        Column("realm_id", Text, primary_key=True),
        Column("client", Text, primary_key=True),
        Column("tokens", BigInteger, nullable=False),
        Column("last", BigInteger, nullable=False),
    )


def _log(name: str, *keys: str) -> None:
    op.create_table(
        name,
        Column("sequence", _WHOLE, primary_key=True),
        Column("realm_id", Text, nullable=False),
        Column("id", Text, nullable=False),
        Column("time", BigInteger, nullable=False),
        *(Column(key, Text) for key in keys),
        Column("document", Text, nullable=False),
    )
    op.create_index(f"{name}_time", name, ["realm_id", "time"])
