"""Client profiles (what is demanded of clients) and client policies (of which clients)."""

from typing import Any

from keyturn.representations.base import UNSET, Maybe, Representation

__all__ = [
    "ClientPoliciesRepresentation",
    "ClientPolicyConditionRepresentation",
    "ClientPolicyExecutorRepresentation",
    "ClientPolicyRepresentation",
    "ClientProfileRepresentation",
    "ClientProfilesRepresentation",
]


class ClientPolicyExecutorRepresentation(Representation):
    """One demand of a profile."""

    executor: Maybe[str] = UNSET
    configuration: Maybe[Any] = UNSET


class ClientProfileRepresentation(Representation):
    """Demands that belong together."""

    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    executors: Maybe[list[ClientPolicyExecutorRepresentation]] = UNSET


class ClientProfilesRepresentation(Representation):
    """The profiles of a realm, and those that every realm has."""

    profiles: Maybe[list[ClientProfileRepresentation]] = UNSET
    global_profiles: Maybe[list[ClientProfileRepresentation]] = UNSET


class ClientPolicyConditionRepresentation(Representation):
    """One thing that a policy makes its profiles' demands depend on."""

    condition: Maybe[str] = UNSET
    configuration: Maybe[Any] = UNSET


class ClientPolicyRepresentation(Representation):
    """What is demanded (profiles) of which clients and requests (conditions)."""

    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET
    mode: Maybe[str] = UNSET
    conditions: Maybe[list[ClientPolicyConditionRepresentation]] = UNSET
    profiles: Maybe[list[str]] = UNSET


class ClientPoliciesRepresentation(Representation):
    """The policies of a realm, and those that every realm has."""

    policies: Maybe[list[ClientPolicyRepresentation]] = UNSET
    global_policies: Maybe[list[ClientPolicyRepresentation]] = UNSET
