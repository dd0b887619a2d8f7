"""Claims that mappers make of one subject in one realm, without a server around them."""

from collections.abc import Mapping
from typing import Any

from keyturn.model.client import Client
from keyturn.model.client_scope import ClientScope, ProtocolMapper
from keyturn.model.realm import KeyRing, Realm
from keyturn.model.roles import Role, RoleGraph
from keyturn.model.subject import Subject
from keyturn.oauth2.protocol_mappers import Claims, ClaimsContext, Target, apply_mappers
from keyturn.oauth2.scope import GrantedScopes
from keyturn.representations import RealmRepresentation

Settings = tuple[str, dict[str, str]]

ATTRIBUTE = "oidc-usermodel-attribute-mapper"
PROPERTY = "oidc-usermodel-property-mapper"
GROUPS = "oidc-group-membership-mapper"
NOTE = "oidc-usersessionmodel-note-mapper"
HARDCODED = "oidc-hardcoded-claim-mapper"
AUDIENCE = "oidc-audience-mapper"
RESOLVE = "oidc-audience-resolve-mapper"
REALM_ROLES = "oidc-usermodel-realm-role-mapper"
CLIENT_ROLES = "oidc-usermodel-client-role-mapper"
HARDCODED_ROLE = "oidc-hardcoded-role-mapper"
ROLE_NAME = "oidc-role-name-mapper"
ALL = {"multivalued": "true", "jsonType.label": "String"}
AS_KEYCLOAK = (
    (REALM_ROLES, {"claim.name": "realm_access.roles", **ALL}),
    (CLIENT_ROLES, {"claim.name": "resource_access.${client_id}.roles", **ALL}),
)

ROLES = RoleGraph(
    {
        "1": Role("1", "ra", None),
        "2": Role("2", "do", "app"),
        "3": Role("3", "own", "svc"),
        "4": Role("4", "view-users", "management"),
        "5": Role("5", "rb", None),
    }
)
SUBJECT = Subject(
    id="user-id",
    username="ada",
    enabled=True,
    email="a@b.c",
    email_verified=False,
    first_name="Ada",
    last_name="L",
    attributes={
        "tags": ("a", "b"),
        "tier": ("gold",),
        "ns": ("1", "x"),
        "street": ("Main", "2nd"),
        "country": ("DE",),
        "loc": ("Berlin",),
    },
    groups=("/team/inner", "/team"),
    roles=frozenset({"1", "2", "3"}),
    not_before=0,
    group_attributes=({"ga": ("child",), "tier": ("g2",)}, {"ga": ("ga1", "ga2"), "tier": ("gold", "g1")}),
)


def realm(name: str = "machines") -> Realm:
    return Realm(
        id="realm-id",
        name=name,
        enabled=True,
        ssl_required="none",
        not_before=0,
        access_token_lifespan=300,
        sso_session_idle_timeout=1800,
        sso_session_max_lifespan=36000,
        client_session_idle_timeout=0,
        client_session_max_lifespan=0,
        offline_session_idle_timeout=0,
        offline_session_max_lifespan=None,
        default_signature_algorithm="RS256",
        revoke_refresh_token=False,
        refresh_token_max_reuse=0,
        roles=ROLES,
        scopes={},
        client_ids={"app": "my.app", "svc": "svc", "management": "realm-management"},
        keys=KeyRing((), {}),
        document=RealmRepresentation(),
    )


def scope(*settings: Settings, name: str = "svc") -> ClientScope:
    mappers = tuple(ProtocolMapper(str(n), str(n), provider, config) for n, (provider, config) in enumerate(settings))
    return ClientScope(name, name, False, name, mappers, frozenset())


def client(own: ClientScope) -> Client:
    return Client(
        id="svc",
        client_id="svc",
        enabled=True,
        protocol="openid-connect",
        public=False,
        bearer_only=False,
        authenticator="client-secret",
        secrets=(),
        service_account=SUBJECT,
        direct_access_grants=False,
        consent_required=False,
        full_scope=True,
        not_before=0,
        own_scope=own,
        default_scopes=(),
        optional_scopes={},
        own_roles=frozenset(),
        web_origins=frozenset({"https://b.example", "https://a.example"}),
        attributes={},
    )


def claims(
    *settings: Settings,
    members: Mapping[str, Any] | None = None,
    target: Target = Target.ACCESS_TOKEN,
    subject: Subject = SUBJECT,
    of_scope: tuple[Settings, ...] = (),
    realm_name: str = "machines",
) -> dict[str, Any]:
    """What the mappers add, each put into everything unless its own settings say otherwise."""
    everywhere = {
        "access.token.claim": "true",
        "id.token.claim": "true",
        "userinfo.token.claim": "true",
        "introspection.token.claim": "true",
        "lightweight.claim": "true",
    }
    own = scope(*((provider, everywhere | config) for provider, config in settings))
    shared = scope(*((provider, everywhere | config) for provider, config in of_scope), name="shared")
    context = ClaimsContext(
        realm=realm(realm_name),
        client=client(own),
        subject=subject,
        scopes=GrantedScopes(own, (shared,), openid=False),
        notes={"clientAddress": "127.0.0.1", "AUTH_TIME": "1795507703"},
        issuer="https://keyturn.test/realms/machines",
        roles=subject.roles,
    )
    result = Claims(dict(members or {}))
    apply_mappers(result, context, target)
    return result.members
