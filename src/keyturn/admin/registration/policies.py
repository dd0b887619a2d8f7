"""Registration policies: what clients may be registered, and what becomes of them.

They are components of the realm, one set for who has no token and one for who has one.
Source: Keycloak ``ClientRegistrationPolicyManager`` and its policies; asked of Keycloak.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from keyturn.admin.registration import trusted_hosts
from keyturn.admin.registration.refusal import refused_by_policy
from keyturn.admin.registration.tokens import RegistrationAuth
from keyturn.admin.registration.trusted_hosts import Names
from keyturn.representations import UNSET, ClientRepresentation, ComponentRepresentation, given
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, COMPONENTS
from keyturn.store.spi import Reader, Relation

__all__ = ["PROVIDER_TYPE", "Policies"]

PROVIDER_TYPE: Final = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"
_MAXIMUM: Final = 200
"""Clients of a realm where the policy does not say."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a policy is asked about; `stored` is the client that is there, None for a new one."""

    reader: Reader
    realm_id: str
    address: str
    names: Names
    sent: ClientRepresentation
    stored: ClientRepresentation | None = None


Config = Mapping[str, list[str]]
Check = Callable[[Config, _Asked], str | None]
"""Why a policy with this configuration does not allow it; None where it does."""


def _host(config: Config, asked: _Asked) -> str | None:
    return trusted_hosts.check_host(config, asked.address, asked.names)


def _host_and_urls(config: Config, asked: _Asked) -> str | None:
    return _host(config, asked) or trusted_hosts.check_urls(config, asked.sent)


def _number_of_clients(config: Config, asked: _Asked) -> str | None:
    most = _number(_first(config, "max-clients"), _MAXIMUM)
    if asked.reader.count(CLIENTS, asked.realm_id) < most:
        return None
    return f"It's allowed to have max {most} clients per realm"


def _scopes(config: Config, asked: _Asked) -> str | None:
    """The scopes of the configuration, and the realm's own; those that a client has already stay allowed."""
    reader, realm_id = asked.reader, asked.realm_id
    allowed = set(config.get("allowed-client-scopes", []))
    if (_first(config, "allow-default-scopes") or "true").lower() == "true":
        for relation in (Relation.REALM_DEFAULT_SCOPE, Relation.REALM_OPTIONAL_SCOPE):
            allowed |= _scope_names(asked, reader.targets(relation, realm_id, realm_id))
    lists = (
        (asked.sent.default_client_scopes, Relation.CLIENT_DEFAULT_SCOPE),
        (asked.sent.optional_client_scopes, Relation.CLIENT_OPTIONAL_SCOPE),
    )
    for names, relation in lists:
        had: set[str] = set()
        if asked.stored is not None:
            had = _scope_names(asked, reader.targets(relation, realm_id, str(asked.stored.id)))
        if set(given(names, [])) - had - allowed:
            return "Not permitted to use specified clientScope"
    return None


def _scope_names(asked: _Asked, ids: Iterable[str]) -> set[str]:
    return {str(scope.name) for scope in asked.reader.get_many(CLIENT_SCOPES, asked.realm_id, ids)}


_MAPPER_REFUSED: Final = "ProtocolMapper type not allowed"


def _mappers(config: Config, asked: _Asked) -> str | None:
    """Mappers of the types of the configuration; those that a client has already may stay, unchanged."""
    known = {} if asked.stored is None else {each.id: each for each in given(asked.stored.protocol_mappers, [])}
    for mapper in given(asked.sent.protocol_mappers, []):
        if mapper.protocol_mapper in _types(config):
            continue
        if asked.stored is None:
            return _MAPPER_REFUSED
        if not isinstance(mapper.id, str):
            return f"Missing id for mapper named '{mapper.name}'"
        before = known.get(mapper.id)
        if before is None:
            return f"No existing mapper model found for id '{mapper.id}'"
        if before.protocol_mapper != mapper.protocol_mapper or given(before.config, {}) != given(mapper.config, {}):
            return _MAPPER_REFUSED
    return None


def _types(config: Config) -> list[str]:
    return config.get("allowed-protocol-mapper-types", [])


def _allowed_mappers_only(config: Config, client: ClientRepresentation) -> ClientRepresentation:
    kept = [each for each in given(client.protocol_mappers, []) if each.protocol_mapper in _types(config)]
    return replace(client, protocol_mappers=kept or UNSET)


def _stays_consented(_config: Config, asked: _Asked) -> str | None:
    if asked.stored is None or asked.stored.consent_required is not True or asked.sent.consent_required is not False:
        return None
    return "Not permitted to update consentRequired to false"


def _stays_small(_config: Config, asked: _Asked) -> str | None:
    if asked.stored is None or asked.stored.full_scope_allowed is True or asked.sent.full_scope_allowed is not True:
        return None
    return "Not permitted to enable fullScopeAllowed"


def _stays_disabled(_config: Config, asked: _Asked) -> str | None:
    if asked.stored is None or asked.stored.enabled is True or asked.sent.enabled is not True:
        return None
    return "Not permitted to enable client"


def _nothing(_config: Config, _asked: _Asked) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class _Policy:
    """What a kind of policy does. `made` changes a client that has just been registered."""

    register: Check = _nothing
    update: Check = _nothing
    view: Check = _nothing
    made: Callable[[Config, ClientRepresentation], ClientRepresentation] = field(default=lambda _config, client: client)


_POLICIES: Final[Mapping[str, _Policy]] = MappingProxyType(
    {
        "trusted-hosts": _Policy(_host_and_urls, _host_and_urls, _host),
        "max-clients": _Policy(_number_of_clients),
        "allowed-client-templates": _Policy(_scopes, _scopes),
        "allowed-protocol-mappers": _Policy(_mappers, _mappers, made=_allowed_mappers_only),
        "consent-required": _Policy(
            update=_stays_consented, made=lambda _config, client: replace(client, consent_required=True)
        ),
        "scope": _Policy(update=_stays_small, made=lambda _config, client: replace(client, full_scope_allowed=False)),
        "client-disabled": _Policy(update=_stays_disabled, made=lambda _config, client: replace(client, enabled=False)),
        "registration-web-origins": _Policy(),
    }
)
"""By ``providerId``."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of one realm, for one caller."""

    reader: Reader
    realm_id: str
    address: str
    names: Names

    def before_register(self, auth: RegistrationAuth, client: ClientRepresentation) -> None:
        """Raises Refusal where `client` may not be registered."""
        asked = self._asked(client)
        self._ask(auth, lambda policy, config: policy.register(config, asked))

    def registered(self, auth: RegistrationAuth, client: ClientRepresentation) -> ClientRepresentation:
        """What becomes of the new `client`."""
        for component, policy in self._of(auth):
            client = policy.made(given(component.config, {}), client)
        return client

    def before_update(self, auth: RegistrationAuth, stored: ClientRepresentation, change: ClientRepresentation) -> None:
        """Raises Refusal where `stored` may not be changed so."""
        asked = self._asked(change, stored)
        self._ask(auth, lambda policy, config: policy.update(config, asked))

    def before_view(self, auth: RegistrationAuth, client: ClientRepresentation) -> None:
        """Raises Refusal where `client` may not be read, or removed, from here."""
        asked = self._asked(client, client)
        self._ask(auth, lambda policy, config: policy.view(config, asked))

    def origins(self, auth: RegistrationAuth) -> list[str]:
        """Origins of pages that may register clients."""
        found: list[str] = []
        for component, _ in self._of(auth):
            if component.provider_id == "registration-web-origins":
                found += given(component.config, {}).get("web-origins", [])
        return found

    def _asked(self, sent: ClientRepresentation, stored: ClientRepresentation | None = None) -> _Asked:
        return _Asked(self.reader, self.realm_id, self.address, self.names, sent, stored)

    def _ask(self, auth: RegistrationAuth, question: Callable[[_Policy, Config], str | None]) -> None:
        for component, policy in self._of(auth):
            reason = question(policy, given(component.config, {}))
            if reason is not None:
                raise refused_by_policy(str(component.name), reason)

    def _of(self, auth: RegistrationAuth) -> Iterator[tuple[ComponentRepresentation, _Policy]]:
        where: dict[str, str | None] = {"provider_type": PROVIDER_TYPE}
        for component in self.reader.select(COMPONENTS, self.realm_id, where=where):
            policy = _POLICIES.get(str(component.provider_id))
            if component.sub_type == auth and policy is not None:
                yield component, policy


def _first(config: Config, name: str) -> str:
    return next(iter(config.get(name, [])), "")


def _number(text: str, default: int) -> int:
    try:
        return int(text)
    except ValueError:
        return default
