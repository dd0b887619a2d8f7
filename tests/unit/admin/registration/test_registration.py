"""Dynamic client registration, where its records of Keycloak do not reach: clocks, keys, races, and what is refused."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from admin_server import BASE_URL, Answer, Server
from harness.authority import self_signed
from keyturn.admin.context import Environment
from keyturn.admin.http_message import AdminRequest
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.registration.api import RegistrationApi
from keyturn.events.event import Event
from keyturn.jose import jwt
from keyturn.jose.client_certificate import ClientCertificate, read_certificate
from keyturn.representations import decode, encode
from keyturn.store.collections import CLIENTS, COMPONENTS

DEFAULT = "default"
OPENID_CONNECT = "openid-connect"


@dataclass
class Registration:
    """The registration endpoints of the realm ``demo``, called without HTTP."""

    server: Server
    events: list[Event] = field(default_factory=list)

    def record(self, event: Event) -> None:
        """Keeps an event."""
        self.events.append(event)

    def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        token: str | None = None,
        certificate: ClientCertificate | None = None,
    ) -> Answer:
        """One request; `path` below ``clients-registrations``."""
        server = self.server
        environment = Environment(server.store, server.registry, lambda: server.now, random_id, random_secret, bytes)
        entry = server.registry.load_realm("demo")
        assert entry is not None
        request = AdminRequest(
            method=method,
            path=f"/realms/demo/clients-registrations/{path}",
            query=(),
            headers={} if token is None else {"authorization": f"Bearer {token}"},
            body=b"" if json is None else encode(json),
            base_url=BASE_URL,
            address="192.0.2.7",
            certificate=certificate,
        )
        response = RegistrationApi(environment, self).handle(request, entry.realm)
        body = decode(response.body, Any) if response.body else None
        return Answer(response.status, dict(response.headers), body)

    def initial_token(self, **fields: int) -> str:
        """A fresh initial access token."""
        answer = self.server.call("POST", "/demo/clients-initial-access", fields or {"count": 1})
        assert answer.status == 201, answer
        return str(answer.body["token"])

    def register(self, **client: Any) -> Any:
        """A new client, as it is answered."""
        answer = self.call("POST", DEFAULT, {"clientId": random_id(), **client}, self.initial_token())
        assert answer.status == 201, answer
        return answer.body


@pytest.fixture
def registration(shared_server: Server) -> Iterator[Registration]:
    now = shared_server.now
    yield Registration(shared_server)
    shared_server.now = now


def test_an_initial_access_token_counts_up_to_its_second(registration: Registration) -> None:
    token = registration.initial_token(expiration=60, count=9)
    registration.server.now += 59
    assert registration.call("POST", DEFAULT, {"clientId": random_id()}, token).status == 201
    registration.server.now += 1
    answer = registration.call("POST", DEFAULT, {"clientId": random_id()}, token)
    assert (answer.status, answer.body["error"]) == (401, "invalid_token")


def test_of_two_registrations_at_once_an_initial_access_token_for_one_allows_one(registration: Registration) -> None:
    token, statuses = registration.initial_token(count=1), []

    def register() -> None:
        statuses.append(registration.call("POST", DEFAULT, {"clientId": random_id()}, token).status)

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 401, 401, 401]


def test_an_access_token_is_no_registration_access_token_whatever_it_says_of_itself(registration: Registration) -> None:
    made = registration.register()
    token_id = jwt.parse(made["registrationAccessToken"]).claims["jti"]
    forged = registration.server.holder_of(typ="RegistrationAccessToken", jti=token_id)
    answer = registration.call("GET", f"{DEFAULT}/{made['clientId']}", token=forged)
    assert (answer.status, answer.body["error_description"]) == (401, "Failed decode token")


def says(*roles: str) -> dict[str, Any]:
    """The claims of a token that says these management roles."""
    return {"resource_access": {"realm-management": {"roles": list(roles)}}, "jti": f"onrtro:{random_id()}"}


@pytest.mark.parametrize("cnf", [{"jkt": "thumbprint"}, {"x5t#S256": "thumbprint"}, "thumbprint"], ids=str)
def test_a_token_that_is_bound_to_something_registers_nothing(registration: Registration, cnf: Any) -> None:
    token = registration.server.holder_of("create-client", **says("create-client"), cnf=cnf)
    assert registration.call("POST", DEFAULT, {"clientId": random_id()}, token).status == 401


def test_a_token_that_is_bound_to_a_certificate_registers_with_it(registration: Registration) -> None:
    shown, other = (read_certificate(self_signed(name).der) for name in ("one", "another"))
    cnf = {"x5t#S256": shown.thumbprint}
    token = registration.server.holder_of("create-client", **says("create-client"), cnf=cnf)
    for certificate, status in ((None, 401), (other, 401), (shown, 201)):
        answer = registration.call("POST", DEFAULT, {"clientId": random_id()}, token, certificate)
        assert answer.status == status


def test_a_client_registers_certificates_of_its_own(registration: Registration) -> None:
    metadata = {
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "grant_types": ["client_credentials"],
        "jwks_uri": "https://client.example/jwks",
    }
    made = registration.call("POST", OPENID_CONNECT, metadata, registration.initial_token()).body
    assert made["token_endpoint_auth_method"] == "self_signed_tls_client_auth"
    assert "client_secret" not in made
    path, token = f"{OPENID_CONNECT}/{made['client_id']}", made["registration_access_token"]
    assert (
        registration.call("GET", path, token=token).body["token_endpoint_auth_method"] == "self_signed_tls_client_auth"
    )
    without = {name: value for name, value in metadata.items() if name != "jwks_uri"}
    refused = registration.call("POST", OPENID_CONNECT, without, registration.initial_token())
    assert (refused.status, refused.body["error"]) == (400, "invalid_client_metadata")


def test_a_client_registers_a_name_beside_its_subject(registration: Registration) -> None:
    names = {
        "tls_client_auth_san_dns": "backend.example.org",
        "tls_client_auth_san_uri": "spiffe://example.org/backend",
        "tls_client_auth_san_ip": "2001:db8::7",
        "tls_client_auth_san_email": "backend@example.org",
    }
    metadata = {"token_endpoint_auth_method": "tls_client_auth", "grant_types": ["client_credentials"], **names}
    made = registration.call("POST", OPENID_CONNECT, metadata, registration.initial_token()).body
    assert made | metadata == made
    clients = registration.server.call("GET", "/demo/clients").body
    (client,) = [each for each in clients if each["clientId"] == made["client_id"]]
    assert client["clientAuthenticatorType"] == "client-x509"
    assert client["attributes"]["keyturn.x509.san.uri"] == "spiffe://example.org/backend"
    assert "keyturn.x509.self.signed" not in client["attributes"]


def test_a_client_whose_roles_are_rights_is_not_changed_or_removed(registration: Registration) -> None:
    token = registration.server.holder_of("manage-clients", **says("manage-clients"))
    change = {"clientId": "realm-management", "name": "mine"}
    assert registration.call("PUT", f"{DEFAULT}/realm-management", change, token).status == 403
    assert registration.call("DELETE", f"{DEFAULT}/realm-management", token=token).status == 403


def test_registration_gives_nobody_a_right_by_default(registration: Registration) -> None:
    server, made = registration.server, registration.register(defaultRoles=["plain"])
    client_id, roles = made["clientId"], f"/demo/clients/{made['id']}/roles"
    assert server.call("POST", roles, {"name": "ops"}).status == 201
    (management,) = [
        each["id"] for each in server.call("GET", "/demo/clients").body if each["clientId"] == "realm-management"
    ]
    right = server.call("GET", f"/demo/clients/{management}/roles/manage-realm").body
    assert server.call("POST", f"{roles}/ops/composites", [right]).status == 204
    by_manager = server.holder_of("manage-clients", **says("manage-clients"))
    for token in (by_manager, made["registrationAccessToken"]):
        change = {"clientId": client_id, "defaultRoles": ["plain", "ops"]}
        assert registration.call("PUT", f"{DEFAULT}/{client_id}", change, token).status == 403
        seen = registration.call("GET", f"{DEFAULT}/{client_id}", token=made["registrationAccessToken"])
        assert seen.body["defaultRoles"] == ["plain"]
    change = {"clientId": client_id, "defaultRoles": ["plain", "fresh"]}
    answer = registration.call("PUT", f"{DEFAULT}/{client_id}", change, by_manager)
    assert sorted(answer.body["defaultRoles"]) == ["fresh", "plain"]


@pytest.mark.parametrize("key", [{"kty": ["RSA"]}, {"kty": {}}, {"kty": None}, {"kty": "RSA", "n": [], "e": 3}])
def test_a_key_that_is_none_is_refused(registration: Registration, key: dict[str, Any]) -> None:
    document = {"jwks": {"keys": [{"use": "sig", **key}]}, "token_endpoint_auth_method": "private_key_jwt"}
    assert registration.call("POST", OPENID_CONNECT, document, registration.initial_token()).status == 400


def test_a_role_counts_only_where_the_token_says_it(registration: Registration) -> None:
    server = registration.server
    user_id = str(jwt.parse(server.holder_of("create-client")).claims["sid"]).removeprefix("login-")
    silent = server.token("demo", user_id, sub=user_id, **says("view-clients"))
    speaking = server.token("demo", user_id, sub=user_id, **says("create-client"))
    boasting = server.holder_of(**says("create-client"))
    statuses = [
        registration.call("POST", DEFAULT, {"clientId": random_id()}, token).status
        for token in (silent, speaking, boasting)
    ]
    assert statuses == [403, 201, 403]


@pytest.mark.parametrize("change", [{"notBefore": 2_000_000_000}, {"enabled": False}])
def test_a_token_of_a_client_that_is_stopped_registers_nothing(
    registration: Registration, change: dict[str, Any]
) -> None:
    server = registration.server
    made = registration.register(publicClient=True, fullScopeAllowed=True)
    token = server.holder_of("create-client", azp=made["clientId"], **says("create-client"))
    with server.store.write() as tx:
        client = tx.find(CLIENTS, _realm_id(server), client_id=made["clientId"])
        assert client is not None
        fields = {"not_before": change["notBefore"]} if "notBefore" in change else {"enabled": False}
        tx.update(CLIENTS, _realm_id(server), replace(client, **fields))
    answer = registration.call("POST", DEFAULT, {"clientId": random_id()}, token)
    assert (answer.status, answer.body["error"]) == (403, "insufficient_scope")


def _realm_id(server: Server) -> str:
    entry = server.registry.load_realm("demo")
    assert entry is not None
    return entry.realm.id


def test_private_keys_are_refused_and_nothing_is_stored(registration: Registration) -> None:
    key = {"kty": "EC", "use": "sig", "crv": "P-256", "x": "AQAB", "y": "AQAB", "d": "c2VjcmV0"}
    token = registration.initial_token()
    before = len(registration.server.call("GET", "/demo/clients").body)
    answer = registration.call("POST", OPENID_CONNECT, {"jwks": {"keys": [key]}}, token)
    assert (answer.status, answer.body["error"]) == (400, "invalid_client_metadata")
    assert len(registration.server.call("GET", "/demo/clients").body) == before
    assert registration.call("POST", OPENID_CONNECT, {}, token).status == 201


def test_what_is_stored_of_a_registration_access_token_is_never_answered(registration: Registration) -> None:
    made = registration.register()
    token_id = jwt.parse(made["registrationAccessToken"]).claims["jti"]
    paths = ("/demo/clients", f"/demo/clients/{made['id']}", "/demo/partial-export?exportClients=true")
    for path, _, query in (path.partition("?") for path in paths):
        answer = registration.server.call("POST" if query else "GET", path, query=query)
        assert answer.status == 200
        assert made["clientId"] in encode(answer.body).decode()
        assert token_id not in encode(answer.body).decode()
        assert "registrationAccessToken" not in encode(answer.body).decode()


def test_an_administrator_that_writes_a_client_back_leaves_its_token_as_it_is(registration: Registration) -> None:
    made = registration.register()
    document = registration.server.call("GET", f"/demo/clients/{made['id']}").body
    change = {**document, "registrationAccessToken": "mine", "name": "changed"}
    assert registration.server.call("PUT", f"/demo/clients/{made['id']}", change).status == 204
    read = registration.call("GET", f"{DEFAULT}/{made['clientId']}", token=made["registrationAccessToken"])
    assert (read.status, read.body["name"]) == (200, "changed")


def test_a_new_key_signs_a_token_that_is_read_with_an_old_one(registration: Registration) -> None:
    made = registration.register()
    old = jwt.parse(made["registrationAccessToken"])
    component = {
        "name": "newer",
        "providerId": "hmac-generated",
        "providerType": "org.keycloak.keys.KeyProvider",
        "config": {"priority": ["500"], "algorithm": ["HS512"]},
    }
    assert registration.server.call("POST", "/demo/components", component).status == 201
    path = f"{DEFAULT}/{made['clientId']}"
    answer = registration.call("GET", path, token=made["registrationAccessToken"])
    new = jwt.parse(answer.body["registrationAccessToken"])
    assert new.kid != old.kid
    assert new.claims["jti"] == old.claims["jti"]
    assert registration.call("GET", path, token=answer.body["registrationAccessToken"]).status == 200


def test_a_realm_without_a_key_gets_one(server: Server) -> None:
    registration = Registration(server)
    with server.store.write() as tx:
        for component in tx.select(COMPONENTS, _realm_id(server)):
            if component.provider_id == "hmac-generated":
                tx.delete(COMPONENTS, _realm_id(server), str(component.id))
    made = registration.register()
    read = registration.call("GET", f"{DEFAULT}/{made['clientId']}", token=made["registrationAccessToken"])
    assert read.status == 200


def test_the_client_that_is_named_by_no_id_keeps_its_scopes(registration: Registration) -> None:
    """Keycloak fails here: it looks for the client by its id."""
    made = registration.register(defaultClientScopes=["profile"], optionalClientScopes=["email", "phone"])
    change = {"client_id": made["clientId"], "scope": "email"}
    path = f"{OPENID_CONNECT}/{made['clientId']}"
    answer = registration.call("PUT", path, change, made["registrationAccessToken"])
    assert (answer.status, answer.body["scope"]) == (200, "email")
    assert registration.server.call("GET", f"/demo/clients/{made['id']}").body["defaultClientScopes"] == ["profile"]


def test_what_only_this_server_says_of_a_client_is_not_taken(registration: Registration) -> None:
    made = registration.register(attributes={"keyturn.tokensIssued": "9", "mine": "1"})
    assert made["attributes"].keys() & {"keyturn.tokensIssued", "mine"} == {"mine"}


def test_events_tell_of_the_client_and_never_of_the_token(registration: Registration) -> None:
    made = registration.register()
    registration.call("GET", f"{DEFAULT}/{made['clientId']}", token="nonsense")
    registered, refused = registration.events
    assert (registered.type, registered.client_id) == ("CLIENT_REGISTER", made["clientId"])
    assert (refused.type, refused.error) == ("CLIENT_INFO_ERROR", "invalid_token")
    assert refused.details == {"reason": "Failed decode token"}
    assert made["registrationAccessToken"] not in repr(registration.events)
