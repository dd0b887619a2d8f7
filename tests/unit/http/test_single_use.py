"""Single use: one winner, however many ask at once, and one transaction for many."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.realm import NOW, Clock
from keyturn.http import single_use
from keyturn.http.single_use import SingleUse
from keyturn.oauth2.inquiries import UseOnce
from keyturn.store.backends.sqlite import open_store
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Busy, Transaction, Unavailable
from keyturn.store.sql import SqlStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = _open(tmp_path)
    yield made
    made.close()


def _open(directory: Path) -> SqlStore:
    return open_store(directory / "keyturn.db", SealKeys.from_environment(directory, {}), Clock())


def use(key: str) -> UseOnce:
    return UseOnce("jti", key, NOW + 60)


async def ask(single: SingleUse, keys: list[str]) -> list[bool]:
    return await asyncio.gather(*(single.is_first(use(key)) for key in keys))


def test_lets_one_of_many_at_once_be_the_first(store: SqlStore) -> None:
    assert sum(asyncio.run(ask(SingleUse(store), ["same"] * 50))) == 1


def test_tells_two_servers_on_one_database_from_each_other(store: SqlStore) -> None:
    async def both() -> list[bool]:
        one, other = SingleUse(store), SingleUse(store)
        return await asyncio.gather(*(single.is_first(use("same")) for single in (one, other) * 10))

    assert sum(asyncio.run(both())) == 1


def test_remembers_after_a_restart(store: SqlStore, tmp_path: Path) -> None:
    assert asyncio.run(ask(SingleUse(store), ["once"])) == [True]
    store.close()
    assert asyncio.run(ask(SingleUse(_open(tmp_path)), ["once", "another"])) == [False, True]


class Counting(SqlStore):
    """A store that counts its transactions."""

    transactions = 0

    @contextmanager
    def write(self, *, shared: bool = False) -> Iterator[Transaction]:
        self.transactions += 1
        with super().write(shared=shared) as transaction:
            yield transaction


def test_writes_many_in_one_transaction(store: SqlStore) -> None:
    store.__class__ = Counting
    assert isinstance(store, Counting)
    keys = [str(number) for number in range(300)]
    assert asyncio.run(ask(SingleUse(store), keys)) == [True] * 300
    assert store.transactions <= 3


def test_refuses_more_than_can_wait(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_use, "MAXIMUM_WAITING", 5)

    async def many() -> list[bool | BaseException]:
        single = SingleUse(store)
        waiting = (single.is_first(use(str(number))) for number in range(20))
        return await asyncio.gather(*waiting, return_exceptions=True)

    outcomes = asyncio.run(many())
    assert sum(outcome is True for outcome in outcomes) == 5
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 15


def test_says_so_where_it_cannot_be_written(store: SqlStore) -> None:
    class Failing(SqlStore):
        @contextmanager
        def write(self, *, shared: bool = False) -> Iterator[Transaction]:
            with super().write(shared=shared) as transaction:
                yield transaction
                raise Unavailable("the disk is full")

    store.__class__ = Failing
    with pytest.raises(Unavailable):
        asyncio.run(SingleUse(store).is_first(use("key")))


def test_outlives_callers_that_go(store: SqlStore) -> None:
    async def some_go() -> bool:
        single = SingleUse(store)
        gone = asyncio.ensure_future(single.is_first(use("gone")))
        stays = asyncio.ensure_future(single.is_first(use("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays and not await single.is_first(use("gone"))

    assert asyncio.run(some_go())
