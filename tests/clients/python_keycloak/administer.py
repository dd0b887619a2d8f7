"""Administers a realm with python-keycloak, and gets, checks and ends tokens with it; then a part of it asynchronously.

See the package for what it is given. An answer that is not Keycloak's ends it with a traceback.
"""

import asyncio
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keycloak import KeycloakAdmin, KeycloakOpenID, KeycloakOpenIDConnection, KeycloakUMA
from keycloak.exceptions import (
    KeycloakAuthenticationError,
    KeycloakDeleteError,
    KeycloakGetError,
    KeycloakPostError,
)

URL = os.environ["KEYCLOAK_URL"]
VERIFY: Any = os.environ.get("KEYCLOAK_CA") or True
REALM = f"python-keycloak-{uuid.uuid4().hex[:8]}"


def administrator(realm: str) -> KeycloakAdmin:
    """Somebody who administers `realm`, as an administrator of the realm master."""
    connection = KeycloakOpenIDConnection(
        server_url=f"{URL}/",
        username=os.environ["KEYCLOAK_USERNAME"],
        password=os.environ["KEYCLOAK_PASSWORD"],
        realm_name=realm,
        user_realm_name="master",
        verify=VERIFY,
    )
    return KeycloakAdmin(connection=connection)


def openid(client_id: str, secret: str) -> KeycloakOpenID:
    return KeycloakOpenID(f"{URL}/", REALM, client_id, client_secret_key=secret, verify=VERIFY)


@contextmanager
def refused(error: type[Exception], status: int) -> Iterator[None]:
    """What is done within is refused with this status."""
    try:
        yield
    except error as refusal:
        if getattr(refusal, "response_code", None) != status:
            raise
    else:
        raise AssertionError(f"not refused with {status}")


def realms(admin: KeycloakAdmin) -> None:
    admin.update_realm(REALM, {"accessTokenLifespan": 90, "attributes": {"team": "payments"}})
    realm = admin.get_realm(REALM)
    assert realm["accessTokenLifespan"] == 90
    assert realm["attributes"]["team"] == "payments"
    assert REALM in [each["realm"] for each in admin.get_realms()]
    assert admin.get_server_info()["systemInfo"]["version"].startswith("26.")
    assert {key["algorithm"] for key in admin.get_keys()["keys"]} >= {"RS256", "HS512"}
    with refused(KeycloakPostError, 409):
        admin.create_realm({"realm": REALM})
    assert admin.export_realm(export_clients=True, export_groups_and_role=True)["realm"] == REALM
    imported = admin.partial_import_realm(REALM, {"ifResourceExists": "SKIP", "users": [{"username": "imported"}]})
    assert imported["added"] == 1


def roles(admin: KeycloakAdmin) -> None:
    admin.create_realm_role({"name": "reader", "attributes": {"level": ["1"]}})
    admin.create_realm_role({"name": "writer"})
    with refused(KeycloakPostError, 409):
        admin.create_realm_role({"name": "reader"})
    assert admin.create_realm_role({"name": "reader"}, skip_exists=True) == "reader"
    admin.add_composite_realm_roles_to_role("writer", [admin.get_realm_role("reader")])
    assert [role["name"] for role in admin.get_composite_realm_roles_of_role("writer")] == ["reader"]
    admin.update_realm_role("reader", {"name": "reader", "description": "reads"})
    assert admin.get_realm_role("reader")["description"] == "reads"
    role = admin.get_realm_role_by_id(admin.get_realm_role("writer")["id"])
    assert role["composite"] is True
    with refused(KeycloakGetError, 404):
        admin.get_realm_role("nobody")


def clients(admin: KeycloakAdmin) -> str:
    client: str = admin.create_client(
        {
            "clientId": "orders",
            "secret": "orders' secret",
            "serviceAccountsEnabled": True,
            "directAccessGrantsEnabled": True,
        }
    )
    with refused(KeycloakPostError, 409):
        admin.create_client({"clientId": "orders"})
    assert admin.get_client_id("orders") == client
    admin.update_client(client, {"attributes": {"access.token.lifespan": "60"}})
    assert admin.get_client(client)["attributes"]["access.token.lifespan"] == "60"
    admin.create_client_role(client, {"name": "approve"})
    approve = admin.get_client_role(client, "approve")
    account = admin.get_client_service_account_user(client)
    admin.assign_client_role(account["id"], client, [approve])
    admin.assign_realm_roles(account["id"], [admin.get_realm_role("writer")])
    assert [role["name"] for role in admin.get_client_roles_of_user(account["id"], client)] == ["approve"]
    composite = admin.get_composite_realm_roles_of_user(account["id"])
    assert {"reader", "writer"} <= {role["name"] for role in composite}
    assert admin.get_client_secrets(client)["value"] == "orders' secret"
    admin.add_mapper_to_client(
        client,
        {
            "name": "tenant",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-hardcoded-claim-mapper",
            "config": {"claim.name": "tenant", "claim.value": "acme", "access.token.claim": "true"},
        },
    )
    assert "tenant" in [mapper["name"] for mapper in admin.get_mappers_from_client(client)]
    return client


def client_scopes(admin: KeycloakAdmin, client: str) -> None:
    scope = admin.create_client_scope({"name": "invoices", "protocol": "openid-connect"})
    audience = {"included.custom.audience": "invoices", "access.token.claim": "true"}
    admin.add_mapper_to_client_scope(
        scope,
        {"name": "to", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper", "config": audience},
    )
    admin.add_client_optional_client_scope(client, scope, {"realm": REALM, "client": client, "clientScopeId": scope})
    assert "invoices" in [each["name"] for each in admin.get_client_optional_client_scopes(client)]
    found = admin.get_client_scope_by_name("invoices")
    assert found is not None
    assert found["id"] == scope
    admin.add_default_optional_client_scope(scope)
    assert scope in [each["id"] for each in admin.get_default_optional_client_scopes()]


def users_and_groups(admin: KeycloakAdmin) -> str:
    parent = admin.create_group({"name": "staff"})
    assert parent is not None
    child = admin.create_group({"name": "clerks"}, parent=parent)
    assert child is not None
    user: str = admin.create_user(
        {
            "username": "alice",
            "email": "alice@example.org",
            "firstName": "Alice",
            "lastName": "Archer",
            "enabled": True,
            "credentials": [{"type": "password", "value": "alice's password"}],
        }
    )
    assert admin.create_user({"username": "alice"}, exist_ok=True) == user
    with refused(KeycloakPostError, 409):
        admin.create_user({"username": "alice"})
    admin.group_user_add(user, child)
    assert [member["username"] for member in admin.get_group_members(child)] == ["alice"]
    assert admin.get_group_by_path("/staff/clerks")["id"] == child
    assert [group["path"] for group in admin.get_user_groups(user)] == ["/staff/clerks"]
    admin.assign_group_realm_roles(parent, [admin.get_realm_role("reader")])
    assert [role["name"] for role in admin.get_group_realm_roles(parent)] == ["reader"]
    assert admin.get_user_id("alice") == user
    assert admin.users_count({"search": "alice"}) == 1
    assert [found["username"] for found in admin.get_users({"search": "alice"})] == ["alice"]
    admin.set_user_password(user, "another password", temporary=False)
    assert [credential["type"] for credential in admin.get_credentials(user)] == ["password"]
    return user


def tokens(admin: KeycloakAdmin, user: str) -> None:
    orders = openid("orders", "orders' secret")
    assert orders.well_known()["token_endpoint"].endswith("/protocol/openid-connect/token")
    granted = orders.token(grant_type="client_credentials", scope="invoices")
    assert "refresh_token" not in granted
    claims = orders.decode_token(granted["access_token"])
    assert claims["azp"] == "orders"
    assert claims["tenant"] == "acme"
    assert "invoices" in claims["aud"]
    assert {"reader", "writer"} <= set(claims["realm_access"]["roles"])
    assert claims["resource_access"]["orders"]["roles"] == ["approve"]
    assert orders.introspect("no token") == {"active": False}
    with refused(KeycloakAuthenticationError, 401):
        openid("orders", "wrong").token(grant_type="client_credentials")

    session = orders.token("alice", "another password", scope="openid")
    userinfo = orders.userinfo(session["access_token"])
    assert isinstance(userinfo, dict)
    assert userinfo["email"] == "alice@example.org"
    refreshed = orders.refresh_token(session["refresh_token"])
    assert len(admin.get_sessions(user)) == 1
    orders.logout(refreshed["refresh_token"])
    assert admin.get_sessions(user) == []
    with refused(KeycloakPostError, 400):
        orders.refresh_token(refreshed["refresh_token"])

    client = admin.get_client_id("orders")
    assert client is not None
    secret = admin.generate_client_secrets(client)["value"]
    with refused(KeycloakAuthenticationError, 401):
        orders.token(grant_type="client_credentials")
    assert openid("orders", secret).token(grant_type="client_credentials")["expires_in"] == 60


def authorization_is_not_there() -> None:
    """Of UMA, as much as there is without a resource server: discovery, and refusals that can be understood."""
    connection = KeycloakOpenIDConnection(
        server_url=f"{URL}/",
        grant_type="client_credentials",
        realm_name=REALM,
        client_id="registered",
        client_secret_key="registered secret",
        verify=VERIFY,
    )
    uma = KeycloakUMA(connection=connection)
    assert uma.uma_well_known["resource_registration_endpoint"].endswith("/authz/protection/resource_set")


def registration(admin: KeycloakAdmin) -> None:
    # The library's own method expects a 200, which Keycloak answered once, and its 201 to be an error.
    answer = admin.connection.raw_post(f"admin/realms/{REALM}/clients-initial-access", data='{"count": 1}')
    initial = answer.json()
    asking = openid("orders", "")
    registered = asking.register_client(initial["token"], {"clientId": "registered", "secret": "registered secret"})
    changed = {**registered, "serviceAccountsEnabled": True}
    again = asking.update_client(registered["registrationAccessToken"], "registered", changed)
    assert again["serviceAccountsEnabled"] is True
    with refused(KeycloakAuthenticationError, 401):
        asking.register_client(initial["token"], {"clientId": "another"})


def components_and_events(admin: KeycloakAdmin) -> None:
    component = admin.create_component(
        {
            "name": "elliptic",
            "providerId": "ecdsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["200"], "ecdsaEllipticCurveKey": ["P-256"]},
        }
    )
    assert admin.get_component(component)["name"] == "elliptic"
    assert "ES256" in admin.get_keys()["active"]
    admin.delete_component(component)
    with refused(KeycloakGetError, 404):
        admin.get_component(component)
    assert "clients" in [flow["alias"] for flow in admin.get_authentication_flows()]
    assert admin.get_required_action_by_alias("UPDATE_PASSWORD") is not None
    admin.set_events({"adminEventsEnabled": True, "eventsEnabled": True})
    admin.create_realm_role({"name": "seen"})
    assert [event["operationType"] for event in admin.get_admin_events({"resourceTypes": "REALM_ROLE"})] == ["CREATE"]
    admin.create_idp({"alias": "elsewhere", "providerId": "oidc", "config": {"clientId": "a", "issuer": "https://b"}})
    assert admin.get_idp("elsewhere")["providerId"] == "oidc"
    admin.delete_idp("elsewhere")


def ends(admin: KeycloakAdmin, client: str) -> None:
    admin.delete_client(client)
    with refused(KeycloakDeleteError, 404):
        admin.delete_client(client)


async def asynchronously(admin: KeycloakAdmin) -> None:
    client = await admin.a_create_client(
        {"clientId": "shipping", "secret": "shipping's secret", "serviceAccountsEnabled": True}
    )
    await asyncio.gather(*(admin.a_create_realm_role({"name": f"role-{number}"}) for number in range(10)))
    names = {role["name"] for role in await admin.a_get_realm_roles()}
    assert {f"role-{number}" for number in range(10)} <= names
    shipping = openid("shipping", "shipping's secret")
    granted = await shipping.a_token(grant_type="client_credentials")
    claims = await shipping.a_decode_token(granted["access_token"])
    assert claims["clientHost"]
    assert (await shipping.a_introspect(granted["access_token"]))["active"] is False
    await admin.a_delete_client(client)


def main() -> None:
    master = administrator("master")
    master.create_realm({"realm": REALM, "enabled": True})
    try:
        admin = administrator(REALM)
        realms(admin)
        roles(admin)
        client = clients(admin)
        client_scopes(admin, client)
        user = users_and_groups(admin)
        tokens(admin, user)
        registration(admin)
        authorization_is_not_there()
        components_and_events(admin)
        ends(admin, client)
        asyncio.run(asynchronously(administrator(REALM)))
    finally:
        master.delete_realm(REALM)
    with refused(KeycloakGetError, 404):
        openid("orders", "").well_known()


if __name__ == "__main__":
    main()
