"""What is asked of the database stays little where much is stored: by index, and a page of it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from admin_server import Server
from keyturn.registry.registry import Registry
from keyturn.representations import given
from keyturn.representations.role import RoleRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.backends.sqlite import open_store
from keyturn.store.collections import CLIENTS, REALMS, ROLES, USERS
from keyturn.store.connections import Connections
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Relation

ALLOWED = ("revision", "realm")
"""Tables that may be read from end to end: one row, and what is listed without pages."""


@contextmanager
def statements_of(seen: list[str]) -> Iterator[None]:
    """Notes each statement that a store executes, its values put in."""
    lend = Connections.connection

    @contextmanager
    def traced(self: Connections, *begin: Any) -> Iterator[Any]:
        with lend(self, *begin) as connection:
            assert isinstance(connection, sqlite3.Connection)
            connection.set_trace_callback(seen.append)
            try:
                yield connection
            finally:
                connection.set_trace_callback(None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connections, "connection", traced)
        yield


def plans(database: Path, statements: list[str]) -> Iterator[tuple[str, str]]:
    """Each statement with each line of its plan."""
    with closing(sqlite3.connect(database)) as connection:
        connection.create_function("lower", 1, lambda text: text and text.lower(), deterministic=True)
        for statement in dict.fromkeys(statements):
            if statement.split()[0] in {"SELECT", "UPDATE", "DELETE"}:
                for line in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                    yield statement, line[3]


def clients(server: Server) -> None:
    made = server.call("POST", "/demo/clients", {"clientId": "one", "serviceAccountsEnabled": True, "secret": "s"})
    server.call("GET", "/demo/clients", query="first=0&max=20")
    server.call("GET", "/demo/clients", query="clientId=one")
    server.call("PUT", f"/demo/clients/{made.id}", {"description": "changed"})
    server.call("GET", f"/demo/clients/{made.id}/service-account-user")
    assert server.call("DELETE", f"/demo/clients/{made.id}").status == 204


def users(server: Server) -> None:
    made = server.call("POST", "/demo/users", {"username": "ada", "enabled": True, "email": "ada@example.com"})
    for query in ("first=0&max=20", "search=ad&first=0&max=20", "username=ada&exact=true", "enabled=true&max=5"):
        assert server.call("GET", "/demo/users", query=query).status == 200
    server.call("GET", "/demo/users/count")
    server.call("PUT", f"/demo/users/{made.id}", {"firstName": "Ada"})
    assert server.call("DELETE", f"/demo/users/{made.id}").status == 204


def roles(server: Server) -> None:
    server.call("POST", "/demo/roles", {"name": "reader"})
    server.call("GET", "/demo/roles", query="first=0&max=20")
    server.call("GET", "/demo/roles/reader/users")
    assert server.call("DELETE", "/demo/roles/reader").status == 204


def a_token(server: Server) -> None:
    """What a client's first token reads."""
    made = server.call("POST", "/demo/clients", {"clientId": "two", "serviceAccountsEnabled": True})
    registry = Registry(server.store)
    assert registry.load_client("demo", "two") is not None
    server.call("DELETE", f"/demo/clients/{made.id}")


@pytest.mark.sqlite
@pytest.mark.parametrize("work", [clients, users, roles, a_token])
def test_every_statement_finds_its_rows_by_an_index(
    server: Server, tmp_path: Path, work: Callable[[Server], None]
) -> None:
    seen: list[str] = []
    with statements_of(seen):
        work(server)
    assert len(seen) > 5
    found = list(plans(tmp_path / "data" / "keyturn.db", seen))
    assert found
    scans = [
        (statement, line)
        for statement, line in found
        if line.startswith("SCAN") and line.split()[1] not in ALLOWED and not line.startswith("SCAN CONSTANT")
    ]
    assert scans == []


@pytest.mark.sqlite
def test_what_was_counted_once_does_not_choose_the_way_for_ever(tmp_path: Path, made_database: Path) -> None:
    """Statistics of a small database would send the reader of a large one through all of it."""
    path = tmp_path / "keyturn.db"
    path.write_bytes((made_database / "keyturn.db").read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE")
    (tmp_path / "seal.key").write_bytes((made_database / "seal.key").read_bytes())
    for _ in range(2):
        store = open_store(path, SealKeys(tmp_path), lambda: 0)
        store.close()
    store = open_store(path, SealKeys(tmp_path), lambda: 0)
    seen: list[str] = []
    with statements_of(seen):
        Registry(store).load_realm("demo")
    store.close()
    assert [line for _, line in plans(path, seen) if line.startswith("SCAN") and line.split()[1] not in ALLOWED] == []


def many_users(server: Server, count: int) -> None:
    """People ``person-0000`` and so on, of which every second is enabled."""
    with server.store.write() as tx:
        realm = tx.find(REALMS, None, realm="demo")
        assert realm is not None
        people = [
            UserRepresentation(id=f"u{n}", username=f"person-{n:04d}", enabled=n % 2 == 0, created_timestamp=0)
            for n in range(count)
        ]
        tx.insert_many(USERS, given(realm.id, ""), people)


def documents_read(server: Server, work: Callable[[], object]) -> int:
    """How many documents of any kind are decoded meanwhile."""
    count = 0
    sealing = server.store._sealing  # type: ignore[attr-defined]
    right = type(sealing).document

    def counting(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        return right(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(sealing), "document", counting)
        work()
    return count


@pytest.mark.parametrize("query", ["first=0&max=5", "enabled=true&first=0&max=5", "q=enabled:true&max=5"])
def test_a_page_of_users_reads_no_more_than_that_page_needs(server: Server, query: str) -> None:
    many_users(server, 1000)
    names: list[str] = []

    def page() -> None:
        names.extend(user["username"] for user in server.call("GET", "/demo/users", query=query).body)

    assert documents_read(server, page) < 300
    step = 2 if "enabled" in query else 1
    assert names == [f"person-{n:04d}" for n in range(0, 5 * step, step)]


def test_what_is_searched_by_attributes_is_not_read_as_a_whole(server: Server) -> None:
    many_users(server, 300)
    with server.store.write() as tx:
        realm = tx.find(REALMS, None, realm="demo")
        assert realm is not None
        ada = UserRepresentation(id="ada", username="ada", attributes={"team": ["other", 'Ärger%_"1']})
        tx.insert(USERS, given(realm.id, ""), ada)
    client = {"clientId": "one", "attributes": {"jwt.credential.sub": "it's"}}
    assert server.call("POST", "/demo/clients", client).status == 201
    found: list[str] = []

    def search() -> None:
        for value in ('ärger%_"1', 'ärger%_"', 'ärger__"1'):
            found.extend(user["username"] for user in server.call("GET", "/demo/users", query=f"q=team:{value}").body)
        for subject in ("it's", "its"):
            clients = server.call("GET", "/demo/clients", query=f"q=jwt.credential.sub:{subject}").body
            found.extend(client["clientId"] for client in clients)

    assert documents_read(server, search) < 60
    assert found == ["ada", "one"]


@pytest.mark.sqlite
def test_all_realms_are_listed_in_few_queries_each(server: Server) -> None:
    for number in range(5):
        server.call("POST", "", {"realm": f"realm-{number}", "enabled": True})
    seen: list[str] = []
    with statements_of(seen):
        listed = server.call("GET", "", query="briefRepresentation=true").body
    assert {realm["realm"] for realm in listed} >= {f"realm-{number}" for number in range(5)}
    assert len(seen) < 5 * len(listed) + 20


def test_later_pages_of_filtered_users_go_on_where_the_last_ended(server: Server) -> None:
    many_users(server, 700)
    found = [
        user["username"]
        for first in range(0, 400, 50)
        for user in server.call("GET", "/demo/users", query=f"enabled=true&first={first}&max=50").body
    ]
    assert found == [f"person-{n:04d}" for n in range(0, 700, 2)]


def test_a_page_of_those_who_hold_a_role_reads_no_more_than_it_needs(server: Server) -> None:
    many_users(server, 1000)
    server.call("POST", "/demo/roles", {"name": "reader"})
    with server.store.write() as tx:
        realm = tx.find(REALMS, None, realm="demo")
        assert realm is not None
        realm_id = given(realm.id, "")
        role = tx.find(ROLES, realm_id, container_id=realm_id, name="reader")
        assert role is not None
        held = [(f"u{n}", given(role.id, "")) for n in range(999, -1, -1) if n % 3]
        tx.link_many(Relation.USER_ROLE, realm_id, held)
    names: list[str] = []

    def page() -> None:
        found = server.call("GET", "/demo/roles/reader/users", query="first=4&max=5").body
        names.extend(user["username"] for user in found)

    assert documents_read(server, page) < 300
    assert names == [f"person-{n:04d}" for n in (7, 8, 10, 11, 13)]
    everybody = server.call("GET", "/demo/roles/reader/users", query="max=-1").body
    assert [user["username"] for user in everybody] == [f"person-{n:04d}" for n in range(1000) if n % 3]


def test_a_page_of_roles_reads_only_that_page(server: Server) -> None:
    with server.store.write() as tx:
        realm = tx.find(REALMS, None, realm="demo")
        assert realm is not None
        realm_id = given(realm.id, "")
        made = [RoleRepresentation(id=f"r{n}", name=f"a-{n:04d}", container_id=realm_id) for n in range(1000)]
        tx.insert_many(ROLES, realm_id, made)
    names: list[str] = []

    def page() -> None:
        names.extend(role["name"] for role in server.call("GET", "/demo/roles", query="first=10&max=5").body)

    assert documents_read(server, page) < 300
    assert names == [f"a-{n:04d}" for n in range(10, 15)]


def test_a_page_of_clients_reads_only_that_page(server: Server) -> None:
    with server.store.write() as tx:
        realm = tx.find(REALMS, None, realm="demo")
        assert realm is not None
        client = tx.find(CLIENTS, given(realm.id, ""), client_id="admin-cli")
        assert client is not None
        copies = [replace(client, id=f"c{n}", client_id=f"a-{n:04d}") for n in range(1000)]
        tx.insert_many(CLIENTS, given(realm.id, ""), copies)
    count = documents_read(server, lambda: server.call("GET", "/demo/clients", query="first=5&max=5"))
    assert count < 300
