"""What the processes of one server hear of each other's commits. Two stores on one database stand for two processes."""

from collections.abc import Callable, Sequence

import pytest

from keyturn.representations import RoleRepresentation
from keyturn.store import sql
from keyturn.store.collections import ROLES
from keyturn.store.revisions import shared_revisions
from keyturn.store.spi import EVERYTHING, Change, Unavailable
from keyturn.store.sql import SqlStore

Open = Callable[..., SqlStore]


@pytest.fixture
def stores(open_again: Open) -> Sequence[SqlStore]:
    return [open_again(revisions) for revisions in shared_revisions(2)]


def put(store: SqlStore, role_id: str) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", RoleRepresentation(id=role_id, name=role_id))


def listening(store: SqlStore) -> list[str]:
    heard: list[str] = []
    store.subscribe(lambda changes: heard.extend(change.id or change.kind for change in changes))
    return heard


def test_a_commit_of_another_process_is_known_of_when_its_write_ends(stores: Sequence[SqlStore]) -> None:
    one, other = stores
    heard = listening(one)
    assert not one.behind()
    put(other, "a")
    assert one.behind()
    assert heard == []
    one.catch_up()
    assert not one.behind()
    assert heard == ["a"]


def test_a_process_is_not_behind_itself(stores: Sequence[SqlStore]) -> None:
    one, other = stores
    heard = listening(one)
    put(one, "a")
    assert not one.behind()
    assert heard == ["a"]
    assert other.behind()


def test_commits_of_others_are_heard_before_ones_own_that_follow(stores: Sequence[SqlStore]) -> None:
    one, other = stores
    heard = listening(one)
    put(one, "a")
    put(other, "b")
    put(other, "c")
    put(one, "d")
    assert heard == ["a", "b", "c", "d"]
    assert not one.behind()
    one.catch_up()
    assert heard == ["a", "b", "c", "d"]


def test_a_commit_that_nobody_told_of_is_found(open_again: Open) -> None:
    mine, _ = shared_revisions(2)
    one, untold = open_again(mine), open_again()
    heard = listening(one)
    put(untold, "a")
    assert not one.behind()
    one.catch_up()
    assert heard == ["a"]


def test_who_is_behind_the_log_hears_that_everything_may_have_changed(
    stores: Sequence[SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "KEPT_REVISIONS", 1)
    one, other = stores
    heard = listening(one)
    for role_id in "abc":
        put(other, role_id)
    other.prune(0)
    one.catch_up()
    assert heard == [EVERYTHING]
    put(other, "d")
    one.catch_up()
    assert heard == [EVERYTHING, "d"]


def test_who_cannot_read_stays_behind(stores: Sequence[SqlStore], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = stores
    heard = listening(one)
    put(other, "a")

    def fail(_: SqlStore) -> None:
        raise Unavailable("the disk cannot be read or written")

    with monkeypatch.context() as broken:
        broken.setattr(SqlStore, "_reader", fail)
        with pytest.raises(Unavailable):
            one.catch_up()
    assert one.behind()
    one.catch_up()
    assert heard == ["a"]


def test_who_cannot_read_after_a_commit_forgets_everything(
    stores: Sequence[SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    changes: list[Change] = []
    one.subscribe(changes.extend)
    put(other, "a")

    def fail(_: SqlStore) -> None:
        raise Unavailable("the disk cannot be read or written")

    monkeypatch.setattr(SqlStore, "_reader", fail)
    put(one, "b")
    assert changes == [Change(2, "", EVERYTHING, "")]
