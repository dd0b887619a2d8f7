"""What client profiles and policies may look like: Keycloak's checks, in its words.

Source: Keycloak ``ClientPoliciesUtil``, ``ClientScopesConditionFactory.validateConfiguration``.
"""

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from typing import Final, TypeVar

from msgspec import to_builtins

from keyturn.admin.errors import ErrorMessage, InvalidRequest
from keyturn.model.client_secret import ROTATION
from keyturn.model.strictness import is_strict
from keyturn.oauth2.policy_documents import global_profiles, policies_of, profiles_of, readable
from keyturn.representations import UNSET, Representation, given, present, replace, without_nulls
from keyturn.representations.client_policy import (
    ClientPoliciesRepresentation,
    ClientPolicyConditionRepresentation,
    ClientPolicyExecutorRepresentation,
    ClientPolicyRepresentation,
    ClientProfileRepresentation,
    ClientProfilesRepresentation,
)
from keyturn.representations.reading import UnreadableDocument, read
from keyturn.representations.realm import RealmRepresentation

__all__ = ["check_policies", "check_profiles", "with_client_policies"]

_INVALID_EXECUTOR: Final = (
    "proposed client profile contains the executor, which does not have valid provider, or has invalid configuration."
)
_ROTATION: Final = "secret-rotation"
_PROFILES_ATTRIBUTE: Final = "client-policies.profiles"
_POLICIES_ATTRIBUTE: Final = "client-policies.policies"
D = TypeVar("D", bound=Representation)
_MODES: Final = frozenset({"DEFAULT", "STRICT"})


def check_profiles(
    posted: ClientProfilesRepresentation | None, *, strict: bool, features: Container[str]
) -> ClientProfilesRepresentation:
    """The profiles as they are stored.

    Args:
        strict: whether an executor that is not enforced is refused.
        features: Keycloak's names of the previews that are on.

    Raises:
        AdminError: they are none.
    """
    if posted is None:
        raise ErrorMessage(400, "Passing null clientProfiles not allowed")
    profiles = [without_nulls(profile) for profile in given(posted.profiles, [])]
    names = [given(profile.name, "") for profile in profiles]
    if not all(names):
        raise ErrorMessage(400, "client profile without its name not allowed.")
    if len(set(names)) < len(names):
        raise ErrorMessage(400, "proposed client profile name duplicated.")
    if given(posted.global_profiles, []) and to_builtins(posted.global_profiles) != to_builtins(global_profiles()):
        raise ErrorMessage(400, "Global profiles cannot be updated")
    for taken in (name for name in names if name in _global_names()):
        raise ErrorMessage(400, f"Proposed profile name '{taken}' is duplicated as a global profile")
    for profile in profiles:
        for executor in given(profile.executors, []):
            _check_executor(executor, strict=strict, features=features)
    return ClientProfilesRepresentation(profiles=profiles)


def _global_names() -> list[str]:
    return [given(profile.name, "") for profile in global_profiles()]


def _check_executor(executor: ClientPolicyExecutorRepresentation, *, strict: bool, features: Container[str]) -> None:
    from keyturn.oauth2.client_policies import InvalidConfiguration, executor_of  # most servers never need it

    provider = given(executor.executor, "")
    if provider == _ROTATION and ROTATION not in features:
        raise ErrorMessage(400, _INVALID_EXECUTOR)
    try:
        executor_of(provider, executor.configuration)
    except LookupError:
        raise ErrorMessage(400, _INVALID_EXECUTOR) from None
    except InvalidConfiguration as error:
        if provider == _ROTATION and isinstance(executor.configuration, dict):
            raise ErrorMessage(400, _INVALID_EXECUTOR) from None
        raise InvalidRequest(f"The executor {provider} cannot be configured so: {error}") from None
    if strict:
        _check_enforced(provider)


def _check_enforced(provider: str) -> None:
    from keyturn.oauth2.client_policies import NOT_ENFORCED

    if provider in NOT_ENFORCED:
        raise InvalidRequest(f"{provider} is not enforced, as it is about {NOT_ENFORCED[provider]}")


def check_policies(
    posted: ClientPoliciesRepresentation | None,
    profiles: ClientProfilesRepresentation,
    *,
    strict: bool,
    scope_names: Callable[[], Collection[str]],
) -> ClientPoliciesRepresentation:
    """The policies as they are stored, in a realm with these `profiles` and client scopes of these names.

    Raises:
        AdminError: they are none; in a strict realm, too, where something that they demand is not enforced.
    """
    if posted is None:
        raise ErrorMessage(400, "Passing null clientPolicies not allowed")
    if given(posted.global_policies, []):
        raise ErrorMessage(400, "Global policies cannot be updated")
    policies = [without_nulls(policy) for policy in given(posted.policies, [])]
    names = [policy.name for policy in policies]
    if len(set(names)) < len(names):
        raise ErrorMessage(400, "proposed client policy name duplicated")
    known = [*given(profiles.profiles, []), *global_profiles()]
    return ClientPoliciesRepresentation(
        policies=[_checked(policy, known, strict=strict, scope_names=scope_names) for policy in policies]
    )


def _checked(
    policy: ClientPolicyRepresentation,
    profiles: Iterable[ClientProfileRepresentation],
    *,
    strict: bool,
    scope_names: Callable[[], Collection[str]],
) -> ClientPolicyRepresentation:
    if not present(policy.name):
        raise ErrorMessage(400, "client policy without name not allowed")
    if present(policy.mode) and policy.mode not in _MODES:
        raise ErrorMessage(400, f"Policy {policy.name} has invalid mode")
    for condition in given(policy.conditions, []):
        _check_condition(given(policy.name, ""), condition, strict=strict, scope_names=scope_names)
    chosen = given(policy.profiles, [])
    if len(set(chosen)) < len(chosen):
        raise ErrorMessage(400, f"Policy {policy.name} contains duplicated profiles")
    by_name = {profile.name: profile for profile in profiles}
    for name in chosen:
        if name not in by_name:
            raise ErrorMessage(400, f"Policy {policy.name} contains invalid profile {name}")
        for executor in given(by_name[name].executors, []) if strict else ():
            _check_enforced(given(executor.executor, ""))
    return ClientPolicyRepresentation(
        name=policy.name,
        description=policy.description,
        enabled=given(policy.enabled, False),
        mode=policy.mode if present(policy.mode) else UNSET,
        conditions=given(policy.conditions, []),
        profiles=chosen,
    )


def _check_condition(
    policy: str,
    condition: ClientPolicyConditionRepresentation,
    *,
    strict: bool,
    scope_names: Callable[[], Collection[str]],
) -> None:
    from keyturn.oauth2.client_policies import InvalidConfiguration, condition_of

    provider = given(condition.condition, "null")
    settings = given(condition.configuration, {})
    try:
        known = condition_of(provider, settings)
    except InvalidConfiguration as error:
        raise InvalidRequest(f"The condition {provider} cannot be configured so: {error}") from None
    if known is None:
        raise ErrorMessage(400, f"Policy {policy} contains invalid condition {provider}")
    if strict:
        _check_enforced(provider)
    named = list(settings.get("scopes") or []) if provider == "client-scopes" else []
    if named and not set(named) <= set(scope_names()):
        listed = ", ".join(map(str, named))
        raise ErrorMessage(400, f"Invalid client-scopes configuration - Client scopes not allowed: [{listed}]")


def _in_attribute(attributes: Mapping[str, str], name: str, kind: type[D]) -> D | None:
    """What exports of long ago have there. Raises InvalidRequest: it cannot be read (Keycloak answers 500)."""
    if name not in attributes:
        return None
    try:
        return read(attributes[name].encode("utf-8", "surrogatepass"), kind)
    except UnreadableDocument as error:
        raise InvalidRequest(f"The attribute {name} cannot be read: {error}") from None


def with_client_policies(
    realm: RealmRepresentation,
    posted: RealmRepresentation,
    *,
    features: Container[str],
    scope_names: Callable[[], Collection[str]],
) -> RealmRepresentation:
    """`realm` with the profiles and policies of `posted`, a change or an import of it, or of its attributes.

    What cannot be read is not taken, as in Keycloak. A strict realm's own are looked at again, as it may just have
    become strict.

    Raises:
        AdminError: they are none.
    """
    strict = is_strict(realm)
    attributes = given(realm.attributes, {})
    profiles = readable(posted.client_profiles, ClientProfilesRepresentation)
    policies = readable(posted.client_policies, ClientPoliciesRepresentation)
    profiles = profiles or _in_attribute(attributes, _PROFILES_ATTRIBUTE, ClientProfilesRepresentation)
    policies = policies or _in_attribute(attributes, _POLICIES_ATTRIBUTE, ClientPoliciesRepresentation)
    if _PROFILES_ATTRIBUTE in attributes or _POLICIES_ATTRIBUTE in attributes:
        taken = {_PROFILES_ATTRIBUTE, _POLICIES_ATTRIBUTE}
        realm = replace(realm, attributes={name: attributes[name] for name in attributes if name not in taken})
    if profiles is None and policies is None and not strict:
        return replace(
            realm,
            client_profiles={"profiles": [], **to_builtins(profiles_of(realm))},
            client_policies={"policies": [], **to_builtins(policies_of(realm))},
        )
    own = check_profiles(profiles or profiles_of(realm), strict=strict, features=features)
    checked = check_policies(policies or policies_of(realm), own, strict=strict, scope_names=scope_names)
    return replace(realm, client_profiles=to_builtins(own), client_policies=to_builtins(checked))
