"""Failed logins, by the user's id."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login_failures",
        Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("realm_id", Text, nullable=False),
        Column("id", Text, nullable=False),
        Column("document", Text, nullable=False),
    )
    op.create_index("login_failures_id_unique", "login_failures", ["realm_id", "id"], unique=True)
