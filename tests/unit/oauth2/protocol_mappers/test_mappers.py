"""What each mapper puts into an access token; every expectation is Keycloak 26.7.3's answer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from keyturn.model.client import Client
from keyturn.model.client_scope import ClientScope, ProtocolMapper
from keyturn.model.realm import KeyRing, Realm
from keyturn.model.roles import Role, RoleGraph
from keyturn.model.subject import Subject
from keyturn.oauth2.protocol_mappers import MAPPERS, Claims, ClaimsContext, Target, apply_mappers
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


@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"user.attribute": "tier"}, "gold"),
        ({"user.attribute": "tags"}, "a"),
        ({"user.attribute": "tags", "multivalued": "true"}, ["a", "b"]),
        ({"user.attribute": "ns", "multivalued": "true", "jsonType.label": "int"}, [1, None]),
        ({"user.attribute": "ns", "jsonType.label": "int"}, 1),
        ({"user.attribute": "tags", "jsonType.label": "int"}, None),
        ({"user.attribute": "nothing", "multivalued": "true"}, None),
        ({"user.attribute": "tier", "aggregate.attrs": "true"}, "gold"),
        ({"user.attribute": "tier", "aggregate.attrs": "true", "multivalued": "true"}, ["gold", "g2", "g1"]),
        ({"user.attribute": "ga"}, "child"),
        ({"user.attribute": "ga", "multivalued": "true"}, ["child"]),
        ({"user.attribute": "ga", "multivalued": "true", "aggregate.attrs": "true"}, ["child", "ga1", "ga2"]),
        ({"user.attribute": "username"}, "ada"),
        ({"user.attribute": "email", "multivalued": "true"}, ["a@b.c"]),
        ({"user.attribute": "firstName"}, "Ada"),
        ({"user.attribute": "emailVerified", "jsonType.label": "boolean"}, None),
        ({"user.attribute": "id"}, None),
        ({}, None),
    ],
)
def test_an_attribute_of_the_user(settings: dict[str, str], expect: Any) -> None:
    found = claims((ATTRIBUTE, {"claim.name": "v", "jsonType.label": "String"} | settings))
    assert found == ({} if expect is None else {"v": expect})


@pytest.mark.parametrize(
    ("name", "json_type", "expect"),
    [
        ("username", "String", "ada"),
        ("Username", "String", "ada"),
        ("id", "String", "user-id"),
        ("email", "String", "a@b.c"),
        ("lastName", "String", "L"),
        ("emailVerified", "boolean", False),
        ("emailVerified", "String", "false"),
        ("enabled", "boolean", True),
        ("tier", "String", None),
        ("roles", "String", None),
        ("", "String", None),
    ],
)
def test_a_property_of_the_user(name: str, json_type: str, expect: Any) -> None:
    found = claims((PROPERTY, {"user.attribute": name, "claim.name": "v", "jsonType.label": json_type}))
    assert found == ({} if expect is None else {"v": expect})


@pytest.mark.parametrize(
    ("first", "last", "expect"),
    [
        ("Ada", "L", {"name": "Ada L"}),
        ("Ada", None, {"name": "Ada"}),
        (None, "L", {"name": "L"}),
        (None, None, {}),
    ],
)
def test_the_full_name_is_what_there_is_of_it(first: str | None, last: str | None, expect: dict[str, str]) -> None:
    assert claims(("oidc-full-name-mapper", {}), subject=replace(SUBJECT, first_name=first, last_name=last)) == expect


def test_an_address_has_the_parts_that_there_are() -> None:
    settings = {"user.attribute.locality": "loc", "user.attribute.street": "", "claim.name": "ignored"}
    found = claims(("oidc-address-mapper", settings))
    assert found == {"address": {"street_address": "Main", "locality": "Berlin", "country": "DE"}}
    assert claims(("oidc-address-mapper", {}), subject=replace(SUBJECT, attributes={})) == {}


@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"full.path": "true"}, ["/team/inner", "/team"]),
        ({"full.path": "false"}, ["inner", "team"]),
        ({"full.path": "true", "multivalued": "false"}, ["/team/inner", "/team"]),
        ({}, ["inner", "team"]),
    ],
)
def test_groups_are_always_a_list(settings: dict[str, str], expect: list[str]) -> None:
    assert claims((GROUPS, {"claim.name": "g"} | settings)) == {"g": expect}


def test_nobodys_groups_are_no_claim() -> None:
    assert claims((GROUPS, {"claim.name": "g"}), subject=replace(SUBJECT, groups=())) == {}


def test_a_note_of_the_session() -> None:
    settings = {"user.session.note": "AUTH_TIME", "claim.name": "auth_time", "jsonType.label": "long"}
    assert claims((NOTE, settings)) == {"auth_time": 1795507703}
    assert claims((NOTE, {"user.session.note": "nothing", "claim.name": "v"})) == {}
    assert claims((NOTE, {"claim.name": "v"})) == {}


def test_the_subject_is_the_user() -> None:
    assert claims(("oidc-sub-mapper", {})) == {"sub": "user-id"}
    assert claims(("oidc-sub-mapper", {}), target=Target.USERINFO) == {}


def test_another_mapper_may_replace_the_subject() -> None:
    replacing = (HARDCODED, {"claim.name": "sub", "claim.value": "me"})
    assert claims(replacing, ("oidc-sub-mapper", {})) == {"sub": "me"}


def test_the_level_of_authentication_is_one() -> None:
    assert claims(("oidc-acr-mapper", {})) == {"acr": "1"}
    assert claims(("oidc-acr-mapper", {}), target=Target.USERINFO) == {}


def test_no_methods_of_authentication_are_known() -> None:
    assert claims(("oidc-amr-mapper", {})) == {"amr": []}
    assert claims(("oidc-amr-mapper", {}), target=Target.INTROSPECTION) == {}


def test_the_session_state_is_the_session_where_there_is_one() -> None:
    assert claims(("oidc-session-state-mapper", {}), members={"sid": "s"}) == {"sid": "s", "session_state": "s"}
    assert claims(("oidc-session-state-mapper", {})) == {}


def test_the_origins_of_pages_are_in_access_tokens_alone() -> None:
    expect = {"allowed-origins": ["https://a.example", "https://b.example"]}
    assert claims(("oidc-allowed-origins-mapper", {})) == expect
    assert claims(("oidc-allowed-origins-mapper", {}), target=Target.ID_TOKEN) == {}


@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"included.client.audience": "x", "included.custom.audience": "y"}, {"aud": "x"}),
        ({"included.client.audience": "", "included.custom.audience": "y"}, {"aud": "y"}),
        ({"included.custom.audience": "a b"}, {"aud": "a b"}),
        ({}, {}),
    ],
)
def test_an_audience_is_a_client_before_it_is_a_text(settings: dict[str, str], expect: dict[str, Any]) -> None:
    assert claims((AUDIENCE, settings)) == expect


def test_each_audience_is_there_once() -> None:
    mappers = [(AUDIENCE, {"included.custom.audience": name}) for name in ("a", "b", "a")]
    assert claims(*mappers) == {"aud": ["a", "b"]}
    assert claims(*mappers, members={"aud": "b"}, target=Target.ID_TOKEN) == {"aud": ["b", "a"]}


def test_clients_whose_roles_are_in_the_token_are_its_audience_but_not_the_client_itself() -> None:
    assert claims((RESOLVE, {})) == {"aud": "my.app"}


def test_roles_stand_where_keycloak_puts_them() -> None:
    assert claims(*AS_KEYCLOAK) == {
        "realm_access": {"roles": ["ra"]},
        "resource_access": {"my.app": {"roles": ["do"]}, "svc": {"roles": ["own"]}},
    }


def test_no_roles_are_no_claim() -> None:
    assert claims(*AS_KEYCLOAK, subject=replace(SUBJECT, roles=frozenset())) == {}


@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"claim.name": "x", **ALL}, {"x": ["ra"]}),
        ({"claim.name": "x"}, {"x": "ra"}),
        ({"claim.name": "x", "multivalued": "false"}, {"x": "ra"}),
        ({"claim.name": "x", "multivalued": "true", "jsonType.label": "int"}, {"x": [None]}),
        ({"claim.name": "x", **ALL, "usermodel.realmRoleMapping.rolePrefix": "p_"}, {"x": ["p_ra"]}),
        ({**ALL}, {}),
    ],
)
def test_realm_roles_under_a_claim(settings: dict[str, str], expect: dict[str, Any]) -> None:
    assert claims((REALM_ROLES, settings)) == expect


@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"claim.name": "x", **ALL}, {"x": ["do", "own"]}),
        ({"claim.name": "x", **ALL, "usermodel.clientRoleMapping.clientId": "my.app"}, {"x": ["do"]}),
        ({"claim.name": "x", **ALL, "usermodel.clientRoleMapping.clientId": ""}, {"x": ["do", "own"]}),
        ({"claim.name": "x", **ALL, "usermodel.clientRoleMapping.clientId": "nobody"}, {}),
        ({"claim.name": "x.${client_id}", **ALL}, {"x": {"my.app": ["do"], "svc": ["own"]}}),
        ({"claim.name": "x", **ALL, "usermodel.clientRoleMapping.rolePrefix": "p."}, {"x": ["p.do", "p.own"]}),
    ],
)
def test_client_roles_under_a_claim(settings: dict[str, str], expect: dict[str, Any]) -> None:
    assert claims((CLIENT_ROLES, settings)) == expect


def test_role_mappers_of_one_claim_add_up() -> None:
    assert claims((REALM_ROLES, {"claim.name": "x", **ALL}), (CLIENT_ROLES, {"claim.name": "x", **ALL})) == {
        "x": ["ra", "do", "own"]
    }


def test_roles_replace_a_text() -> None:
    assert claims((REALM_ROLES, {"claim.name": "x", **ALL}), (HARDCODED, {"claim.name": "x", "claim.value": "5"})) == {
        "x": ["ra"]
    }


@pytest.mark.parametrize(
    ("role", "realm_roles", "client_roles"),
    [
        ("rh", ["ra", "rh"], {}),
        ("my.app.new", ["ra"], {"my.app": {"roles": ["do", "new"]}}),
        ("nobody.new", ["ra"], {"nobody": {"roles": ["new"]}}),
        ("admin", ["ra", "admin"], {}),
        ("ra", ["ra"], {}),
        ("", ["ra"], {}),
    ],
)
def test_a_hardcoded_role_need_not_exist(
    role: str, realm_roles: list[str], client_roles: dict[str, dict[str, list[str]]]
) -> None:
    found = claims(*AS_KEYCLOAK, (HARDCODED_ROLE, {"role": role}))
    assert found["realm_access"]["roles"] == realm_roles
    own = {"my.app": {"roles": ["do"]}, "svc": {"roles": ["own"]}}
    assert found["resource_access"] == own | client_roles


@pytest.mark.parametrize(
    ("realm_name", "role"),
    [
        ("machines", "realm-management.realm-admin"),
        ("master", "admin"),
        ("master", "create-realm"),
        ("master", "machines-realm.manage-users"),
    ],
)
def test_no_mapper_makes_an_administrator(realm_name: str, role: str) -> None:
    without = claims(*AS_KEYCLOAK, realm_name=realm_name)
    assert claims(*AS_KEYCLOAK, (HARDCODED_ROLE, {"role": role}), realm_name=realm_name) == without
    renamed = claims(*AS_KEYCLOAK, (ROLE_NAME, {"role": "ra", "new.role.name": role}), realm_name=realm_name)
    assert "realm_access" not in renamed
    assert renamed["resource_access"] == without["resource_access"]


def test_an_administrators_role_that_is_held_may_be_hardcoded() -> None:
    held = replace(SUBJECT, roles=SUBJECT.roles | {"4"})
    found = claims(*AS_KEYCLOAK, (HARDCODED_ROLE, {"role": "realm-management.view-users"}), subject=held)
    assert found["resource_access"]["realm-management"] == {"roles": ["view-users"]}


@pytest.mark.parametrize(
    ("role", "new", "realm_roles", "client_roles"),
    [
        ("ra", "new", ["new"], {"my.app": ["do"], "svc": ["own"]}),
        ("ra", "my.app.new", None, {"my.app": ["do", "new"], "svc": ["own"]}),
        ("my.app.do", "did", ["ra", "did"], {"svc": ["own"]}),
        ("my.app.do", "svc.did", ["ra"], {"svc": ["own", "did"]}),
        ("rb", "new", ["ra"], {"my.app": ["do"], "svc": ["own"]}),
        ("nothing", "new", ["ra"], {"my.app": ["do"], "svc": ["own"]}),
        ("ra", "", ["ra"], {"my.app": ["do"], "svc": ["own"]}),
    ],
)
def test_a_role_under_another_name(
    role: str, new: str, realm_roles: list[str] | None, client_roles: dict[str, list[str]]
) -> None:
    found = claims(*AS_KEYCLOAK, (ROLE_NAME, {"role": role, "new.role.name": new}))
    assert found.get("realm_access", {}).get("roles") == realm_roles
    assert found["resource_access"] == {name: {"roles": roles} for name, roles in client_roles.items()}


def test_roles_are_renamed_before_they_are_hardcoded() -> None:
    renaming = (ROLE_NAME, {"role": "rh", "new.role.name": "x"})
    found = claims(*AS_KEYCLOAK, (HARDCODED_ROLE, {"role": "rh"}), renaming)
    assert found["realm_access"]["roles"] == ["ra", "rh"]


def test_the_clients_own_mapper_wins_over_one_of_its_scopes() -> None:
    shared = (HARDCODED, {"claim.name": "x", "claim.value": "shared"})
    assert claims((HARDCODED, {"claim.name": "x", "claim.value": "own"}), of_scope=(shared,)) == {"x": "own"}
    assert claims(of_scope=(shared,)) == {"x": "shared"}


def test_an_unknown_mapper_does_nothing() -> None:
    assert claims(("oidc-claims-param-token-mapper", {}), ("nonsense", {"claim.name": "x"})) == {}


@pytest.mark.parametrize("mapper", MAPPERS, ids=lambda mapper: mapper.provider)
@pytest.mark.parametrize("target", Target)
def test_a_mapper_without_any_setting_breaks_nothing(mapper: Any, target: Target) -> None:
    claims((mapper.provider, {}), target=target)


def test_every_mapper_has_its_own_name() -> None:
    assert len({mapper.provider for mapper in MAPPERS}) == len(MAPPERS)
