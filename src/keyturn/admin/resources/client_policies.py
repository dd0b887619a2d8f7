"""Client profiles and policies. Source: Keycloak ``ClientProfilesResource``, ``ClientPoliciesResource``."""

from dataclasses import dataclass, field
from typing import Final

from msgspec import to_builtins

from keyturn.admin.answers import NoContent
from keyturn.admin.client_policy_documents import check_policies, check_profiles
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.permissions import MANAGE_REALM, VIEW_REALM
from keyturn.admin.query import NAME, Query
from keyturn.admin.resource import Resource
from keyturn.model.strictness import is_strict
from keyturn.oauth2.policy_documents import global_profiles, policies_of, profiles_of
from keyturn.representations import given, replace
from keyturn.representations.client_policy import ClientPoliciesRepresentation, ClientProfilesRepresentation
from keyturn.store.collections import CLIENT_SCOPES, REALMS

__all__ = ["client_policies"]

client_policies: Final = Resource("client policies")


@dataclass(frozen=True, slots=True)
class ProfileQuery(Query):
    """Whether the profiles that every realm has are told, too."""

    include_global_profiles: bool = field(default=False, metadata={NAME: "include-global-profiles"})


@dataclass(frozen=True, slots=True)
class PolicyQuery(Query):
    """Whether the policies that every realm has are told, too."""

    include_global_policies: bool = field(default=False, metadata={NAME: "include-global-policies"})


@client_policies.get("profiles", needs=VIEW_REALM)
def get_client_profiles(realm: RealmView, query: ProfileQuery) -> ClientProfilesRepresentation:
    """The realm's client profiles."""
    own = given(profiles_of(realm.realm).profiles, [])
    if not query.include_global_profiles:
        return ClientProfilesRepresentation(profiles=own)
    return ClientProfilesRepresentation(profiles=own, global_profiles=global_profiles())


@client_policies.put("profiles", needs=MANAGE_REALM)
def put_client_profiles(realm: RealmAdmin, profiles: ClientProfilesRepresentation | None) -> NoContent:
    """Replaces all of them. One that a policy names may go: the policy then demands nothing of it."""
    checked = check_profiles(profiles, strict=is_strict(realm.realm), features=realm.environment.features)
    realm.tx.update(REALMS, realm.id, replace(realm.realm, client_profiles=to_builtins(checked)))
    return NoContent()


@client_policies.get("policies", needs=VIEW_REALM)
def get_client_policies(realm: RealmView, query: PolicyQuery) -> ClientPoliciesRepresentation:
    """The realm's client policies."""
    own = given(policies_of(realm.realm).policies, [])
    if not query.include_global_policies:
        return ClientPoliciesRepresentation(policies=own)
    return ClientPoliciesRepresentation(policies=own, global_policies=[])


@client_policies.put("policies", needs=MANAGE_REALM)
def put_client_policies(realm: RealmAdmin, policies: ClientPoliciesRepresentation | None) -> NoContent:
    """Replaces all of them. They count for what is asked from now on; clients stay as they are."""
    checked = check_policies(
        policies,
        profiles_of(realm.realm),
        strict=is_strict(realm.realm),
        scope_names=lambda: [str(scope.name) for scope in realm.reader.select(CLIENT_SCOPES, realm.id)],
    )
    realm.tx.update(REALMS, realm.id, replace(realm.realm, client_policies=to_builtins(checked)))
    return NoContent()
