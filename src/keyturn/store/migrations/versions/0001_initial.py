"""The first schema. What is written here never changes, whatever becomes of ``keyturn.store.schema``."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text, column, func

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_WHOLE = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    _documents()
    _relations()
    _bookkeeping()


def _documents() -> None:
    _collection("realm", "realm")
    op.create_index("realm_realm_unique", "realm", ["realm"], unique=True)
    for name, key in (("client", "client_id"), ("client_scope", "name")):
        _collection(name, key)
        op.create_index(f"{name}_{key}_unique", name, ["realm_id", key], unique=True)
    for name, around in (("role", "container_id"), ("group", "parent_id")):
        _collection(name, "name", around)
        within = func.coalesce(column(around, Text), "")
        op.create_index(f"{name}_name_unique", name, ["realm_id", within, "name"], unique=True)
        _plain_index(name, around)
    _collection("user", "username", "email", "first_name", "last_name", "service_account_client")
    for key in ("username", "service_account_client"):
        op.create_index(f"user_{key}_unique", "user", ["realm_id", key], unique=True)
    for key in ("email", "first_name", "last_name"):
        _plain_index("user", key)
    _collection("component", "name", "provider_type", "parent_id")
    for key in ("name", "provider_type", "parent_id"):
        _plain_index("component", key)
    _collection("session", "user_id", "expires")
    for key in ("user_id", "expires"):
        _plain_index("session", key)


def _relations() -> None:
    op.create_table(
        "relation",
        Column("position", _WHOLE, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("realm_id", "relation", "source", "target")),
    )
    op.create_index("relation_pair_unique", "relation", ["realm_id", "relation", "source", "target"], unique=True)
    op.create_index("relation_target", "relation", ["realm_id", "relation", "target"])


def _bookkeeping() -> None:
    op.create_table(
        "change",
        Column("revision", BigInteger, primary_key=True, autoincrement=False),
        *(Column(name, Text, primary_key=True) for name in ("realm_id", "kind", "id")),
    )
    op.create_table("revision", Column("value", BigInteger, primary_key=True, autoincrement=False))
    op.create_table(
        "once",
        Column("namespace", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("until", BigInteger, nullable=False),
    )
    op.create_index("once_until", "once", ["until"])
    op.create_table("meta", Column("name", Text, primary_key=True), Column("value", Text, nullable=False))


def _collection(name: str, *keys: str) -> None:
    op.create_table(
        name,
        Column("sequence", _WHOLE, primary_key=True),
        Column("realm_id", Text, nullable=False),
        Column("id", Text, nullable=False),
        *(Column(key, Text) for key in keys),
        Column("document", Text, nullable=False),
    )
    op.create_index(f"{name}_id_unique", name, ["realm_id", "id"], unique=True)


def _plain_index(name: str, key: str) -> None:
    op.create_index(f"{name}_{key}", name, ["realm_id", key])
