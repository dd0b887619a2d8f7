"""Initial access tokens of client registration."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "initial_access",
        Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("realm_id", Text, nullable=False),
        Column("id", Text, nullable=False),
        Column("document", Text, nullable=False),
    )
    op.create_index("initial_access_id_unique", "initial_access", ["realm_id", "id"], unique=True)
