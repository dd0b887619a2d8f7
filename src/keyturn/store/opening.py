"""What happens between connecting to a database and using it: its schema and its seal key are checked, or made."""

from sqlalchemy import Engine, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from keyturn.jose.seal import SealBroken, WrongSealKey
from keyturn.store.schema import META, METADATA, REVISION, SCHEMA_VERSION, VERSION
from keyturn.store.seal_key import SealKeys, SealKeyWrong
from keyturn.store.sealing import Sealing
from keyturn.store.spi import StoreError
from keyturn.store.sql import Clock, SqlStore
from keyturn.store.sql_reader import Dialect, translated


class NewerSchema(StoreError):
    """The database was written by a newer keyturn."""

    def __init__(self, found: str) -> None:
        super().__init__(f"the database has schema {found}, newer than this keyturn's {VERSION}: use a newer keyturn")


def opened(engine: Engine, dialect: Dialect, seal: SealKeys, clock: Clock) -> SqlStore:
    """The store in the database that `engine` connects to. Makes the tables of an empty one, and its seal key."""
    try:
        with translated(dialect):
            sealing = _prepared(engine, dialect, seal)
    except BaseException:
        engine.dispose()  # whatever stopped it, the file is let go
        raise
    return SqlStore(engine, dialect, sealing, clock)


def _prepared(engine: Engine, dialect: Dialect, seal: SealKeys) -> Sealing:
    with engine.connect() as connection:
        dialect.begin_read(connection)
        try:
            version = connection.execute(select(SCHEMA_VERSION.c.version_num)).scalar()
        except SQLAlchemyError:
            if inspect(connection).has_table(SCHEMA_VERSION.name):
                raise
            version = None
    if version is None:
        return _made(engine, dialect, seal)
    if version > VERSION:
        raise NewerSchema(version)
    if version < VERSION:
        _migrate(engine, dialect)
    with engine.connect() as connection:
        dialect.begin_read(connection)
        meta = {row.name: row.value for row in connection.execute(select(META))}
    key = seal.of_database(meta["seal_key_id"])
    try:
        key.check(meta["seal_check"])
    except (WrongSealKey, SealBroken):
        raise SealKeyWrong("the seal key is not the one that this database was sealed with") from None
    return Sealing(key)


def _migrate(engine: Engine, dialect: Dialect) -> None:
    """All that is due in one transaction, for which every other connection waits."""
    from keyturn.store.migrations import migrate  # Alembic is dear to import

    with engine.connect() as connection:
        dialect.begin_exclusive(connection)
        migrate(connection)
        connection.commit()


def _made(engine: Engine, dialect: Dialect, seal: SealKeys) -> Sealing:
    """Makes all tables at once, without Alembic, in one transaction."""
    with engine.connect() as connection:
        dialect.begin_exclusive(connection)
        if inspect(connection).has_table(SCHEMA_VERSION.name):  # another process was faster
            connection.rollback()
            return _prepared(engine, dialect, seal)
        key = seal.of_empty_database()
        METADATA.create_all(connection, checkfirst=False)
        connection.execute(insert(SCHEMA_VERSION), {"version_num": VERSION})
        connection.execute(insert(REVISION), {"value": 0})
        connection.execute(
            insert(META),
            [{"name": "seal_key_id", "value": key.id}, {"name": "seal_check", "value": key.check_value()}],
        )
        connection.commit()
    return Sealing(key)
