"""What happens between connecting to a database and using it: its schema and its seal key are checked, or made."""

from keyturn.jose.seal import SealBroken, SealKey, WrongSealKey
from keyturn.store.connections import Connection, Connections
from keyturn.store.dialect import Dialect, translated
from keyturn.store.retrying import retried
from keyturn.store.revisions import Revisions
from keyturn.store.schema import ALL, META, REVISION, SCHEMA_VERSION, SERVES, SERVES_KEY, VERSION
from keyturn.store.seal_key import SealKeys, SealKeyWrong
from keyturn.store.sealing import Sealing
from keyturn.store.spi import StoreError
from keyturn.store.sql import Clock, SqlStore
from keyturn.store.sql_text import creation, insert


class NewerSchema(StoreError):
    """The database was written by a newer keyturn."""

    def __init__(self, found: str) -> None:
        super().__init__(f"the database has schema {found}, newer than this keyturn's {VERSION}: use a newer keyturn")


class OtherSchema(StoreError):
    """The database is open in an older keyturn."""

    def __init__(self, found: str | None) -> None:
        super().__init__(
            f"the database has schema {found or 'none yet'}, not {VERSION}: stop the server that has it open"
        )


def opened(
    connections: Connections,
    dialect: Dialect,
    seal: SealKeys,
    clock: Clock,
    *,
    as_it_is: bool = False,
    revisions: Revisions | None = None,
) -> SqlStore:
    """The store in the database that `connections` lead to. Makes the tables of an empty one, and its seal key.

    With `as_it_is` nothing is made and nothing migrated: raises OtherSchema where that would be due.
    """
    sealing = prepared(connections, dialect, seal, as_it_is=as_it_is)
    return SqlStore(connections, dialect, sealing, clock, revisions)


def prepared(connections: Connections, dialect: Dialect, seal: SealKeys, *, as_it_is: bool = False) -> Sealing:
    """What ``opened`` does before there is a store; `connections` are closed where that fails."""

    def prepare() -> Sealing:
        with translated(dialect):
            if as_it_is and (found := schema_of(connections, dialect)) != VERSION:
                raise OtherSchema(found)
            return _prepared(connections, dialect, seal)

    try:
        return retried(prepare)
    except BaseException:
        connections.close()  # whatever stopped it, the file is let go
        raise


def _prepared(connections: Connections, dialect: Dialect, seal: SealKeys) -> Sealing:
    version = schema_of(connections, dialect)
    if version is None:
        return _made(connections, dialect, seal)
    if version > VERSION and not serves(connections, dialect):
        raise NewerSchema(version)
    if version < VERSION:
        from keyturn.store.migrations import migrate  # Alembic is dear to import

        with connections.connection() as connection:
            migrate(connection, dialect)
    return Sealing(key_of(connections, dialect, seal))


def key_of(connections: Connections, dialect: Dialect, seal: SealKeys) -> SealKey:
    """That of `seal` which opens the database, whatever its schema. Raises StoreError."""
    with connections.connection() as connection:
        dialect.begin_read(connection)
        meta = dict(connection.execute('SELECT "name", "value" FROM "meta"').fetchall())
    key = seal.of_database(meta["seal_key_id"])
    try:
        key.check(meta["seal_check"])
    except (WrongSealKey, SealBroken):
        raise SealKeyWrong("the seal key is not the one that this database was sealed with") from None
    return key


def schema_of(connections: Connections, dialect: Dialect) -> str | None:
    """The schema that is there; None in an empty database."""
    with connections.connection() as connection:
        dialect.begin_read(connection)
        if not dialect.has_table(connection, SCHEMA_VERSION.name):
            return None
        row = connection.execute('SELECT "version_num" FROM "schema_version"').fetchone()
    return None if row is None else str(row[0])


def serves(connections: Connections, dialect: Dialect) -> bool:
    """Whether the newer keyturn that has migrated the database says that this one can still serve from it."""
    with connections.connection() as connection:
        dialect.begin_read(connection)
        row = connection.execute('SELECT "value" FROM "meta" WHERE "name" = ?', (SERVES_KEY,)).fetchone()
    return row is not None and str(row[0]) <= VERSION


def _made(connections: Connections, dialect: Dialect, seal: SealKeys) -> Sealing:
    """Makes all tables at once, without Alembic, in one transaction."""
    with connections.connection() as connection:
        dialect.begin_exclusive(connection)
        made = not dialect.has_table(connection, SCHEMA_VERSION.name)
        if made:
            key = seal.of_empty_database()
            create_tables(connection, dialect)
            connection.execute(insert(REVISION), (0,))
            connection.execute(insert(META), ("seal_key_id", key.id))
            connection.execute(insert(META), ("seal_check", key.check_value()))
            connection.execute(insert(META), (SERVES_KEY, SERVES))
            connection.commit()
    return Sealing(key) if made else _prepared(connections, dialect, seal)  # another process was faster


def create_tables(connection: Connection, dialect: Dialect) -> None:
    """Makes the newest schema in an empty database."""
    for table in ALL:
        for statement in creation(table, dialect.types):
            connection.execute(statement)
    connection.execute(insert(SCHEMA_VERSION), (VERSION,))
