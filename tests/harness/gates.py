"""The three doors at which keyturn itself takes access tokens, and a client whose genuine token opens them all."""

from harness.deployment import BASE_URL, Deployment

CLIENT, SECRET = "operator", "operator's secret"

EVERYWHERE = frozenset({"introspection", "userinfo", "admin"})
NOWHERE: frozenset[str] = frozenset()


def add_operator(server: Deployment) -> str:
    """Makes the client in ``demo``: its service account is realm-admin, its tokens are for itself. Its ``id``."""
    audience = {
        "name": "for itself",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": CLIENT, "access.token.claim": "true"},
    }
    uuid = server.client(CLIENT, SECRET, protocolMappers=[audience])
    account = server.admin("GET", f"/demo/clients/{uuid}/service-account-user").json()["id"]
    server.give(account, "realm-management", "realm-admin")
    return uuid


def operator_token(server: Deployment, **form: str) -> str:
    """A genuine token, good at every door."""
    return server.client_token(CLIENT, SECRET, scope="openid", **form)


def opened(server: Deployment, token: str, *, base_url: str = BASE_URL) -> frozenset[str]:
    """The doors that `token` opens."""
    form = {"token": token, "client_id": CLIENT, "client_secret": SECRET}
    headers = {"authorization": f"Bearer {token}"}
    introspected = server.protocol("token/introspect", form, base_url=base_url)
    assert introspected.status_code == 200, introspected.text
    userinfo = server.request(
        "GET", "/realms/demo/protocol/openid-connect/userinfo", base_url=base_url, headers=headers
    )
    admin = server.request("GET", "/admin/realms/demo/users", base_url=base_url, headers=headers)
    assert userinfo.status_code in {200, 401}, userinfo.text
    assert admin.status_code in {200, 401, 403}, admin.text
    found = {
        "introspection": introspected.json()["active"],
        "userinfo": userinfo.status_code == 200,
        "admin": admin.status_code == 200,
    }
    return frozenset(name for name, is_open in found.items() if is_open)
