"""What nodes that share a PostgreSQL hear of each other, and what they do when it is out of reach."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest

from harness.postgresql import Cluster, cluster_or_skip
from keyturn.config import Settings
from keyturn.http.tls import open_tls
from keyturn.jose.seal import new_seal_key
from keyturn.representations import RoleRepresentation
from keyturn.store import shared
from keyturn.store.backends import postgresql as backend
from keyturn.store.collections import ROLES
from keyturn.store.psycopg_connection import PsycopgConnection
from keyturn.store.seal_key import SealKeys
from keyturn.store.shared import SharedStore
from keyturn.store.spi import Busy, Duplicate, InDoubt, StoreError, Unavailable

pytestmark = pytest.mark.full

STALENESS = 2.0
Open = Callable[[], SharedStore]


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """One to be ill-treated."""
    with cluster_or_skip() as made:
        yield made


@contextmanager
def node(url: str, directory: Path) -> Iterator[SharedStore]:
    store = backend.open_store(url, SealKeys(directory), lambda: 0)
    with store.following(STALENESS):
        yield store
    store.close()


def put(store: SharedStore, name: str) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", RoleRepresentation(id=name, name=name))


def heard_by(store: SharedStore, *, until: str) -> Event:
    """Is set when `store` hears of the role `until`."""
    heard = Event()
    store.subscribe(lambda changes: heard.set() if until in [change.id for change in changes] else None)
    return heard


def names_heard_by(store: SharedStore) -> list[str]:
    """Grows with what `store` hears of."""
    heard: list[str] = []
    store.subscribe(lambda changes: heard.extend(change.id for change in changes))
    return heard


def hold(until: Event) -> None:
    assert until.wait(30)


def eventually(condition: Callable[[], bool], seconds: float = 10) -> float:
    """After how many seconds it held."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + seconds, "never"
        Event().wait(0.02)
    return time.monotonic() - begun


def fails(act: Callable[[], object]) -> bool:
    try:
        act()
    except StoreError:
        return True
    return False


def test_a_commit_of_another_node_is_told(postgresql: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "POLL", 60.0)
    url = postgresql.new_schema()
    with node(url, tmp_path) as one, node(url, tmp_path) as other:
        first, second = heard_by(one, until="a"), heard_by(one, until="b")
        put(other, "a")
        assert first.wait(30)
        put(other, "b")
        assert second.wait(30)
        monkeypatch.setattr(shared, "POLL", 0.1)
        put(other, "c")  # so that both followers look up


def test_who_has_written_finds_it_known_on_the_other_node_at_once(
    postgresql: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "HEARD_WITHIN", 30.0)
    url = postgresql.new_schema()
    with node(url, tmp_path) as one, node(url, tmp_path) as other:
        known = [names_heard_by(store) for store in (one, other)]
        for number in range(20):
            put((one, other)[number % 2], str(number))
            assert [heard[-1:] for heard in known] == [[str(number)]] * 2


def test_a_node_that_hangs_is_waited_for_once(postgresql: Cluster, tmp_path: Path) -> None:
    url = postgresql.new_schema()
    with node(url, tmp_path) as one, node(url, tmp_path) as other:
        go_on = Event()
        other.subscribe(lambda _: hold(go_on))
        put(one, "a")
        begun = time.monotonic()
        for name in "bcdef":
            put(one, name)
        assert time.monotonic() - begun < shared.HEARD_WITHIN
        go_on.set()
        heard = names_heard_by(other)

        def is_waited_for() -> bool:
            put(one, name := f"after {len(heard)}")
            return name in heard

        eventually(is_waited_for)


def test_others_are_asked_where_there_are_any_and_have_answered_when_it_returns(
    postgresql: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "HEARD_WITHIN", 30.0)
    url = postgresql.new_schema()
    with node(url, tmp_path) as one:
        one.ask_others("something")
        with one.read() as read:
            assert read.revision == 0
        with node(url, tmp_path) as other:
            asked: list[str] = []
            other.subscribe(lambda changes: asked.extend(change.kind for change in changes))
            one.ask_others("something")
            assert asked == ["something"]


def test_a_commit_of_another_node_is_found_where_nothing_is_told(
    postgresql: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = "DO $$ BEGIN RAISE EXCEPTION 'not supported' USING ERRCODE = '0A000'; END $$"
    monkeypatch.setattr(backend, "_NOTIFY", missing)
    url = postgresql.new_schema()
    with node(url, tmp_path) as one, node(url, tmp_path) as other:
        heard = heard_by(one, until="a")
        put(other, "a")
        assert heard.wait(30)


def test_a_database_that_was_restarted_is_found_again_with_what_others_wrote(
    own_cluster: Cluster, tmp_path: Path
) -> None:
    url = own_cluster.new_database()
    with node(url, tmp_path) as one, node(url, tmp_path) as other:
        heard = heard_by(one, until="b")
        put(other, "a")
        own_cluster.stop()
        assert fails(lambda: put(other, "lost"))
        own_cluster.start()
        eventually(lambda: not fails(lambda: put(other, "b")))
        assert heard.wait(30)
        with one.read() as read:
            assert [role.name for role in read.select(ROLES, "r1")] == ["a", "b"]


def test_a_database_that_does_not_answer_is_given_up_and_taken_up_again(own_cluster: Cluster, tmp_path: Path) -> None:
    url = own_cluster.new_database()
    with node(url, tmp_path) as store:
        put(store, "a")
        with own_cluster.frozen():
            begun = time.monotonic()
            assert fails(lambda: put(store, "lost"))
            assert time.monotonic() - begun < shared.CUT_OFF + 5  # and not the minute that a statement may take
            eventually(store.behind)
            begun = time.monotonic()
            assert fails(lambda: put(store, "lost"))
            assert fails(store.catch_up)
            assert time.monotonic() - begun < 2  # at once: nobody asks
        eventually(lambda: not store.behind())
        eventually(lambda: not fails(lambda: put(store, "b")))


def test_one_that_nobody_follows_is_never_too_old(postgresql: Cluster, tmp_path: Path) -> None:
    store = backend.open_store(postgresql.new_schema(), SealKeys(tmp_path), lambda: 0)
    with store.following(STALENESS):
        pass
    assert not store.behind()
    put(store, "a")
    store.close()


def test_a_transaction_that_could_not_begin_is_begun_anew(
    postgresql: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As engines say it that run transactions beside each other and see afterwards (40001)."""
    store = backend.open_store(postgresql.new_schema(), SealKeys(tmp_path), lambda: 0)
    asked: list[int] = []

    def refused_twice(dialect: object, connection: PsycopgConnection) -> int:
        asked.append(1)
        if len(asked) < 3:
            connection.execute("DO $$ BEGIN RAISE EXCEPTION 'restart transaction' USING ERRCODE = '40001'; END $$")
        return int(lock(dialect, connection))

    lock: Any = backend.PostgresqlDialect.revision
    monkeypatch.setattr(backend.PostgresqlDialect, "revision", refused_twice)
    put(store, "a")
    assert len(asked) == 3
    with store.read() as read:
        assert read.revision == 1
    store.close()


def test_what_is_read_again_is_prepared_in_the_database(postgresql: Cluster, tmp_path: Path) -> None:
    """psycopg has it forgotten at each ROLLBACK."""
    store = backend.open_store(postgresql.new_schema(), SealKeys(tmp_path), lambda: 0)
    for _ in range(8):
        with store.read() as read:
            assert read.find(ROLES, "r1", name="a") is None
    with store.read() as read:
        connection = read._connection  # type: ignore[attr-defined]
        prepared = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        assert prepared[0] > 0
    store.close()


def test_the_network_is_encrypted_where_the_url_wants_it(own_cluster: Cluster, tmp_path: Path) -> None:
    tls = open_tls(Settings(data=tmp_path), tmp_path, time.time())
    assert tls.ca is not None
    folder = tls.ca.parent
    own_cluster.encrypt(folder / "certificate.pem", folder / "key.pem")
    url = own_cluster.url().replace("127.0.0.1", "localhost")
    with node(f"{url}?sslmode=verify-full&sslrootcert={tls.ca}", tmp_path) as store:
        put(store, "a")
        with psycopg.connect(url) as seen:
            secure = (
                "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE %s"
            )
            assert seen.execute(secure, ("keyturn%",)).fetchone() == (True,)
    (tmp_path / "x").mkdir()
    stranger = open_tls(Settings(data=tmp_path / "x"), tmp_path / "x", time.time())
    with pytest.raises(Unavailable, match="certificate verify failed"):
        backend.open_store(f"{url}?sslmode=verify-full&sslrootcert={stranger.ca}", SealKeys(tmp_path), lambda: 0)


def test_secrets_are_not_sealed_anew_while_nodes_serve(postgresql: Cluster, tmp_path: Path) -> None:
    url = postgresql.new_schema()
    alone = backend.open_store(url, SealKeys(tmp_path), lambda: 0)
    with node(url, tmp_path) as store:
        put(store, "a")
        Event().wait(0.5)
        eventually(lambda: refuses_to_reseal(alone))
    eventually(lambda: not refuses_to_reseal(alone))
    alone.close()


def refuses_to_reseal(store: SharedStore) -> bool:
    try:
        store.reseal(new_seal_key())
    except Busy as error:
        return str(error) == "nodes serve from this database: stop them all"
    return False


def test_a_node_that_nobody_saw_while_secrets_were_sealed_anew_writes_nothing_and_serves_no_more(
    postgresql: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgresql.new_schema()
    cut_off = backend.open_store(url, SealKeys(tmp_path), lambda: 0)
    put(cut_off, "a")
    alone = backend.open_store(url, SealKeys(tmp_path), lambda: 0)
    alone.reseal(new_seal_key())
    alone.close()
    with pytest.raises(Unavailable, match="sealed with another key"):
        put(cut_off, "lost")
    with cut_off.read() as read:
        assert [role.name for role in read.select(ROLES, "r1")] == ["a"]
    with cut_off.following(STALENESS):
        eventually(lambda: fails(cut_off.catch_up))
        eventually(cut_off.behind)
    cut_off.close()
    assert "start this server anew with that one" in caplog.text


def test_a_commit_that_is_not_answered_is_in_doubt(
    postgresql: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = backend.open_store(postgresql.new_schema(), SealKeys(tmp_path), lambda: 0)
    commit = PsycopgConnection.commit

    def lost(connection: PsycopgConnection) -> None:
        commit(connection)
        connection.driver.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(PsycopgConnection, "commit", lost)
    with pytest.raises(InDoubt, match="cannot be reached"):
        put(store, "a")
    monkeypatch.setattr(PsycopgConnection, "commit", commit)
    with pytest.raises(Duplicate):
        put(store, "a")
    store.close()


def test_what_a_node_forgets_has_expired_by_the_clock_of_the_database_too(postgresql: Cluster, tmp_path: Path) -> None:
    store = backend.open_store(postgresql.new_schema(), SealKeys(tmp_path), lambda: 0)
    assert abs(store.agreed_time(time.time() + 3600) - time.time()) < 60
    assert store.agreed_time(1000) == 1000
    store.close()


def test_a_node_that_is_ahead_takes_nothing_for_over_that_others_count_on(postgresql: Cluster, tmp_path: Path) -> None:
    store = backend.open_store(postgresql.new_schema(), SealKeys(tmp_path), lambda: time.time() + 600)
    until = int(time.time()) + 60
    with store.write(shared=True) as write:
        assert write.use_once("jti", "live", until)
        assert write.use_each_once([("jti", "live", until), ("jti", "past", until - 120)]) == [False, True]
        assert write.use_once("jti", "past", until)
    store.close()


def test_a_clock_that_is_not_the_databases_is_told_once(
    postgresql: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    off = 30.0
    store = backend.open_store(postgresql.new_schema(), SealKeys(tmp_path), lambda: time.time() + off)
    with store.following(STALENESS):
        eventually(lambda: "the clock is 30 s off that of the database" in caplog.text)
        off = 0.0
        eventually(lambda: "the clock is that of the database again" in caplog.text)
    assert len(caplog.records) == 2
    store.close()
