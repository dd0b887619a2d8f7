"""What a token says: the claims that follow from who asks, for what, of whom. The same for every kind of token.

Times and the token's own id are added where the token is made.
"""

from typing import Any, Final

from keyturn.model.client import Client
from keyturn.model.client_scope import OFFLINE_ACCESS
from keyturn.model.realm import Realm
from keyturn.model.subject import Subject
from keyturn.oauth2.protocol_mappers import apply_mappers
from keyturn.oauth2.protocol_mappers.claim import audiences
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target
from keyturn.oauth2.scope import GrantedScopes
from keyturn.oauth2.spi import Authorization

_LEADING: Final = (
    "iss", "aud", "sub", "typ", "azp", "sid", "at_hash", "acr", "allowed-origins", "realm_access", "resource_access",
    "scope",
)  # fmt: skip
"""The order in which Keycloak writes claims (``AccessToken``); the rest follows as the mappers gave it."""


def access_token_target(client: Client) -> Target:
    """Which claims of the mappers the client's access tokens have."""
    return Target.LIGHTWEIGHT_ACCESS_TOKEN if is_lightweight(client) else Target.ACCESS_TOKEN


def is_lightweight(client: Client) -> bool:
    """Whether the client's access tokens leave most claims to introspection."""
    return client.flag("client.use.lightweight.access.token.enabled")


def claims_context(realm: Realm, client: Client, authorization: Authorization, issuer: str) -> ClaimsContext:
    """The context in which mappers work for this authorization."""
    subject, scopes = authorization.subject, authorization.scopes
    roles = roles_in_scope(client, scopes, subject)
    audience = frozenset(authorization.audience)
    return ClaimsContext(realm, client, subject, scopes, authorization.notes, issuer, roles, audience)


def roles_in_scope(client: Client, scopes: GrantedScopes, subject: Subject) -> frozenset[str]:
    """The roles that the subject holds and that may be in the token.

    Source: Keycloak ``TokenManager.getAccess``.
    """
    if client.full_scope:
        return subject.roles
    return subject.roles & client.own_roles.union(*(scope.roles for scope in scopes.scopes))


def roles_within(realm: Realm, subject: Subject, audience: tuple[str, ...]) -> frozenset[str]:
    """The roles of `subject` that let scopes into a token: those of other clients than the `audience`, if any, do not.

    Source: Keycloak ``DefaultClientSessionContext.isClientScopePermittedForUser``.
    """
    if not audience:
        return subject.roles
    owners = {role_id: realm.roles.roles[role_id].client_id for role_id in subject.roles}
    return frozenset(
        role_id for role_id, owner in owners.items() if owner is None or realm.client_ids.get(owner) in audience
    )


def offline_allowed(realm: Realm, client: Client, scopes: GrantedScopes, subject: Subject) -> bool:
    """Whether the realm role ``offline_access`` is held and in scope.

    Source: Keycloak ``UserSessionManager.isOfflineTokenAllowed``.
    """
    roles = (realm.roles.roles[role_id] for role_id in roles_in_scope(client, scopes, subject))
    return any(role.name == OFFLINE_ACCESS and role.client_id is None for role in roles)


def access_token_claims(
    context: ClaimsContext, *, sid: str | None, exchanged: bool = False, typ: str = "Bearer"
) -> dict[str, Any]:
    """The claims of an access token, without ``exp``, ``iat``, ``jti`` and ``cnf``.

    Args:
        exchanged: by token exchange: without a session, whoever reads the token finds its user by ``sub``, which no
            mapper may set then.
    """
    members: dict[str, Any] = {"iss": context.issuer, "typ": typ, "azp": context.client.client_id}
    if sid is not None:
        members["sid"] = sid
    else:
        # Without a session to find the user by, a token names the user whatever the mappers say.
        members["sub"] = context.subject.id
    members["scope"] = context.scopes.claim()
    claims = _mapped(members, context, access_token_target(context.client))
    if exchanged and sid is None:
        claims["sub"] = context.subject.id
    if context.audience:
        claims = narrowed(claims, context.audience)
    return _as_rfc_9068(claims, context) if context.realm.strictness.rfc_9068 else claims


def _as_rfc_9068(claims: dict[str, Any], context: ClaimsContext) -> dict[str, Any]:
    """The claims with all that RFC 9068 §2.2 demands: without another audience, the token is for its issuer."""
    subject, client = context.subject, context.client
    named = None if client.pairwise is None else client.pairwise.subject(subject.id)
    needed = {"aud": context.issuer, "sub": named or subject.id}
    return needed | claims | {"client_id": client.client_id}


def id_token_claims(context: ClaimsContext, *, sid: str | None, at_hash: str | None) -> dict[str, Any]:
    """The claims of an ID token (OIDC Core §2), without ``exp``, ``iat`` and ``jti``.

    `at_hash` is None where no access token goes with it.
    """
    client_id = context.client.client_id
    members: dict[str, Any] = {
        "iss": context.issuer,
        "aud": client_id,
        "sub": context.subject.id,
        "typ": "ID",
        "azp": client_id,
    }
    if at_hash is not None:
        members["at_hash"] = at_hash
    if sid is not None:
        members["sid"] = sid
    return _mapped(members, context, Target.ID_TOKEN)


def narrowed(claims: dict[str, Any], audience: frozenset[str]) -> dict[str, Any]:
    """The claims for `audience` alone. Source: Keycloak ``TokenManager.restrictRequestedAudience``."""
    kept = [name for name in audiences(claims) if name in audience]
    if "aud" in claims:
        claims["aud"] = kept[0] if len(kept) == 1 else kept
    access = claims.get("resource_access")
    if isinstance(access, dict):
        claims["resource_access"] = {client_id: roles for client_id, roles in access.items() if client_id in kept}
    return claims


def _mapped(members: dict[str, Any], context: ClaimsContext, target: Target) -> dict[str, Any]:
    claims = Claims(members)
    apply_mappers(claims, context, target)
    found = claims.members
    leading = {name: found[name] for name in _LEADING if name in found}
    return leading | {name: value for name, value in found.items() if name not in leading}
