"""What each mapper puts into an access token; every expectation is Keycloak 26.7.3's answer."""

from dataclasses import replace
from typing import Any

import pytest

from harness.mapped_claims import ATTRIBUTE, AUDIENCE, GROUPS, HARDCODED, NOTE, PROPERTY, RESOLVE, SUBJECT, claims
from keyturn.oauth2.protocol_mappers import MAPPERS, Target


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
