"""What every sequence begins with: a database, and in it roles that are held in every way there is."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from harness.deployment import Deployment
from property.plain_model import JSON, KEYS

WATCHER = "watcher"
ALGORITHM = "ES256"
EVERYWHERE = {"access.token.claim": "true", "introspection.token.claim": "true", "lightweight.claim": "true"}
BUILT_IN_ROLES = frozenset({"offline_access", "uma_authorization"})


@cache
def template() -> Path:
    """A directory with a database to begin with: making keys takes longer than everything else."""
    directory = Path(tempfile.mkdtemp(prefix="keyturn-property-"))
    atexit.register(shutil.rmtree, directory)
    server = Deployment.new(directory)
    assert server.admin("PUT", "/demo", {"defaultSignatureAlgorithm": ALGORITHM}).status_code == 204
    server.created("/demo/components", key_component(100))
    server.client(WATCHER, WATCHER)
    _populate(server)
    server.close()
    return directory


def _populate(server: Deployment) -> None:
    """Roles that are held in every way there is, so that whatever is changed or taken away shows in some token."""
    for role in ("reader", "writer", "outer", "inner"):
        assert server.admin("POST", "/demo/roles", {"name": role}).status_code == 201
    roles = {role["name"]: role for role in server.admin("GET", "/demo/roles").json()}
    link(server, f"/roles-by-id/{roles['outer']['id']}/composites", roles["inner"])
    for scope, role in (("extra", "writer"), ("more", "inner")):
        document = {"name": scope, "protocol": "openid-connect", "protocolMappers": [new_mapper(0, 1000, EVERYWHERE)]}
        uuid = server.created("/demo/client-scopes", document)
        link(server, f"/client-scopes/{uuid}/scope-mappings/realm", roles[role])
        assert server.admin("PUT", f"/demo/default-optional-client-scopes/{uuid}").status_code == 204
    team = server.created("/demo/groups", {"name": "team"})
    squad = server.created(f"/demo/groups/{team}/children", {"name": "squad"})
    link(server, f"/groups/{team}/role-mappings/realm", roles["writer"])
    for client_id, full in (("one", True), ("two", False)):
        mappers = [audience_mapper(), new_mapper(2, 1001, EVERYWHERE), new_mapper(1, 1002, EVERYWHERE)]
        uuid = server.client(client_id, "secret", protocolMappers=mappers, fullScopeAllowed=full)
        assert server.admin("POST", f"/demo/clients/{uuid}/roles", {"name": "user"}).status_code == 201
        account = server.admin("GET", f"/demo/clients/{uuid}/service-account-user").json()
        changed = account | {"attributes": {"colour": ["green"]}}
        assert server.admin("PUT", f"/demo/users/{account['id']}", changed).status_code == 204
        link(server, f"/users/{account['id']}/role-mappings/realm", roles["reader"])
        link(server, f"/users/{account['id']}/role-mappings/realm", roles["outer"])
        user = server.admin("GET", f"/demo/clients/{uuid}/roles/user").json()
        link(server, f"/users/{account['id']}/role-mappings/clients/{uuid}", user)
        assert server.admin("PUT", f"/demo/users/{account['id']}/groups/{squad}").status_code == 204
        link(server, f"/clients/{uuid}/scope-mappings/realm", roles["reader"])


def link(server: Deployment, path: str, role: JSON) -> None:
    response = server.admin("POST", f"/demo{path}", [role])
    assert response.status_code == 204, response.text


def key_component(priority: int) -> JSON:
    return {
        "name": f"key {priority}",
        "providerId": "ecdsa-generated",
        "providerType": KEYS,
        "config": {"priority": [str(priority)], "ecdsaEllipticCurveKey": ["P-256"]},
    }


def audience_mapper() -> JSON:
    config = {"included.custom.audience": WATCHER, "access.token.claim": "true", "lightweight.claim": "true"}
    return mapper("for the watcher", "oidc-audience-mapper", config)


def mapper(title: str, kind: str, config: dict[str, str]) -> JSON:
    return {"name": title, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


def new_mapper(kind: int, number: int, where: dict[str, str]) -> JSON:
    """A mapper of one of several kinds, with a claim of its own."""
    claim = {"claim.name": f"claim{number}", "jsonType.label": "String"} | where
    kinds: list[tuple[str, dict[str, str]]] = [
        ("oidc-hardcoded-claim-mapper", {"claim.value": f"value {number}"}),
        ("oidc-usermodel-attribute-mapper", {"user.attribute": "colour"}),
        ("oidc-group-membership-mapper", {"full.path": "true"}),
        ("oidc-audience-mapper", {"included.custom.audience": f"service{number}"}),
        ("oidc-usermodel-realm-role-mapper", {"multivalued": "true"}),
        ("oidc-usersessionmodel-note-mapper", {"user.session.note": "clientAddress"}),
    ]
    provider, config = kinds[kind % len(kinds)]
    return mapper(f"mapper {number}", provider, claim | config)
