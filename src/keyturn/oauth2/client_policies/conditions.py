"""The conditions: which clients, which requests, which administrators a policy is for."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, ClassVar, Final, Self

from msgspec import field

from keyturn.model.client_policy import Occasion, PolicyEvent, Updater, Vote
from keyturn.oauth2.client_policies.configuration import ConditionConfiguration, InvalidConfiguration, configuration
from keyturn.representations import ClientRepresentation, Maybe, decode, given

_CHANGES: Final = frozenset({PolicyEvent.REGISTER, PolicyEvent.REGISTERED, PolicyEvent.UPDATE, PolicyEvent.UPDATED})
_WITH_SCOPE: Final = frozenset(
    {
        PolicyEvent.SERVICE_ACCOUNT_TOKEN_REQUEST,
        PolicyEvent.SERVICE_ACCOUNT_TOKEN_RESPONSE,
        PolicyEvent.RESOURCE_OWNER_PASSWORD_CREDENTIALS_REQUEST,
        PolicyEvent.TOKEN_REFRESH,
        PolicyEvent.TOKEN_REFRESH_RESPONSE,
        PolicyEvent.TOKEN_EXCHANGE_REQUEST,
        PolicyEvent.JWT_AUTHORIZATION_GRANT,
        PolicyEvent.USERINFO_REQUEST,
    }
)
_GRANT_TYPES: Final = {
    PolicyEvent.TOKEN_REFRESH: "refresh_token",
    PolicyEvent.RESOURCE_OWNER_PASSWORD_CREDENTIALS_REQUEST: "password",
    PolicyEvent.SERVICE_ACCOUNT_TOKEN_REQUEST: "client_credentials",
    PolicyEvent.TOKEN_EXCHANGE_REQUEST: "urn:ietf:params:oauth:grant-type:token-exchange",
    PolicyEvent.JWT_AUTHORIZATION_GRANT: "urn:ietf:params:oauth:grant-type:jwt-bearer",
}


def _vote(met: bool) -> Vote:
    return Vote.YES if met else Vote.NO


class _Names(ConditionConfiguration):
    names: Maybe[list[str]] = None


@dataclass(frozen=True, slots=True)
class _OfNames:
    """A condition that is configured with a list of names."""

    configured_by: ClassVar[type[_Names]]
    negative: bool
    names: frozenset[str]

    @classmethod
    def of(cls, document: Any) -> Self:
        """The condition of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, cls.configured_by)
        return cls(given(found.is_negative_logic, False), frozenset(given(found.names, [])))


@dataclass(frozen=True, slots=True)
class AnyClient:
    """Everything. Source: Keycloak ``AnyClientCondition``."""

    id: ClassVar = "any-client"
    negative: bool

    @classmethod
    def of(cls, document: Any) -> Self:
        """The condition of this configuration. Raises InvalidConfiguration."""
        return cls(given(configuration(document, ConditionConfiguration).is_negative_logic, False))

    def vote(self, occasion: Occasion) -> Vote:
        """YES."""
        return Vote.YES


class _AccessType(_Names):
    names: Maybe[list[str]] = field(default=None, name="type")


@dataclass(frozen=True, slots=True)
class ClientAccessType(_OfNames):
    """Confidential, public or bearer-only clients. Source: Keycloak ``ClientAccessTypeCondition``."""

    id: ClassVar = "client-access-type"
    configured_by = _AccessType

    def vote(self, occasion: Occasion) -> Vote:
        """Of a change, whether the client is of the type, or is to be."""
        client, proposed = occasion.client, occasion.proposed
        if client is None and occasion.event is not PolicyEvent.REGISTER:
            return Vote.ABSTAIN
        if client is not None and self._matches(client.public, client.bearer_only):
            return Vote.YES
        return _vote(
            proposed is not None
            and self._matches(given(proposed.public_client, False), given(proposed.bearer_only, False))
        )

    def _matches(self, public: bool, bearer_only: bool) -> bool:
        return ("public" if public else "bearer-only" if bearer_only else "confidential") in self.names


class _Protocol(ConditionConfiguration):
    protocol: Maybe[str] = None


@dataclass(frozen=True, slots=True)
class ClientProtocol:
    """Clients of a protocol. Source: Keycloak ``ClientProtocolCondition``."""

    id: ClassVar = "client-type"
    negative: bool
    protocol: str | None

    @classmethod
    def of(cls, document: Any) -> Self:
        """The condition of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _Protocol)
        return cls(given(found.is_negative_logic, False), given(found.protocol, "") or None)

    def vote(self, occasion: Occasion) -> Vote:
        """Of a change, whether the client speaks the protocol, or is to."""
        client, proposed = occasion.client, occasion.proposed
        if client is None and occasion.event is not PolicyEvent.REGISTER:
            return Vote.ABSTAIN
        if client is not None and client.protocol == self.protocol:
            return Vote.YES
        return _vote(proposed is not None and self._proposed(proposed, occasion.event) == self.protocol)

    def _proposed(self, proposed: ClientRepresentation, event: PolicyEvent) -> str:
        return given(proposed.protocol, "openid-connect" if event is PolicyEvent.REGISTER else "")


class _Attributes(ConditionConfiguration):
    attributes: Maybe[str] = None


@dataclass(frozen=True, slots=True)
class ClientAttributes:
    """Clients that have all these attributes. Source: Keycloak ``ClientAttributesCondition``."""

    id: ClassVar = "client-attributes"
    negative: bool
    attributes: dict[str, list[str]] | None

    @classmethod
    def of(cls, document: Any) -> Self:
        """The condition of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _Attributes)
        text = given(found.attributes, "")
        return cls(given(found.is_negative_logic, False), _pairs(text) if text else None)

    def vote(self, occasion: Occasion) -> Vote:
        """Whether the client that there is has them; one that is to be has none yet."""
        if occasion.client is None:
            return Vote.ABSTAIN
        if self.attributes is None:
            return Vote.NO
        has = occasion.client.attributes
        return _vote(all(len(values) == 1 and has.get(name) == values[0] for name, values in self.attributes.items()))


def _pairs(text: str) -> dict[str, list[str]]:
    """The text of Keycloak ``MapperTypeSerializer``: a JSON list of keys and values."""
    try:
        pairs = decode(text, list[dict[str, str]])
        found: dict[str, list[str]] = {}
        for pair in pairs:
            found.setdefault(pair["key"], []).append(pair["value"])
    except (ValueError, KeyError):
        raise InvalidConfiguration("its attributes are no list of keys and values") from None
    return found


class _Roles(_Names):
    names: Maybe[list[str]] = field(default=None, name="roles")


@dataclass(frozen=True, slots=True)
class ClientRoles(_OfNames):
    """Clients that own one of these roles. Source: Keycloak ``ClientRolesCondition``."""

    id: ClassVar = "client-roles"
    configured_by = _Roles

    def vote(self, occasion: Occasion) -> Vote:
        """Whether the client that there is has one."""
        if occasion.client is None:
            return Vote.ABSTAIN
        return _vote(not self.names.isdisjoint(occasion.client.roles()))


class _Scopes(ConditionConfiguration):
    scopes: Maybe[list[str]] = None
    type: Maybe[str] = None


@dataclass(frozen=True, slots=True)
class ClientScopes:
    """Token requests of clients that have one of these scopes, or ask for it. Keycloak ``ClientScopesCondition``."""

    id: ClassVar = "client-scopes"
    negative: bool
    scopes: frozenset[str]
    type: str

    @classmethod
    def of(cls, document: Any) -> Self:
        """The condition of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _Scopes)
        kind = given(found.type, "")
        if found.scopes is not None and not kind:
            raise InvalidConfiguration("it has no type")
        return cls(given(found.is_negative_logic, False), frozenset(given(found.scopes, [])), kind)

    def vote(self, occasion: Occasion) -> Vote:
        """Whether one is among the client's default scopes, or among those that it asks for, by `type`."""
        client = occasion.client
        if client is None or occasion.event not in _WITH_SCOPE:
            return Vote.ABSTAIN
        default = self.type in {"Default", "Any"} and not self.scopes.isdisjoint(client.default_scopes())
        asked = self.scopes & set((occasion.scope or "").split(" "))
        optional = self.type in {"Optional", "Any"} and not asked.isdisjoint(client.optional_scopes())
        return _vote(default or optional)


class _GrantTypes(_Names):
    names: Maybe[list[str]] = field(default=None, name="grant_types")


@dataclass(frozen=True, slots=True)
class GrantType(_OfNames):
    """Token requests of these grant types. Source: Keycloak ``GrantTypeCondition``."""

    id: ClassVar = "grant-type"
    configured_by = _GrantTypes

    def vote(self, occasion: Occasion) -> Vote:
        """Whether it is one of them."""
        grant_type = _GRANT_TYPES.get(occasion.event)
        return Vote.ABSTAIN if grant_type is None else _vote(grant_type in self.names)


class _Sources(_Names):
    names: Maybe[list[str]] = field(default=None, name="update-client-source")


@dataclass(frozen=True, slots=True)
class ClientUpdaterContext(_OfNames):
    """Changes by those who have proved themselves in one of these ways. Keycloak ``ClientUpdaterContextCondition``."""

    id: ClassVar = "client-updater-context"
    configured_by = _Sources

    def vote(self, occasion: Occasion) -> Vote:
        """Whether the caller is one of them."""
        updater = _updater(occasion)
        return Vote.ABSTAIN if updater is None else _vote(updater.source in self.names)


def _updater(occasion: Occasion) -> Updater | None:
    return occasion.updater if occasion.event in _CHANGES else None


class _Groups(_Names):
    names: Maybe[list[str]] = field(default=None, name="groups")


@dataclass(frozen=True, slots=True)
class ClientUpdaterSourceGroups(_OfNames):
    """Changes by members of a group of one of these names. Source: Keycloak ``ClientUpdaterSourceGroupsCondition``."""

    id: ClassVar = "client-updater-source-groups"
    configured_by = _Groups

    def vote(self, occasion: Occasion) -> Vote:
        """Whether the caller is one."""
        updater = _updater(occasion)
        return Vote.ABSTAIN if updater is None else _vote(not self.names.isdisjoint(updater.groups()))


@dataclass(frozen=True, slots=True)
class ClientUpdaterSourceRoles(_OfNames):
    """Changes by those who have one of these roles. Source: Keycloak ``ClientUpdaterSourceRolesCondition``."""

    id: ClassVar = "client-updater-source-roles"
    configured_by = _Roles

    def vote(self, occasion: Occasion) -> Vote:
        """Whether the caller has one."""
        updater = _updater(occasion)
        return Vote.ABSTAIN if updater is None else _vote(any(updater.has_role(role) for role in self.names))


class _Hosts(ConditionConfiguration):
    trusted_hosts: Maybe[list[str]] = None


@dataclass(frozen=True, slots=True)
class ClientUpdaterSourceHost:
    """Changes from these hosts, or from a host in ``*.domain``. Keycloak ``ClientUpdaterSourceHostsCondition``."""

    id: ClassVar = "client-updater-source-host"
    negative: bool
    hosts: tuple[str, ...]

    @classmethod
    def of(cls, document: Any) -> Self:
        """The condition of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _Hosts)
        if found.trusted_hosts is None:
            raise InvalidConfiguration("it has no trusted-hosts")
        return cls(given(found.is_negative_logic, False), tuple(given(found.trusted_hosts, [])))

    def vote(self, occasion: Occasion) -> Vote:
        """Whether the call comes from one. Addresses are compared at once, names are looked up."""
        updater = _updater(occasion)
        if updater is None:
            return Vote.ABSTAIN
        domains = tuple(host[2:] for host in self.hosts if host.startswith("*."))
        addresses = (_address(host, updater) for host in self.hosts if not host.startswith("*."))
        if updater.address in addresses:
            return Vote.YES
        name = updater.name_of(updater.address) if domains else None
        return _vote(name is not None and name.endswith(domains))


def _address(host: str, updater: Updater) -> str | None:
    try:
        return str(ip_address(host))
    except ValueError:
        return updater.address_of(host)
