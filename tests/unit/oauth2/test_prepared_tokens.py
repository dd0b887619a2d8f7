"""What is kept ready stays within bounds, whatever clients do."""

from dataclasses import replace

import pytest

from harness.realm import RealmUnderTest
from keyturn.model.client import Client
from keyturn.oauth2 import prepared_tokens
from keyturn.oauth2.access_token import Prepared
from keyturn.oauth2.prepared_tokens import PreparedTokens


@pytest.fixture
def clients(realm: RealmUnderTest) -> list[Client]:
    loaded = []
    for number in range(10):
        realm.add_client(client_id=f"svc-{number}", secret="s3cret")
        client = realm.registry.load_client(realm.name, f"svc-{number}")
        assert client is not None
        loaded.append(client)
    return loaded


@pytest.fixture
def prepared(realm: RealmUnderTest) -> Prepared:
    key = realm.entry.realm.keys.signing["RS256"]
    return Prepared(header=b"", claims=b"", key=key, answer_end=b"", lifespan=1)


def test_of_all_clients_no_more_is_kept_than_allowed(
    clients: list[Client], prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_tokens, "MAXIMUM_OF_ALL", 100)
    tokens = PreparedTokens()
    for number in range(1000):
        tokens.keep(clients[number % 10], (number,), prepared)
        beside_the_first = sum(max(0, len(client.prepared) // 2 - 1) for client in clients)
        assert beside_the_first <= 100
    assert tokens.get(clients[9], (999,)) is prepared


def test_what_went_with_its_client_is_not_counted_for_ever(
    clients: list[Client], prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_tokens, "MAXIMUM_OF_ALL", 20)
    tokens = PreparedTokens()
    for key in ("kept", "kept, too"):
        tokens.keep(clients[0], (key,), prepared)
    for number in range(50):
        compiled_anew = replace(clients[1], prepared=[])
        for address in range(2):
            tokens.keep(compiled_anew, (number, address), prepared)
    assert tokens.get(clients[0], ("kept, too",)) is prepared
