"""What differs between databases that speak SQL; each of ``backends`` says it for its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from keyturn.store.connections import Connection
from keyturn.store.schema import Table, Type
from keyturn.store.spi import StoreError


class Dialect(Protocol):
    """What differs between databases."""

    busy_timeout: float
    """Seconds for which a writer waits for others."""
    errors: type[Exception]
    """What the driver raises."""
    types: Mapping[Type, str]
    """What columns' types are called where that is not what ``Type`` says: a row's number in any case."""
    lowered: str
    """The expression that lowers ``{}`` as Unicode says."""
    no_limit: str
    """What stands after LIMIT where there is none."""
    writes_beside: bool
    """Whether the database lets several write at the same time."""
    earlier_time: str
    """SQL: the parameter ``?`` (epoch seconds), or what the clock of the database says where that is earlier."""
    alembic_url: str
    """Names the database to Alembic, which is given a connection."""

    def begin_read(self, connection: Connection) -> None:
        """Begins a transaction whose view does not change."""
        ...

    def begin_write(self, connection: Connection) -> None:
        """Begins a transaction that may write. Waits for other writers."""
        ...

    def revision(self, connection: Connection) -> int:
        """The newest revision, in a transaction that may raise it: nobody else does until it ends."""
        ...

    def announce(self, connection: Connection, revision: int) -> None:
        """Has the database tell whoever listens of `revision`, once it is committed."""
        ...

    def number_from(self, connection: Connection, table: Table) -> None:
        """Has the next row of `table` numbered above those that are there, which were put in with their numbers."""
        ...

    def attempt(self, connection: Connection, statement: str, values: Sequence[Any]) -> int:
        """Executes what may find a unique key taken; how many rows it touched.

        Raises one of ``errors``; where that is a key that is taken, the transaction goes on as if nothing had been run.
        """
        ...

    def take_time(self, connection: Connection) -> None:
        """Has the database wait for the next statement of this transaction for as long as it takes."""
        ...

    def begin_exclusive(self, connection: Connection) -> None:
        """Begins a transaction that changes the schema."""
        ...

    def has_table(self, connection: Connection, name: str) -> bool: ...
    def translate(self, error: Exception) -> StoreError:
        """One of ``errors`` in the store's terms, without any value of the statement in its text."""
        ...

    def be_alone(self, connection: Connection) -> None:
        """Keeps servers from the database until this transaction ends. Raises Busy where some have it open."""
        ...

    def leaves_in_doubt(self, error: Exception) -> bool:
        """Whether a commit that raised `error` may have been done all the same."""
        ...

    def driver(self, connection: Connection) -> Any:
        """The driver's own connection, for Alembic."""
        ...

    def closing(self, connection: Connection) -> None:
        """What is due before the database is closed."""
        ...


def earlier(dialect: Dialect, connection: Connection, now: float) -> float:
    """`now` (epoch seconds), or what the clock of the database says where that is earlier."""
    return float(connection.execute(f"SELECT {dialect.earlier_time}", (now,)).fetchone()[0])


@contextmanager
def translated(dialect: Dialect) -> Iterator[None]:
    """Turns the database's errors into the store's."""
    try:
        yield
    except dialect.errors as error:
        raise dialect.translate(error) from None
