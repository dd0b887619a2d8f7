"""Secrets: never readable in the database, bound to their place, and moved to a new key at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyturn.jose.seal import SealKey, is_sealed, new_seal_key
from keyturn.representations import encode, replace
from keyturn.representations.authentication import AuthenticatorConfigRepresentation
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.component import ComponentRepresentation
from keyturn.representations.credential import CredentialRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, COMPONENTS, REALMS, USERS
from keyturn.store.seal_key import SealKeys, SealKeyWrong
from keyturn.store.spi import Collection, Unavailable
from keyturn.store.sql import SqlStore

CANARY = "canary-secret-of-keyturn"

DOCUMENTS: list[tuple[Collection[Any], Any]] = [
    (CLIENTS, ClientRepresentation(id="c", client_id="c", secret=CANARY, attributes={"client.secret.rotated": CANARY})),
    (COMPONENTS, ComponentRepresentation(id="k", name="k", config={"privateKey": [CANARY], "priority": ["100"]})),
    (
        USERS,
        UserRepresentation(
            id="u",
            username="u",
            credentials=[
                CredentialRepresentation(type="otp", secret_data=f"1{CANARY}"),
                CredentialRepresentation(type="password", secret_data=CANARY),
            ],
        ),
    ),
    (REALMS, RealmRepresentation(id="r1", realm="r", smtp_server={"host": "mail", "password": CANARY})),
]


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    with store.write() as write:
        for collection, document in DOCUMENTS:
            write.insert(collection, "r1", document)
    return store


@pytest.mark.parametrize(("collection", "document"), DOCUMENTS, ids=lambda value: getattr(value, "name", ""))
def test_a_secret_comes_back(filled: SqlStore, collection: Collection[Any], document: Any) -> None:
    with filled.read() as read:
        assert read.find(collection, "r1") == document


def test_nothing_that_is_stored_holds_a_secret(filled: SqlStore, everything: Callable[[], str]) -> None:
    contents = everything()
    assert "clientId" in contents
    assert CANARY not in contents
    filled.close()
    assert CANARY not in everything()


def test_what_a_client_sends_as_sealed_is_sealed_again(store: SqlStore) -> None:
    text = new_seal_key().seal("x", b"")
    assert is_sealed(text)
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c", client_id="c", secret=text))
    with store.read() as read:
        assert read.get(CLIENTS, "r1", "c") == ClientRepresentation(id="c", client_id="c", secret=text)


def test_every_write_seals_anew(store: SqlStore, stored_text: Callable[[str, str], str]) -> None:
    client = ClientRepresentation(id="c", client_id="c", secret=CANARY)
    with store.write() as write:
        write.insert(CLIENTS, "r1", client)
    first = stored_text("client", "c")
    with store.write() as write:
        write.update(CLIENTS, "r1", client)
    assert stored_text("client", "c") != first


def test_a_sealed_text_of_another_document_is_refused(
    store: SqlStore, stored_text: Callable[[str, str], str], alter: Callable[[str, str, str], None]
) -> None:
    with store.write() as write:
        for name in ("a", "b"):
            write.insert(CLIENTS, "r1", ClientRepresentation(id=name, client_id=name, secret=f"{CANARY}-{name}"))
    alter("client", "b", stored_text("client", "a"))
    with pytest.raises(Unavailable) as caught, store.read() as read:
        read.get(CLIENTS, "r1", "b")
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_put_there_in_the_clear_is_refused(store: SqlStore, alter: Callable[[str, str, str], None]) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="a", client_id="a", secret=CANARY))
    alter("client", "a", '{"id":"a","clientId":"a","secret":"mine"}')
    with pytest.raises(Unavailable), store.read() as read:
        read.get(CLIENTS, "r1", "a")


def test_resealing_moves_every_secret_to_the_new_key(
    filled: SqlStore,
    tmp_path: Path,
    open_again: Callable[[], SqlStore],
    stored_text: Callable[[str, str], str],
    everything: Callable[[], str],
) -> None:
    old = SealKeys(tmp_path).of_empty_database()
    new = SealKeys(tmp_path).replace(filled)
    assert new.id != old.id
    with filled.read() as read:
        assert [read.find(collection, "r1") for collection, _ in DOCUMENTS] == [document for _, document in DOCUMENTS]
        assert read.revision == 1
    filled.close()
    with open_again().read() as read:
        assert [read.find(collection, "r1") for collection, _ in DOCUMENTS] == [document for _, document in DOCUMENTS]
    for collection, document in DOCUMENTS:
        assert f".{new.id}." in stored_text(collection.name, document.id)
    assert f".{old.id}." not in everything()


def test_a_crash_before_resealing_leaves_the_old_key(
    filled: SqlStore, tmp_path: Path, open_again: Callable[[], SqlStore]
) -> None:
    class Crash(Exception):
        pass

    class Crashing:
        def reseal(self, new: SealKey) -> None:
            raise Crash

    with pytest.raises(Crash):
        SealKeys(tmp_path).replace(Crashing())
    assert (tmp_path / "seal.key.new").exists()
    filled.close()
    with open_again().read() as read:
        assert read.get(CLIENTS, "r1", "c") == DOCUMENTS[0][1]
    assert not (tmp_path / "seal.key.new").exists()


def test_a_crash_after_resealing_goes_on_with_the_new_key(
    filled: SqlStore, tmp_path: Path, open_again: Callable[[], SqlStore]
) -> None:
    before = (tmp_path / "seal.key").read_bytes()
    new = SealKeys(tmp_path).replace(filled)
    (tmp_path / "seal.key").rename(tmp_path / "seal.key.new")
    (tmp_path / "seal.key").write_bytes(before)
    filled.close()
    with open_again().read() as read:
        assert read.get(CLIENTS, "r1", "c") == DOCUMENTS[0][1]
    assert SealKeys(tmp_path).of_database(new.id).id == new.id
    assert not (tmp_path / "seal.key.new").exists()


def test_a_wrong_key_with_the_right_id_is_found_out(
    filled: SqlStore, open_again: Callable[[], SqlStore], run_sql: Callable[[str], None]
) -> None:
    filled.close()
    run_sql("UPDATE meta SET value = replace(value, 'kt1', 'kt2') WHERE name = 'seal_check'")
    with pytest.raises(SealKeyWrong):
        open_again()


def test_what_was_stored_before_it_was_sealed_is_read_and_sealed_when_it_is_written(
    store: SqlStore, alter: Callable[[str, str, str], None], stored_text: Callable[[str, str], str]
) -> None:
    configuration = AuthenticatorConfigRepresentation(alias="a", config={"secret.key": CANARY, "site.key": "s"})
    realm = RealmRepresentation(id="r1", realm="r", authenticator_config=[configuration])
    with store.write() as write:
        write.insert(REALMS, "r1", realm)
    alter("realm", "r1", encode(realm).decode())
    with store.read() as read:
        assert read.get(REALMS, "r1", "r1") == realm
    with store.write() as write:
        write.update(REALMS, "r1", replace(realm, display_name="x"))
    assert CANARY not in stored_text("realm", "r1")
