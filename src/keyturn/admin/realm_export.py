"""A realm as one document: what an export has of it, with its secrets or without.

Source: Keycloak ``ExportUtils.exportRealm``, ``StripSecretsUtils``; asked of Keycloak.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from keyturn import KEYCLOAK_VERSION
from keyturn.admin.authentication_flows import (
    configurations_of,
    exported_flows,
    required_actions_of,
    shown_configuration,
)
from keyturn.admin.component_validation import MASK, shown_config
from keyturn.model.client_credential import SECRET, named_credentials, with_credentials
from keyturn.model.new_realm_document import REPLACED
from keyturn.representations import (
    UNSET,
    ClientRepresentation,
    ComponentExportRepresentation,
    ComponentRepresentation,
    Composites,
    GroupRepresentation,
    Maybe,
    RealmRepresentation,
    RoleRepresentation,
    RolesRepresentation,
    ScopeMappingRepresentation,
    UserRepresentation,
    given,
    present,
    replace,
)
from keyturn.representations.identity_provider import IdentityProviderRepresentation
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, COMPONENTS, GROUPS, ROLES, USERS
from keyturn.store.spi import Reader, Relation

__all__ = ["Exported", "Users", "exported_realm", "without_secrets"]

D = TypeVar("D")

_IN_A_VAULT: Final = re.compile(r"\$\{vault\..+\}")
"""What only names a secret, and is shown."""
_SECRETS_OF_SMTP: Final = frozenset({"password", "authTokenClientSecret"})
_ROTATED: Final = "client.secret.rotated"
_CLIENT_SECRET: Final = "clientSecret"


class Users(StrEnum):
    """Which users an export has."""

    NONE = "none"
    SERVICE_ACCOUNTS = "service accounts"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Exported:
    """What of a realm is exported beside its settings, client scopes and components."""

    clients: bool = True
    groups_and_roles: bool = True
    users: Users = Users.ALL
    credentials: bool = True
    """Whether users come with theirs."""


def exported_realm(reader: Reader, realm: RealmRepresentation, wanted: Exported) -> RealmRepresentation:
    """The stored `realm` with what is `wanted` of it, secrets and private keys included: see `without_secrets`.

    Everything stands in an order that does not depend on the store's, so that two exports can be compared.
    """
    return _Export(reader, realm, wanted).document()


@dataclass(slots=True)
class _Export:
    """One export: the realm's documents by id, and the names that stand for ids on the wire."""

    reader: Reader
    realm: RealmRepresentation
    wanted: Exported
    realm_id: str = field(init=False)
    clients: dict[str, ClientRepresentation] = field(init=False)
    roles: dict[str, RoleRepresentation] = field(init=False)
    scope_names: dict[str, str] = field(init=False)
    group_paths: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.realm_id = str(self.realm.id)
        clients = self.reader.select(CLIENTS, self.realm_id, order_by="client_id")
        self.clients = {str(client.id): client for client in clients}
        self.roles = {str(role.id): role for role in self.reader.select(ROLES, self.realm_id, order_by="name")}
        scopes = self.reader.select(CLIENT_SCOPES, self.realm_id, order_by="name")
        self.scope_names = {str(scope.id): str(scope.name) for scope in scopes}
        self.group_paths = {}

    def document(self) -> RealmRepresentation:
        realm, wanted = self.realm, self.wanted
        groups = self._groups(None, "", self._held(Relation.GROUP_ROLE))
        defaults = [self.group_paths[group] for group in self._targets(Relation.DEFAULT_GROUP)]
        return replace(
            realm,
            **dict.fromkeys(REPLACED, UNSET),
            keycloak_version=KEYCLOAK_VERSION,
            localization_texts=given(realm.localization_texts, {}),
            identity_providers=given(realm.identity_providers, []),
            identity_provider_mappers=given(realm.identity_provider_mappers, []),
            authentication_flows=exported_flows(realm),
            authenticator_config=configurations_of(realm),
            required_actions=required_actions_of(realm),
            client_scopes=self.reader.select(CLIENT_SCOPES, self.realm_id, order_by="name"),
            default_default_client_scopes=self._scopes(self._targets(Relation.REALM_DEFAULT_SCOPE)),
            default_optional_client_scopes=self._scopes(self._targets(Relation.REALM_OPTIONAL_SCOPE)),
            components=self._components(),
            clients=self._clients() if wanted.clients else UNSET,
            groups=groups if wanted.groups_and_roles else UNSET,
            default_groups=defaults or UNSET,
            roles=self._roles() if wanted.groups_and_roles else UNSET,
            scope_mappings=self._scope_mappings().get(None, []) or UNSET,
            client_scope_mappings=self._client_scope_mappings() or UNSET,
            users=self._users() or UNSET,
        )

    def _targets(self, relation: Relation) -> list[str]:
        return self.reader.targets(relation, self.realm_id, self.realm_id)

    def _scopes(self, ids: Iterable[str]) -> list[str]:
        return [self.scope_names[each] for each in ids if each in self.scope_names]

    def _pairs(self, relation: Relation) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for source, target in self.reader.pairs(relation, self.realm_id):
            found[source].append(target)
        return found

    def _clients(self) -> list[ClientRepresentation]:
        default, optional = self._pairs(Relation.CLIENT_DEFAULT_SCOPE), self._pairs(Relation.CLIENT_OPTIONAL_SCOPE)
        return [
            replace(
                client,
                registration_access_token=UNSET,
                default_client_scopes=self._scopes(default.get(each, ())),
                optional_client_scopes=self._scopes(optional.get(each, ())),
            )
            for each, client in self.clients.items()
        ]

    def _split(self, ids: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
        """The names of the roles of these ids: the realm's, and the clients' by ``clientId``."""
        realm: list[str] = []
        client: dict[str, list[str]] = {}
        for role in sorted(filter(None, map(self.roles.get, ids)), key=lambda role: str(role.name)):
            owner = self.clients.get(str(role.container_id))
            if role.client_role is not True:
                realm.append(str(role.name))
            elif owner is not None:
                client.setdefault(str(owner.client_id), []).append(str(role.name))
        return realm, dict(sorted(client.items()))

    def _held(self, relation: Relation) -> dict[str, tuple[list[str], dict[str, list[str]]]]:
        return {source: self._split(roles) for source, roles in self._pairs(relation).items()}

    def _roles(self) -> RolesRepresentation:
        parts = self._pairs(Relation.COMPOSITE)
        of_realm: list[RoleRepresentation] = []
        of_clients: dict[str, list[RoleRepresentation]] = {
            str(client.client_id): [] for client in self.clients.values()
        }
        for each, role in self.roles.items():
            realm, client = self._split(parts.get(each, ()))
            composites = Composites(realm=realm or UNSET, client=client or UNSET)
            exported = replace(
                role,
                composite=bool(realm or client),
                composites=composites if realm or client else UNSET,
                attributes=given(role.attributes, {}),
            )
            owner = self.clients.get(str(role.container_id))
            if role.client_role is not True:
                of_realm.append(exported)
            elif owner is not None:
                of_clients[str(owner.client_id)].append(exported)
        return RolesRepresentation(realm=of_realm, client=of_clients if self.wanted.clients else UNSET)

    def _groups(
        self, parent: str | None, path: str, held: dict[str, tuple[list[str], dict[str, list[str]]]]
    ) -> list[GroupRepresentation]:
        found = []
        for group in self.reader.select(GROUPS, self.realm_id, where={"parent_id": parent}, order_by="name"):
            below = f"{path}/{group.name}"
            self.group_paths[str(group.id)] = below
            realm, client = held.get(str(group.id), ([], {}))
            found.append(
                replace(
                    group,
                    path=below,
                    sub_groups=self._groups(str(group.id), below, held),
                    attributes=given(group.attributes, {}),
                    realm_roles=realm,
                    client_roles=client,
                )
            )
        return found

    def _scope_mappings(self) -> dict[str | None, list[ScopeMappingRepresentation]]:
        """By the ``clientId`` of the roles' owner, or None for the realm's."""
        found: dict[str | None, list[ScopeMappingRepresentation]] = defaultdict(list)
        if self.wanted.clients:
            for each, roles in self._pairs(Relation.CLIENT_ROLE_SCOPE).items():
                name = self.clients[each].client_id
                for owner, names in self._by_owner(roles):
                    found[owner].append(ScopeMappingRepresentation(client=name, roles=names))
        for each, roles in self._pairs(Relation.CLIENT_SCOPE_ROLE_SCOPE).items():
            for owner, names in self._by_owner(roles):
                found[owner].append(ScopeMappingRepresentation(client_scope=self.scope_names[each], roles=names))
        return found

    def _by_owner(self, roles: Iterable[str]) -> list[tuple[str | None, list[str]]]:
        realm, client = self._split(roles)
        return [*([(None, realm)] if realm else ()), *client.items()]

    def _client_scope_mappings(self) -> dict[str, list[ScopeMappingRepresentation]]:
        return {owner: mappings for owner, mappings in self._scope_mappings().items() if owner is not None}

    def _components(self) -> dict[str, list[ComponentExportRepresentation]]:
        below: dict[str, list[ComponentRepresentation]] = defaultdict(list)
        for component in self.reader.select(COMPONENTS, self.realm_id, order_by="name"):
            below[str(component.parent_id)].append(component)
        return _components(below, self.realm_id)

    def _users(self) -> list[UserRepresentation]:
        if self.wanted.users is Users.NONE:
            return []
        roles, groups = self._held(Relation.USER_ROLE), self._pairs(Relation.MEMBERSHIP)
        return [
            self._user(user, roles.get(str(user.id), ([], {})), groups.get(str(user.id), ()))
            for user in self.reader.select(USERS, self.realm_id, order_by="username")
            if self.wanted.users is Users.ALL or self._serves(user)
        ]

    def _serves(self, user: UserRepresentation) -> bool:
        client = self.clients.get(given(user.service_account_client_id, ""))
        return (
            client is not None
            and client.service_accounts_enabled is True
            and True not in {client.public_client, client.bearer_only}
        )

    def _user(
        self, user: UserRepresentation, roles: tuple[list[str], dict[str, list[str]]], groups: Iterable[str]
    ) -> UserRepresentation:
        client = self.clients.get(given(user.service_account_client_id, ""))
        exported = replace(
            user,
            service_account_client_id=UNSET if client is None else client.client_id,
            credentials=given(user.credentials, []) if self.wanted.credentials else UNSET,
        )
        if not self.wanted.groups_and_roles:
            return exported
        return replace(
            exported,
            realm_roles=roles[0] or UNSET,
            client_roles=roles[1] or UNSET,
            groups=[self.group_paths[group] for group in groups],
        )


def _components(
    below: dict[str, list[ComponentRepresentation]], parent: str
) -> dict[str, list[ComponentExportRepresentation]]:
    found: dict[str, list[ComponentExportRepresentation]] = {}
    for each in below.get(parent, ()):
        found.setdefault(str(each.provider_type), []).append(
            ComponentExportRepresentation(
                id=each.id,
                name=each.name,
                provider_id=each.provider_id,
                sub_type=each.sub_type,
                sub_components=_components(below, str(each.id)),
                config=given(each.config, {}),
            )
        )
    return dict(sorted(found.items()))


def without_secrets(exported: RealmRepresentation) -> RealmRepresentation:
    """`exported` with its secrets masked, and without those settings of components that their providers do not declare.

    What names a secret in a vault is shown.
    """
    smtp = given(exported.smtp_server, {})
    shown = {name: _masked(value) if name in _SECRETS_OF_SMTP else value for name, value in smtp.items()}
    return replace(
        exported,
        smtp_server=shown,
        clients=_each(exported.clients, _client_shown),
        identity_providers=_each(exported.identity_providers, _provider_shown),
        components=_components_shown(given(exported.components, {})),
        authenticator_config=_each(exported.authenticator_config, shown_configuration),
    )


def _masked(secret: str) -> str:
    return secret if _IN_A_VAULT.fullmatch(secret) else MASK


def _each(documents: Maybe[list[D]], shown: Callable[[D], D]) -> Maybe[list[D]]:
    return [shown(document) for document in documents] if isinstance(documents, list) else documents


def _client_shown(client: ClientRepresentation) -> ClientRepresentation:
    if present(client.attributes):
        named = named_credentials(given(client.attributes, {}))
        client = with_credentials(client, (each for each in named if each.type != SECRET))
    attributes = given(client.attributes, {})
    if _ROTATED in attributes:
        client = replace(client, attributes={**attributes, _ROTATED: _masked(attributes[_ROTATED])})
    return replace(client, secret=_masked(client.secret)) if isinstance(client.secret, str) else client


def _provider_shown(provider: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    config = given(provider.config, {})
    if _CLIENT_SECRET not in config:
        return provider
    return replace(provider, config={**config, _CLIENT_SECRET: _masked(config[_CLIENT_SECRET])})


def _components_shown(
    components: Mapping[str, list[ComponentExportRepresentation]],
) -> dict[str, list[ComponentExportRepresentation]]:
    return {
        provider_type: [
            replace(
                each,
                config=shown_config(
                    ComponentRepresentation(
                        provider_type=provider_type, provider_id=each.provider_id, config=each.config
                    )
                ),
                sub_components=_components_shown(given(each.sub_components, {})),
            )
            for each in listed
        ]
        for provider_type, listed in components.items()
    }
