"""Transactions: whole or not at all, one after the other, each with its revision in the change log."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyturn.model.user_session import UserSession
from keyturn.representations.role import RoleRepresentation
from keyturn.store import sql
from keyturn.store.collections import ROLES, SESSIONS
from keyturn.store.spi import Change, Relation
from keyturn.store.sql import SqlStore

NOW = 1_700_000_000


def role(name: str, description: str = "") -> RoleRepresentation:
    return RoleRepresentation(id=name, name=name, container_id="r1", description=description)


class Stop(Exception):
    pass


def test_an_exception_rolls_everything_back(store: SqlStore) -> None:
    heard: list[Change] = []
    store.subscribe(heard.extend)

    def stop_half_way() -> None:
        with store.write() as write:
            write.insert(ROLES, "r1", role("a"))
            write.link(Relation.COMPOSITE, "r1", "a", "b")
            write.use_once("jti", "k", NOW + 60)
            raise Stop

    with pytest.raises(Stop):
        stop_half_way()
    with store.read() as read:
        assert read.count(ROLES, "r1") == 0
        assert read.pairs(Relation.COMPOSITE, "r1") == []
        assert read.used("jti", NOW) == []
        assert read.revision == 0
    assert heard == []


def test_a_view_does_not_change_while_it_is_open(store: SqlStore) -> None:
    with store.read() as before:
        with store.write() as write:
            write.insert(ROLES, "r1", role("a"))
        assert before.revision == 0
        assert before.count(ROLES, "r1") == 0
    with store.read() as after:
        assert after.revision == 1
        assert after.count(ROLES, "r1") == 1


def test_a_transaction_is_one_revision_and_each_thing_is_in_it_once(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", role("a"))
        write.update(ROLES, "r1", role("a", "changed"))
        write.link(Relation.COMPOSITE, "r1", "a", "b")
        write.link(Relation.COMPOSITE, "r1", "a", "c")
    with store.write() as write:
        write.delete(ROLES, "r1", "a")
    assert store.changes_since(0) == [
        Change(1, "r1", "composite", "a"),
        Change(1, "r1", "role", "a"),
        Change(2, "r1", "composite", "a"),
        Change(2, "r1", "role", "a"),
    ]


def test_listeners_hear_of_a_commit_before_the_block_ends(store: SqlStore) -> None:
    heard: list[Sequence[Change]] = []
    seen: list[int] = []

    def listener(changes: Sequence[Change]) -> None:
        heard.append(changes)
        with store.read() as read:
            seen.append(read.revision)

    store.subscribe(listener)
    with store.write() as write:
        write.insert(ROLES, "r1", role("a"))
    assert heard == [[Change(1, "r1", "role", "a")]]
    assert seen == [1]
    with store.write() as write:
        write.get(ROLES, "r1", "a")
    assert len(heard) == 1


def test_listeners_hear_commits_in_their_order(store: SqlStore) -> None:
    heard: list[int] = []
    store.subscribe(lambda changes: heard.append(changes[0].revision))

    def insert(number: int) -> None:
        with store.write() as write:
            write.insert(ROLES, "r1", role(str(number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(insert, range(80)))
    assert heard == list(range(1, 81))


def test_threads_that_read_modify_and_write_lose_nothing(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", role("counter", "0"))
    together = threading.Barrier(8)

    def count() -> None:
        together.wait(30)
        for _ in range(20):
            with store.write() as write:
                found = write.get(ROLES, "r1", "counter")
                assert found is not None
                write.update(ROLES, "r1", role("counter", str(int(str(found.description)) + 1)))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as read:
        assert read.get(ROLES, "r1", "counter") == role("counter", "160")
        assert read.revision == 161


def test_a_transaction_inside_another_is_refused_at_once(store: SqlStore) -> None:
    with pytest.raises(RuntimeError, match="inside another"), store.write(), store.write():
        pass
    with store.write() as write:
        write.insert(ROLES, "r1", role("a"))


def test_something_is_used_only_once_while_it_counts(store: SqlStore) -> None:
    with store.write() as write:
        assert write.use_once("jti", "k", NOW + 60)
        assert not write.use_once("jti", "k", NOW + 90)
        assert write.use_once("other", "k", NOW + 60)
        assert write.use_once("jti", "past", NOW - 1)
    with store.write() as write:
        assert not write.use_once("jti", "k", NOW + 60)
        assert write.use_once("jti", "past", NOW + 5)
        assert sorted(write.used("jti", NOW)) == [("k", NOW + 60), ("past", NOW + 5)]


def test_marks_many_keys_as_used_at_once(store: SqlStore) -> None:
    with store.write() as write:
        assert write.use_once("jti", "known", NOW + 60)
        assert write.use_once("jti", "past", NOW)
    wanted = [("jti", "a"), ("jti", "known"), ("jti", "a"), ("other", "a"), ("jti", "past")]
    with store.write() as write:
        assert write.use_each_once([(*use, NOW + 60) for use in wanted]) == [True, False, False, True, True]
        assert write.use_each_once([]) == []
    with store.write() as write:
        assert write.use_each_once([(*use, NOW + 60) for use in wanted]) == [False] * 5
        assert write.is_used("jti", "past", NOW)


def test_the_change_log_says_when_it_no_longer_reaches_back(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "KEPT_REVISIONS", 2)
    for number in range(5):
        with store.write() as write:
            write.insert(ROLES, "r1", role(str(number)))
    store.prune(NOW)
    assert store.changes_since(2) is None
    assert store.changes_since(3) == [Change(4, "r1", "role", "3"), Change(5, "r1", "role", "4")]
    assert store.changes_since(5) == []
    assert store.changes_since(6) is None


def test_pruning_forgets_expired_sessions_and_single_uses(store: SqlStore) -> None:
    with store.write() as write:
        for number, expires in enumerate((NOW - 10, NOW, NOW + 10)):
            write.insert(
                SESSIONS,
                "r1",
                UserSession(
                    id=str(number),
                    user_id="u",
                    username="u",
                    address="",
                    started=1,
                    refreshed=1,
                    expires=expires,
                    clients={},
                ),
            )
            write.use_once("jti", str(number), expires)
    store.prune(NOW)
    with store.read() as read:
        assert [session.id for session in read.select(SESSIONS, None)] == ["2"]
        assert read.used("jti", 0) == [("2", NOW + 10)]
        assert read.revision == 1


def test_two_servers_that_read_modify_and_write_lose_nothing(
    store: SqlStore, open_again: Callable[[], SqlStore]
) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", role("counter", "0"))
    stores = (store, open_again())
    together = threading.Barrier(4)

    def count(own: SqlStore) -> None:
        together.wait(30)
        for _ in range(10):
            with own.write() as write:
                found = write.get(ROLES, "r1", "counter")
                assert found is not None
                write.update(ROLES, "r1", role("counter", str(int(str(found.description)) + 1)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, stores * 2))
    with store.read() as read:
        assert read.get(ROLES, "r1", "counter") == role("counter", "40")
        assert read.revision == 41
    changes = store.changes_since(0)
    assert changes is not None
    assert [change.revision for change in changes] == list(range(1, 42))


def test_two_servers_let_something_be_used_once(store: SqlStore, open_again: Callable[[], SqlStore]) -> None:
    stores = (store, open_again())
    together = threading.Barrier(4)
    keys = [str(number) for number in range(40)]

    def use(own: SqlStore, order: int) -> list[str]:
        together.wait(30)
        mine = []
        for start in range(0, 40, 10):
            uses = [("jti", key, NOW + 60) for key in keys[start : start + 10][::order]]
            with own.write(shared=True) as write:
                mine += [use[1] for use, first in zip(uses, write.use_each_once(uses), strict=True) if first]
        return mine

    with ThreadPoolExecutor(4) as pool:
        used = [key for found in pool.map(use, stores * 2, (1, 1, -1, -1)) for key in found]
    assert sorted(used) == sorted(keys)


def test_a_transaction_beside_others_changes_nothing_that_is_in_the_change_log(store: SqlStore) -> None:
    with pytest.raises(RuntimeError, match="beside others"), store.write(shared=True) as write:
        write.insert(ROLES, "r1", role("a"))
    with store.read() as read:
        assert read.count(ROLES, "r1") == 0
        assert read.revision == 0
