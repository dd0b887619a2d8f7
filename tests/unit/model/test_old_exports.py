"""Exports of older versions become realms of today."""

from typing import Any

import msgspec
import pytest

from harness.realm import NOW, new_id
from keyturn.model.made_realm import NewRealm, UnreadableForm
from keyturn.model.new_realm import InvalidImport, new_realm
from keyturn.representations import RealmRepresentation, given


def made(**fields: Any) -> NewRealm:
    source = msgspec.convert({"realm": "old", **fields}, RealmRepresentation)
    return new_realm(source, new_id=new_id, new_secret=new_id, now_ms=NOW * 1000)


def test_applications_and_oauth_clients_are_clients() -> None:
    realm = made(
        applications=[{"name": "app", "secret": "s", "claims": {"name": True}}],
        oauthClients=[{"name": "people"}],
        clients=[{"clientId": "new"}],
    )
    clients = {client.client_id: client for client in realm.clients}
    assert clients["app"].secret == "s"
    assert clients["app"].full_scope_allowed is True
    assert (clients["people"].consent_required, clients["people"].full_scope_allowed) == (True, False)
    assert "new" in clients


def test_what_is_said_in_both_forms_is_taken_in_todays() -> None:
    realm = made(
        clients=[{"clientId": "app"}],
        roles={"client": {"app": [{"name": "new"}]}, "application": {"app": [{"name": "old"}]}},
        users=[{"username": "ada", "clientRoles": {"app": ["new"]}, "applicationRoles": {"app": ["old"]}}],
    )
    assert [role.name for role in realm.roles if role.name in {"new", "old"}] == ["new"]


def test_roles_of_applications_are_held_and_contained() -> None:
    realm = made(
        applications=[{"name": "app", "defaultRoles": ["made"]}],
        roles={
            "realm": [{"name": "outer", "composites": {"application": {"app": ["one"]}}}],
            "application": {"app": [{"name": "one"}]},
        },
        users=[{"username": "ada", "applicationRoles": {"app": ["one"]}}],
    )
    ids = {role.name: str(role.id) for role in realm.roles}
    ada = next(str(user.id) for user in realm.users if user.username == "ada")
    assert (ids["outer"], ids["one"]) in realm.relations["composite"]
    assert (ids["default-roles-old"], ids["made"]) in realm.relations["composite"]
    assert (ada, ids["one"]) in realm.relations["user_role"]


def test_client_templates_are_client_scopes_of_their_clients() -> None:
    realm = made(
        clientTemplates=[{"name": "my template", "protocol": "openid-connect", "fullScopeAllowed": False}],
        clients=[
            {"clientId": "one", "clientTemplate": "my template"},
            {"clientId": "two", "clientTemplate": "unknown"},
        ],
    )
    scopes = {scope.name: str(scope.id) for scope in realm.client_scopes}
    clients = {client.client_id: str(client.id) for client in realm.clients}
    assert "profile" in scopes, "the usual ones are there, too"
    assigned = realm.relations["client_default_scope"]
    assert (clients["one"], scopes["my_template"]) in assigned
    assert (clients["two"], scopes["my_template"]) not in assigned


def test_the_key_of_a_realm_is_imported_and_no_rsa_key_is_made() -> None:
    realm = made(privateKey="key", certificate="certificate", codeSecret="secret")
    keys = [component for component in realm.components if component.provider_type == "org.keycloak.keys.KeyProvider"]
    assert sorted(str(key.provider_id) for key in keys) == ["aes-generated", "hmac-generated", "rsa", "rsa-enc"]
    assert {given(key.config, {})["privateKey"][0] for key in keys if "privateKey" in given(key.config, {})} == {"key"}
    assert not [name for name in ("private_key", "code_secret") if given(getattr(realm.realm, name), None)]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"applications": [{"name": "app", "color": "red"}]}, UnreadableForm),
        ({"clientTemplates": [{"name": "template", "color": "red"}]}, UnreadableForm),
        ({"clientTemplates": [{"protocol": "openid-connect"}]}, InvalidImport),
    ],
)
def test_refuses_what_was_no_export_then(fields: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        made(**fields)
