"""SQL that every backend speaks, as text: ``?`` stands for each value, and names are quoted (``user`` is a keyword)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Self

from keyturn.store.schema import Column, Table, Type


def creation(table: Table, types: Mapping[Type, str]) -> Iterator[str]:
    """The statements that make `table` and its indexes. `types` are those that the database calls otherwise."""
    lines = [_column(column, types) for column in table.columns]
    named = f"CONSTRAINT {quoted(table.constraint)} " if table.constraint else ""
    lines.append(f"{named}PRIMARY KEY ({_list(table.primary_key)})")
    yield f"CREATE TABLE {quoted(table.name)} ({', '.join(lines)})"
    for index in table.indexes:
        unique = "UNIQUE " if index.unique else ""
        columns = ", ".join(column if "(" in column else quoted(column) for column in index.columns)
        yield f"CREATE {unique}INDEX {quoted(index.name)} ON {quoted(table.name)} ({columns})"


def _column(column: Column, types: Mapping[Type, str]) -> str:
    return f"{quoted(column.name)} {types.get(column.type, column.type)}{' NOT NULL' if column.required else ''}"


@cache
def quoted(name: str) -> str:
    """`name` of a table or column in a statement. Raises ValueError where it can be none."""
    if not name.isidentifier():
        raise ValueError(f"{name!r} names no table and no column")
    return f'"{name}"'


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def insert(table: Table, *, absent: bool = False) -> str:
    """Takes the values of `names_of` the table. `absent`: does nothing where a unique key is taken."""
    names = names_of(table)
    skip = " ON CONFLICT DO NOTHING" if absent else ""
    return f"INSERT INTO {quoted(table.name)} ({_list(names)}) VALUES ({_marks(len(names))}){skip}"


def insert_whole(table: Table) -> str:
    """Takes the values of all columns, the number of the row among them."""
    names = [column.name for column in table.columns]
    return f"INSERT INTO {quoted(table.name)} ({_list(names)}) VALUES ({_marks(len(names))})"


def page(table: Table, *, first: bool, size: int) -> str:
    """So many rows of all columns by the primary key: the first ones, or those after its values."""
    names, key = _list(column.name for column in table.columns), _list(table.primary_key)
    after = "" if first else f" WHERE ({key}) > ({_marks(len(table.primary_key))})"
    return f"SELECT {names} FROM {quoted(table.name)}{after} ORDER BY {key} LIMIT {size}"


def names_of(table: Table) -> tuple[str, ...]:
    """The columns that a writer gives values for."""
    return tuple(column.name for column in table.columns if column.type is not Type.NUMBER)


def update(table: Table, names: Sequence[str], where: Sequence[str]) -> str:
    """Takes the values of `names`, then those of `where`."""
    return (
        f"UPDATE {quoted(table.name)} SET {', '.join(f'{quoted(name)} = ?' for name in names)}"
        f" WHERE {' AND '.join(f'{quoted(name)} = ?' for name in where)}"
    )


@cache
def marking(count: int, time: str) -> str:
    """Marks so many keys as used that are not, or no longer: takes their values and then the time. Gives those.

    `time` is the SQL that makes of that parameter what counts as now.
    """
    rows = ", ".join(["(?, ?, ?)"] * count)
    return (
        f'INSERT INTO "once" ("namespace", "key", "until") VALUES {rows} ON CONFLICT ("namespace", "key")'
        f' DO UPDATE SET "until" = excluded."until" WHERE "once"."until" <= {time} RETURNING "namespace", "key"'
    )


class Where:
    """Conditions that all hold, and the values for their ``?`` in the same order. Without any, everything is meant."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._conditions: list[str] = []

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""

    def equal(self, name: str, value: Any) -> Self:
        """None is SQL NULL."""
        if value is None:
            return self._add(f"{quoted(name)} IS NULL")
        return self._add(f"{quoted(name)} = ?", value)

    def compared(self, name: str, operator: str, value: Any) -> Self:
        return self._add(f"{quoted(name)} {operator} ?", value)

    def among(self, name: str, values: Sequence[Any]) -> Self:
        return self._add(f"{quoted(name)} IN ({_marks(len(values))})", *values) if values else self._add("1 = 0")

    def linked(self, realm_id: str, relation: str, target: str) -> Self:
        """The document is a source of `target`."""
        ends = '"realm_id" = ? AND "relation" = ? AND "target" = ? AND "source" = "id"'
        return self._add(f'EXISTS (SELECT 1 FROM "relation" WHERE {ends})', realm_id, relation, target)

    def like(self, name: str, pattern: str) -> Self:
        """Regards case. The pattern's escape is ``\\``."""
        return self._add(rf"{quoted(name)} LIKE ? ESCAPE '\'", pattern)

    def alike(self, patterns: Mapping[str, str], lowered: str) -> Self:
        """One of the patterns matches. Both sides are lowered as Unicode says, which LIKE itself does nowhere.

        `lowered` is the expression that does so, with ``{}`` for a column.
        """
        if not patterns:
            return self._add("1 = 0")
        each = " OR ".join(rf"{lowered.format(quoted(name))} LIKE ? ESCAPE '\'" for name in patterns)
        return self._add(f"({each})", *(pattern.lower() for pattern in patterns.values()))

    def _add(self, condition: str, *values: Any) -> Self:
        self._conditions.append(condition)
        self.values += values
        return self
