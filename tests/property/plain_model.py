"""What a token and its introspection must say, worked out slowly and plainly from a realm's documents.

It knows nothing of how keyturn compiles, caches or signs: it reads every document each time, as plain JSON.
"""

import hashlib
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyturn.representations import encode
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, COMPONENTS, GROUPS, REALMS, ROLES, USERS
from keyturn.store.spi import Reader, Relation

JSON = dict[str, Any]
ADDRESS = "192.0.2.7"
KEYS = "org.keycloak.keys.KeyProvider"


def listed(claims: JSON) -> JSON:
    """`claims` with everything that has no order in one."""
    return {name: _unordered(value) for name, value in claims.items()}


def _unordered(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(value, key=repr)
    return {name: _unordered(inner) for name, inner in value.items()} if isinstance(value, dict) else value


@dataclass
class PlainModel:
    """One realm as its documents are at one moment."""

    realm: JSON
    clients: dict[str, JSON]
    scopes: dict[str, JSON]
    roles: dict[str, JSON]
    users: dict[str, JSON]
    groups: dict[str, JSON]
    components: list[JSON]
    pairs: dict[Relation, list[tuple[str, str]]] = field(repr=False)

    @classmethod
    def of(cls, reader: Reader, realm_id: str) -> "PlainModel":
        """The realm as `reader` shows it."""

        def plain(documents: Iterable[Any]) -> dict[str, JSON]:
            return {document["id"]: document for document in (json.loads(encode(each)) for each in documents)}

        return cls(
            realm=plain(reader.select(REALMS, realm_id))[realm_id],
            clients=plain(reader.select(CLIENTS, realm_id)),
            scopes=plain(reader.select(CLIENT_SCOPES, realm_id)),
            roles=plain(reader.select(ROLES, realm_id)),
            users=plain(reader.select(USERS, realm_id)),
            groups=plain(reader.select(GROUPS, realm_id)),
            components=[*plain(reader.select(COMPONENTS, realm_id)).values()],
            pairs={relation: reader.pairs(relation, realm_id) for relation in Relation},
        )

    def related(self, relation: Relation, source: str) -> list[str]:
        return [target for origin, target in self.pairs[relation] if origin == source]

    def client(self, client_id: str) -> JSON | None:
        return next((each for each in self.clients.values() if each["clientId"] == client_id), None)

    def account(self, client: JSON) -> JSON | None:
        """The service account of a client that is meant to have one."""
        if not client.get("serviceAccountsEnabled"):
            return None
        return next((each for each in self.users.values() if each.get("serviceAccountClientId") == client["id"]), None)

    def expanded(self, role_ids: Iterable[str]) -> set[str]:
        """The roles and all that they contain: looked through until nothing new turns up."""
        found = set(role_ids) & self.roles.keys()
        while True:
            more = {inner for outer, inner in self.pairs[Relation.COMPOSITE] if outer in found} & self.roles.keys()
            if more <= found:
                return found
            found |= more

    def groups_of(self, user: JSON) -> list[str]:
        """The groups and those above them."""
        found: list[str] = []
        for group_id in self.related(Relation.MEMBERSHIP, user["id"]):
            current: str | None = group_id
            while current is not None:
                found.append(current)
                current = self.groups[current].get("parentId")
        return found

    def held(self, user: JSON) -> set[str]:
        """Ids of the roles that a user holds."""
        roles = self.related(Relation.USER_ROLE, user["id"])
        for group_id in self.groups_of(user):
            roles += self.related(Relation.GROUP_ROLE, group_id)
        return self.expanded(roles)

    def default_scopes(self, client: JSON) -> list[JSON]:
        return self._assigned(Relation.CLIENT_DEFAULT_SCOPE, client)

    def optional_scopes(self, client: JSON) -> list[JSON]:
        return self._assigned(Relation.CLIENT_OPTIONAL_SCOPE, client)

    def _assigned(self, relation: Relation, client: JSON) -> list[JSON]:
        scopes = [self.scopes[scope_id] for scope_id in self.related(relation, client["id"])]
        return [scope for scope in scopes if scope.get("protocol", "openid-connect") == "openid-connect"]

    def granted(self, client: JSON, user: JSON, names: Iterable[str]) -> list[JSON]:
        """The default scopes and the optional ones that are named, without those that the user may not have."""
        scopes = self.default_scopes(client)
        scopes += [each for each in self.optional_scopes(client) if each["name"] in set(names) and each not in scopes]
        return [each for each in scopes if self._permitted(each, user)]

    def _permitted(self, scope: JSON, user: JSON) -> bool:
        wanted = self.expanded(self.related(Relation.CLIENT_SCOPE_ROLE_SCOPE, scope["id"]))
        return not wanted or bool(wanted & self.held(user))

    def in_scope(self, client: JSON, user: JSON, scopes: list[JSON]) -> set[str]:
        """Ids of the roles that a token may show."""
        if client.get("fullScopeAllowed"):
            return self.held(user)
        allowed = {each["id"] for each in self.roles.values() if each.get("containerId") == client["id"]}
        allowed |= set(self.related(Relation.CLIENT_ROLE_SCOPE, client["id"]))
        for scope in scopes:
            allowed |= set(self.related(Relation.CLIENT_SCOPE_ROLE_SCOPE, scope["id"]))
        return self.held(user) & self.expanded(allowed)

    # What is asked of the model.

    def refusal(self, client_id: str, secret: str, requested: set[str]) -> tuple[int, str] | None:
        """Status and error of a token request that must fail."""
        client = self.client(client_id)
        if not self.realm.get("enabled"):
            return 403, "access_denied"
        if client is None or not client.get("enabled"):
            return 401, "invalid_client"
        if client.get("publicClient"):
            return 401, "unauthorized_client"
        if client.get("secret") != secret:
            return 401, "unauthorized_client"
        account = self.account(client)
        if account is None:
            return 401, "invalid_request" if client.get("serviceAccountsEnabled") else "unauthorized_client"
        if not account.get("enabled"):
            return 401, "invalid_request"
        known = {each["name"] for each in self.default_scopes(client) + self.optional_scopes(client)}
        return None if requested <= known else (400, "invalid_scope")

    def token(self, client_id: str, requested: set[str], *, issuer: str, now: int) -> JSON:
        """The claims of the access token that the client gets, but for ``jti``."""
        client = self.client(client_id)
        assert client is not None
        account = self.account(client)
        assert account is not None
        scopes = self.granted(client, account, requested)
        names = [each["name"] for each in scopes if _attribute(each, "include.in.token.scope", "true") == "true"]
        claims = {
            "exp": now + self.lifespan(client),
            "iat": now,
            "iss": issuer,
            "typ": "Bearer",
            "azp": client_id,
            "sub": account["id"],
            "scope": set(names) - {"organization"},
        }
        notes = {"client_id": client_id, "clientHost": ADDRESS, "clientAddress": ADDRESS}
        lightweight = _attribute(client, "client.use.lightweight.access.token.enabled", "false") == "true"
        flag = "lightweight.claim" if lightweight else "access.token.claim"
        claims |= self.mapped(client, account, scopes, claims, notes, flag)
        return listed(claims)

    def lifespan(self, client: JSON) -> int:
        own = _attribute(client, "access.token.lifespan", "")
        wanted = int(own) if own else int(self.realm["accessTokenLifespan"])
        longest = int(self.realm["ssoSessionMaxLifespan"])
        return longest if wanted == -1 else min(wanted, longest)

    def active(self, header: Mapping[str, Any], claims: JSON, caller: str, *, issuer: str, now: int) -> bool:
        """Whether a token of this header and these claims counts for this caller."""
        if all(kid != header["kid"] for kid, key in self._keys(header["alg"]) if _says(key["config"], "enabled")):
            return False
        client = self.client(claims["azp"])
        audience = claims.get("aud", [])
        if caller not in ([audience] if isinstance(audience, str) else audience):
            return False
        if claims["iss"] != issuer or claims["exp"] <= now or client is None or not client.get("enabled"):
            return False
        account = self.account(client)
        if account is None or not account.get("enabled") or account["id"] != claims["sub"]:
            return False
        earliest = (each.get("notBefore", 0) for each in (self.realm, client, account))
        return bool(claims["iat"] >= max(earliest))

    def introspection(self, claims: JSON) -> JSON:
        """What is told of a token that counts."""
        client = self.client(claims["azp"])
        assert client is not None
        account = self.account(client)
        assert account is not None
        kept = ("exp", "iat", "jti", "iss", "aud", "sub", "typ", "azp", "scope")
        own = {name: claims[name] for name in kept if name in claims}
        scopes = self.granted(client, account, claims.get("scope", "").split(" "))
        own |= self.mapped(client, account, scopes, own, {}, "introspection.token.claim")
        about = {"client_id": client["clientId"], "username": account["username"], "token_type": "Bearer"}
        return listed(own | about | {"active": True, "scope": set(claims.get("scope", "").split(" ")) - {""}})

    def mapped(self, client: JSON, user: JSON, scopes: list[JSON], own: JSON, notes: dict[str, str], flag: str) -> JSON:
        """What the protocol mappers add, one kind after the other."""
        visible = [self.roles[role_id] for role_id in self.in_scope(client, user, scopes)]
        owned: dict[str, list[str]] = {}
        for role in visible:
            if role.get("clientRole"):
                owned.setdefault(self.clients[role["containerId"]]["clientId"], []).append(role["name"])
        realm_roles = [role["name"] for role in visible if not role.get("clientRole")]
        already = own.get("aud", [])
        audience = {already} if isinstance(already, str) else set(already)
        claims: JSON = {}
        for mapper in [each for scope in [*scopes, client] for each in scope.get("protocolMappers", [])]:
            config = mapper.get("config", {})
            if not _on(config, flag, mapper["protocolMapper"]):
                continue
            name = config.get("claim.name", "")
            match mapper["protocolMapper"]:
                case "oidc-hardcoded-claim-mapper":
                    claims[name] = config["claim.value"]
                case "oidc-audience-mapper":
                    audience.add(config.get("included.client.audience") or config["included.custom.audience"])
                case "oidc-audience-resolve-mapper":
                    audience |= owned.keys() - {client["clientId"]}
                case "oidc-usermodel-realm-role-mapper" if realm_roles:
                    _put(claims, name, realm_roles)
                case "oidc-usermodel-client-role-mapper":
                    for client_id, names in owned.items():
                        _put(claims, name, names, client_id)
                case "oidc-usermodel-attribute-mapper":
                    value = self._attribute_of(user, config["user.attribute"])
                    if value is not None:
                        claims[name] = value
                case "oidc-usermodel-property-mapper" if config["user.attribute"] == "emailVerified":
                    claims[name] = user.get("emailVerified", False)
                case "oidc-usersessionmodel-note-mapper" if config["user.session.note"] in notes:
                    claims[name] = notes[config["user.session.note"]]
                case "oidc-group-membership-mapper":
                    paths = [self._path(group_id) for group_id in self.related(Relation.MEMBERSHIP, user["id"])]
                    if paths:
                        claims[name] = paths
                case "oidc-allowed-origins-mapper" if client.get("webOrigins"):
                    claims["allowed-origins"] = client["webOrigins"]
                case "oidc-acr-mapper":
                    claims["acr"] = "1"
        if audience:
            claims["aud"] = audience.pop() if len(audience) == 1 else list(audience)
        return claims

    def _path(self, group_id: str) -> str:
        group = self.groups[group_id]
        above = group.get("parentId")
        return f"{self._path(above) if above else ''}/{group['name']}"

    def _attribute_of(self, user: JSON, name: str) -> str | None:
        if name == "username":
            return str(user["username"])
        values = user.get("attributes", {}).get(name)
        return str(values[0]) if values else None

    def kid(self, algorithm: str) -> str:
        """The id of the key that signs: enabled, active, of the highest priority, then of the first component by id."""
        usable = [
            (-int(component["config"]["priority"][0]), component["id"], kid)
            for kid, component in self._keys(algorithm)
            if _says(component["config"], "enabled") and _says(component["config"], "active")
        ]
        return min(usable)[2]

    def _keys(self, algorithm: str) -> Iterator[tuple[str, JSON]]:
        """Ids of the keys of an algorithm, and their components."""
        for component in self.components:
            if component["providerId"] == "ecdsa-generated":
                config = component["config"]
                if _CURVES[config.get("ecdsaEllipticCurveKey", ["P-256"])[0]] == algorithm:
                    # Keycloak's: the hash of the public key.
                    digest = hashlib.sha256(b64decode(config["ecdsaPublicKey"][0])).digest()
                    yield urlsafe_b64encode(digest).decode().rstrip("="), component


_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def _says(config: JSON, setting: str) -> bool:
    return bool(config.get(setting, ["true"])[0] == "true")


def _attribute(document: JSON, name: str, default: str) -> str:
    return str(document.get("attributes", {}).get(name, default))


def _on(config: JSON, flag: str, kind: str) -> bool:
    value = config.get(flag)
    if value is None and flag == "introspection.token.claim":
        value = config.get("access.token.claim")
    if value is None and kind in {"oidc-audience-resolve-mapper", "oidc-allowed-origins-mapper"}:
        return flag != "lightweight.claim"
    return bool(value == "true")


def _put(claims: JSON, path: str, names: list[str], client_id: str = "") -> None:
    """Adds names to the list at a path like ``resource_access.${client_id}.roles``."""
    here = claims
    *outer, last = [client_id if part == "${client_id}" else part for part in path.split(".")]
    for part in outer:
        here = here.setdefault(part, {})
    here[last] = sorted({*here.get(last, []), *names})
