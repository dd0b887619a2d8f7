"""The documents are Keycloak's: what it answers reads and writes back the same."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from keyturn.representations import (
    UNSET,
    ClientRepresentation,
    ClientScopeRepresentation,
    ComponentRepresentation,
    CredentialRepresentation,
    KeysMetadataRepresentation,
    MappingsRepresentation,
    RealmEventsConfigRepresentation,
    RealmRepresentation,
    Representation,
    UserRepresentation,
    decode,
    encode,
    kept_fields,
    merge,
    merge_attributes,
    replace_secrets,
    secret_paths,
)
from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation,
    RequiredActionProviderRepresentation,
)
from keyturn.representations.defaults import FRAGMENTS, Listing, fragment, listing

VECTORS = Path(__file__).parents[2] / "vectors" / "new_realm"


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("realm", RealmRepresentation),
        ("partial-export", RealmRepresentation),
        ("clients", list[ClientRepresentation]),
        ("client", ClientRepresentation),
        ("master-fresh-realm-client", ClientRepresentation),
        ("client-scopes", list[ClientScopeRepresentation]),
        ("components", list[ComponentRepresentation]),
        ("keys", KeysMetadataRepresentation),
        ("events-config", RealmEventsConfigRepresentation),
        ("authentication-flows", list[AuthenticationFlowRepresentation]),
        ("required-actions", list[RequiredActionProviderRepresentation]),
        ("service-account-user", UserRepresentation),
        ("service-account-user-by-id", UserRepresentation),
        ("service-account-role-mappings", MappingsRepresentation),
    ],
)
def test_keycloaks_answer_reads_and_writes_back_the_same(name: str, document: Any) -> None:
    content = (VECTORS / f"{name}.json").read_bytes()
    written = encode(decode(content, document))
    assert json.dumps(json.loads(written)) == json.dumps(json.loads(content))  # the order of fields, too


FIELDS = json.loads((VECTORS.parent / "representation_fields.json").read_bytes())


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_fields_are_keycloaks_in_its_order(name: str) -> None:
    documents = {each.__name__: each for each in _subclasses(Representation)}
    assert list(documents[name].__struct_encode_fields__) == FIELDS[name]


def _subclasses(of: type[Representation]) -> list[type[Representation]]:
    return [each for direct in of.__subclasses__() for each in (direct, *_subclasses(direct))]


def test_a_secret_never_shows_in_a_repr() -> None:
    client = ClientRepresentation(client_id="c", secret="hush", attributes={"client.secret.rotated": "hush", "a": "b"})
    user = UserRepresentation(username="u", credentials=[CredentialRepresentation(secret_data="hush", value="hush")])
    component = ComponentRepresentation(name="k", config={"privateKey": ["hush"], "priority": ["100"]})
    realm = RealmRepresentation(realm="r", smtp_server={"password": "hush"}, clients=[client], users=[user])
    for document in (client, user, component, realm):
        assert "hush" not in f"{document!r} {document}"
    assert repr(client) == (
        "ClientRepresentation(client_id='c', secret='…', attributes={'client.secret.rotated': '…', 'a': 'b'})"
    )
    assert "'priority': ['100']" in repr(component)


def test_secret_paths_name_each_place_of_a_secret() -> None:
    assert ("secret",) in secret_paths(ClientRepresentation)
    assert ("config", "privateKey") in secret_paths(ComponentRepresentation)
    assert ("credentials", "*", "secretData") in secret_paths(UserRepresentation)
    assert ("components", "*", "*", "config", "privateKey") in secret_paths(RealmRepresentation)
    assert ("smtpServer", "password") in secret_paths(RealmRepresentation)


def test_secrets_are_replaced_wherever_they_are_and_the_original_stays() -> None:
    content = b"""{"smtpServer": {"password": "a", "host": "h"}, "clients": [{"clientId": "c", "secret": "b"}],
        "components": {"p": [{"config": {"secret": ["c", "d"]},
            "subComponents": {"q": [{"config": {"secret": ["e"]}}]}}]}
    }"""
    realm = decode(content, RealmRepresentation)
    seen: dict[tuple[str, ...], str] = {}

    def swap(path: tuple[str, ...], text: str) -> str:
        seen[path] = text
        return text.upper()

    replaced = replace_secrets(realm, swap)
    assert seen == {
        ("smtpServer", "password"): "a",
        ("clients", "0", "secret"): "b",
        ("components", "p", "0", "config", "secret", "0"): "c",
        ("components", "p", "0", "config", "secret", "1"): "d",
        ("components", "p", "0", "subComponents", "q", "0", "config", "secret", "0"): "e",
    }
    expected = json.loads(content)
    expected["smtpServer"]["password"] = "A"
    expected["clients"][0]["secret"] = "B"
    (component,) = expected["components"]["p"]
    component["config"]["secret"] = ["C", "D"]
    component["subComponents"]["q"][0]["config"]["secret"] = ["E"]
    assert json.loads(encode(replaced)) == expected
    assert encode(realm) == encode(decode(content, RealmRepresentation))


def test_a_put_leaves_absent_and_null_as_they_are_and_replaces_lists() -> None:
    stored = ClientRepresentation(client_id="c", name="n", redirect_uris=["a"])
    change = decode(b'{"name": null, "redirectUris": ["b"], "enabled": false}', ClientRepresentation)
    assert merge(stored, change) == ClientRepresentation(client_id="c", name="n", redirect_uris=["b"], enabled=False)


def test_attributes_are_merged_and_the_empty_ones_removed() -> None:
    assert merge_attributes({"a": "1", "b": "2"}, {"b": "", "c": "3"}) == {"a": "1", "c": "3"}
    assert merge_attributes(UNSET, None) == {}


def test_kept_fields_say_what_would_need_them() -> None:
    assert kept_fields(RealmRepresentation)["rememberMe"] == "login pages"
    assert "enabled" not in kept_fields(RealmRepresentation)


@pytest.mark.parametrize("name", FRAGMENTS)
def test_defaults_have_no_ids_and_no_placeholders_left(name: Any) -> None:
    content = encode(fragment(name, "some-realm"))
    assert b'"id":' not in content
    assert b"{realm}" not in content
    assert b"{lower-case" not in content


@pytest.mark.parametrize("name", get_args(Listing))
def test_listings_give_objects_of_their_own(name: Any) -> None:
    first = listing(name)
    first.clear()
    assert listing(name)
