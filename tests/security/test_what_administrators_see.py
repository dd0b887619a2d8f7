"""Who may read a document does not read what is secret in it, but for client secrets, which Keycloak shows as well."""

import pytest

from harness.deployment import Deployment

HASHED = ("secretData", "hashedSaltedValue", "salt")


def reader(server: Deployment, *roles: str) -> str:
    server.person("reader", "password", *roles)
    return str(server.login("reader", "password")["access_token"])


def test_nobody_sees_a_password_or_its_hash(server: Deployment) -> None:
    user = server.person("ada", "password of ada")
    for path in (f"/users/{user}", "/users?username=ada&briefRepresentation=false", f"/users/{user}/credentials"):
        answer = server.admin("GET", f"/demo{path}")
        assert answer.status_code == 200
        assert "password of ada" not in answer.text
        for name in HASHED:
            assert name not in answer.text, path


def test_nobody_sees_a_private_key(server: Deployment) -> None:
    components = server.admin("GET", "/demo/components?type=org.keycloak.keys.KeyProvider").json()
    assert {component["providerId"] for component in components} >= {"rsa-generated", "hmac-generated"}
    for component in components:
        one = server.admin("GET", f"/demo/components/{component['id']}").json()
        for config in (component.get("config", {}), one.get("config", {})):
            for name in ("privateKey", "secret", "ecdsaPrivateKey", "eddsaPrivateKey"):
                assert config.get(name, ["**********"]) == ["**********"]
    assert "private" not in server.admin("GET", "/demo/keys").text.lower()


def test_nobody_sees_the_password_of_the_mail_server(server: Deployment) -> None:
    smtp = {"host": "localhost", "from": "a@example.com", "auth": "true", "user": "u", "password": "password of mail"}
    assert server.admin("PUT", "/demo", {"smtpServer": smtp}).status_code == 204
    answer = server.admin("GET", "/demo")
    assert answer.json()["smtpServer"]["password"] == "**********"
    assert server.admin("PUT", "/demo", {"smtpServer": answer.json()["smtpServer"]}).status_code == 204
    assert "password of mail" not in server.admin("GET", "").text


@pytest.mark.parametrize("role", ["view-realm", "view-users", "query-clients", "query-users", "view-events"])
def test_a_clients_secret_is_for_who_may_view_clients(server: Deployment, role: str) -> None:
    uuid = server.client("app", "secret of app")
    token = reader(server, role)
    for path in ("/clients", f"/clients/{uuid}", f"/clients/{uuid}/client-secret", "", "/users", "/admin-events"):
        assert "secret of app" not in server.admin("GET", f"/demo{path}", token=token).text


@pytest.mark.parametrize("path", ["", "/clients", "/users", "/components", "/keys", "/serverinfo"])
def test_a_stranger_sees_nothing(server: Deployment, path: str) -> None:
    where = "/admin/serverinfo" if path == "/serverinfo" else f"/admin/realms/demo{path}"
    assert server.request("GET", where).status_code == 401
    server.client("nobody", "secret")
    headers = {"authorization": f"Bearer {server.client_token('nobody', 'secret')}"}
    assert server.request("GET", where, headers=headers).status_code == 403


def test_large_documents_are_for_administrators(server: Deployment) -> None:
    """Memory is not for whoever has no token: a large body is refused before it is read."""
    large = {"content-type": "application/json"}
    body = b'{"clientId":"' + b"a" * (2 * 1024 * 1024) + b'"}'
    refused = server.request("POST", "/admin/realms/demo/clients", content=body, headers=large)
    assert (refused.status_code, refused.json()) == (401, {"error": "HTTP 401 Unauthorized"})
    allowed = server.admin("POST", "/demo/clients", headers=large, content=body)
    assert allowed.status_code == 400
