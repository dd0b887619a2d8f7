"""What a new realm consists of: Keycloak's defaults, and what an import brings along."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from keyturn.model.administration import MASTER, administration_client_id
from keyturn.model.later_versions import later_scopes, with_later_settings
from keyturn.model.made_realm import InvalidImport, NewRealm, UnknownName
from keyturn.model.new_documents import (
    NewId,
    changed_protocol_mapper,
    default_role_name,
    new_client,
    new_client_scope,
    new_component,
    new_group,
    new_role,
    new_service_account,
    new_user,
    scopes_of_new_client,
)
from keyturn.model.new_realm_document import realm_document
from keyturn.model.old_exports import as_of_today, scope_name, templates_of
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
    given,
    present,
    replace,
)
from keyturn.representations.defaults import Fragment, fragment

__all__ = ["MASTER", "InvalidImport", "NewRealm", "UnknownName", "new_realm"]

_OFFLINE_ACCESS: Final = "offline_access"
_REALM_CLIENT: Final = "realm_client"
"""The client attribute that tells the clients of the administration."""
_NO_ROLE: Final = RoleRepresentation()

RoleKey: TypeAlias = tuple[str | None, str]
"""A role's client (``clientId``; None for a realm role) and its name."""

Roles: TypeAlias = dict[RoleKey, RoleRepresentation]


def new_realm(
    representation: RealmRepresentation, *, new_id: NewId, new_secret: Callable[[], str], now_ms: int
) -> NewRealm:
    """What to store for a realm that is posted, alone or as an import.

    ``master`` also gets its own administration: the role ``admin`` and the client ``master-realm``.

    Args:
        representation: with ``realm``, its name; validated by the caller.
        new_id: makes a UUID.
        new_secret: makes a client secret.
        now_ms: the time in epoch milliseconds.

    Raises:
        UnknownName: the import names a role, client or group that it does not have.
        InvalidImport: what it has in the form of an older version is none.

    Source: Keycloak ``RealmManager.importRealm``, ``DefaultExportImportManager``; asked of Keycloak.
    """
    return _Making(representation, new_id, new_secret, now_ms).made()


class _Making:
    """One realm being made: what exists so far, by name."""

    def __init__(
        self, given_realm: RealmRepresentation, new_id: NewId, new_secret: Callable[[], str], now_ms: int
    ) -> None:
        self.new_id, self.new_secret, self.now_ms = new_id, new_secret, now_ms
        self.name = given(given_realm.realm, "")
        self.source = with_later_settings(as_of_today(given_realm, self._default("components")))
        self.realm_id = given(given_realm.id, "") or new_id()
        self.new = NewRealm(replace(realm_document(self.source), id=self.realm_id))
        self.pairs: dict[str, dict[tuple[str, str], None]] = {}
        self.scope_ids: dict[str, str] = {}
        self.client_ids: dict[str, str] = {}
        self.role_ids: dict[RoleKey, str] = {}
        self.default_role: RoleKey = (None, "")
        self.group_ids: dict[str, str] = {}

    def made(self) -> NewRealm:
        self._client_scopes()
        self._clients()
        self._later_scopes()
        self._roles()
        self._scope_mappings()
        self._components()
        self._groups()
        self._users()
        default_id = self.role_ids[self.default_role]
        default_role = next(role for role in self.new.roles if role.id == default_id)
        return dataclasses.replace(
            self.new,
            realm=replace(self.new.realm, default_role=replace(default_role, attributes=UNSET)),
            relations={relation: list(pairs) for relation, pairs in self.pairs.items()},
        )

    def _default(self, name: Fragment) -> RealmRepresentation:
        return fragment(name, self.name)

    def _relate(self, relation: str, source: str, target: str) -> None:
        self.pairs.setdefault(relation, {})[source, target] = None

    def _client_scopes(self) -> None:
        defaults = self._default("client_scopes")
        built_in = not present(self.source.client_scopes)
        lists = defaults if built_in else self.source
        templates = templates_of(self.source)
        scopes = list(given(lists.client_scopes, [])) if built_in or not templates else templates
        brings_offline_access = any(scope.name == _OFFLINE_ACCESS for scope in scopes)
        if not brings_offline_access:
            scopes += [scope for scope in given(defaults.client_scopes, []) if scope.name == _OFFLINE_ACCESS]
        self.new.client_scopes.extend(
            new_client_scope(
                replace(scope, name=scope_name(given(scope.name, ""))), new_id=self.new_id, built_in=built_in
            )
            for scope in scopes
        )
        if built_in:
            self.new.client_scopes.extend(new_client_scope(scope, new_id=self.new_id) for scope in templates)
        self.scope_ids = {given(scope.name, ""): given(scope.id, "") for scope in self.new.client_scopes}
        for relation, own, usual in (
            ("realm_default_scope", self.source.default_default_client_scopes, lists.default_default_client_scopes),
            ("realm_optional_scope", self.source.default_optional_client_scopes, lists.default_optional_client_scopes),
        ):
            # Without client scopes of its own, an import does not say which are the usual ones' defaults.
            for name in given(usual if built_in else own, []):
                if name in self.scope_ids:
                    self._relate(relation, self.realm_id, self.scope_ids[name])
        if not brings_offline_access:
            self._relate("realm_optional_scope", self.realm_id, self.scope_ids[_OFFLINE_ACCESS])

    def _clients(self) -> None:
        posted = {given(client.client_id, ""): client for client in given(self.source.clients, [])}
        served = {user.service_account_client_id for user in given(self.source.users, [])}
        built_in = given(self._default("clients").clients, [])
        if self.name == MASTER:
            built_in = [client for client in built_in if client.client_id != "realm-management"]
            own = given(self._default("administration").clients, [])
            built_in += [replace(client, protocol="openid-connect") for client in own]
        administrative = {
            client.client_id for client in built_in if given(client.attributes, {}).get(_REALM_CLIENT) == "true"
        }
        for client in built_in:
            # who brings an account client brings an account console, too, if one is wanted
            if client.client_id in posted or (client.client_id == "account-console" and "account" in posted):
                continue
            mappers = [changed_protocol_mapper(each, new_id=self.new_id) for each in given(client.protocol_mappers, [])]
            made = replace(client, id=self.new_id(), protocol_mappers=mappers or UNSET)
            self._client(made, client, scopes=not present(self.source.client_scopes))
        for client in posted.values():
            attributes = {"post.logout.redirect.uris": "+", **given(client.attributes, {})}
            made = new_client(
                replace(client, attributes=attributes),
                new_id=self.new_id,
                new_secret=self.new_secret,
                now=self.now_ms // 1000,
            )
            if client.client_id in administrative:
                made = replace(made, attributes={**given(made.attributes, {}), _REALM_CLIENT: "true"})
            if client.client_id in served:  # its account is imported, not made: only that adds the scope
                client = replace(client, service_accounts_enabled=UNSET)  # noqa: PLW2901 - the same one, for its scopes
            self._client(made, client, scopes=True)
            template = scope_name(given(client.client_template, ""))
            if template in self.scope_ids:
                self._relate("client_default_scope", given(made.id, ""), self.scope_ids[template])

    def _client(self, made: ClientRepresentation, posted: ClientRepresentation, *, scopes: bool) -> None:
        self.new.clients.append(made)
        client_id = given(made.id, "")
        self.client_ids[given(made.client_id, "")] = client_id
        if not scopes:
            return
        default, optional = scopes_of_new_client(
            posted,
            available=self.new.client_scopes,
            realm_default=[scope for _, scope in self.pairs.get("realm_default_scope", ())],
            realm_optional=[scope for _, scope in self.pairs.get("realm_optional_scope", ())],
        )
        for scope in default:
            self._relate("client_default_scope", client_id, scope)
        for scope in optional:
            self._relate("client_optional_scope", client_id, scope)

    def _later_scopes(self) -> None:
        """Client scopes that are younger than the import: for all its clients, whatever it says of their scopes."""
        usual = {scope.name: scope for scope in given(self._default("client_scopes").client_scopes, [])}
        for name, how in later_scopes(self.source).items():
            if name in self.scope_ids or not present(self.source.client_scopes):
                continue
            scope = new_client_scope(usual[name], new_id=self.new_id, built_in=True)
            self.new.client_scopes.append(scope)
            self.scope_ids[name] = given(scope.id, "")
            if how:
                self._relate(f"realm_{how}_scope", self.realm_id, self.scope_ids[name])
            for client in self.new.clients if how else ():
                if client.protocol == scope.protocol and client.bearer_only is not True:
                    self._relate(f"client_{how}_scope", given(client.id, ""), self.scope_ids[name])

    def _roles(self) -> None:
        """Imported roles, then the usual ones that are missing.

        A usual composite counts where the role in it is not an imported one: an import says itself what contains it.
        """
        usual_name, own_name = default_role_name(self.name), given(given(self.source.default_role, _NO_ROLE).name, "")
        self.default_role = (None, own_name or usual_name)
        imported: Roles = dict(self._roles_in(given(self.source.roles, RolesRepresentation()), strict=True))
        if own_name:  # of what the roles say of it, only what it contains counts
            told = imported.get(self.default_role, _NO_ROLE)
            default_role = given(self.source.default_role, _NO_ROLE)
            imported[self.default_role] = replace(default_role, composites=told.composites)
        usual: Roles = {}
        for roles in self._usual_roles():
            usual.update(self._roles_in(roles, strict=False))
        if own_name:
            usual[self.default_role] = usual.pop((None, usual_name))
        for key, role in {**usual, **imported}.items():
            client_id = None if key[0] is None else self.client_ids[key[0]]
            made = new_role(replace(role, name=key[1]), realm_id=self.realm_id, client_id=client_id, new_id=self.new_id)
            made = replace(made, id=given(role.id, "") or made.id)
            self.role_ids[key] = given(made.id, "")
            self.new.roles.append(made)
        self._compose(imported, usual)
        self._mark_composites()

    def _compose(self, imported: Roles, usual: Roles) -> None:
        for key, role in imported.items():
            for part in _composites(role):
                self._relate("composite", self.role_ids[key], self._role(*part))
        for key, role in usual.items():
            for part in _composites(role):
                if part not in imported and part in self.role_ids:
                    self._relate("composite", self.role_ids[key], self.role_ids[part])
        for name in given(self.source.default_roles, []):
            self._relate("composite", self.role_ids[self.default_role], self._role_to_have(None, name.strip()))
        for owner in given(self.source.clients, []):
            for name in given(owner.default_roles, []):
                part_id = self._role_to_have(given(owner.client_id, ""), name)
                self._relate("composite", self.role_ids[self.default_role], part_id)
        if self.name == MASTER:
            for (client, _), role_id in self.role_ids.items():
                if client == administration_client_id(MASTER):
                    self._relate("composite", self.role_ids[None, "admin"], role_id)

    def _usual_roles(self) -> Iterable[RolesRepresentation]:
        parts: list[Fragment] = ["roles", "master", "administration"] if self.name == MASTER else ["roles"]
        return [given(self._default(part).roles, RolesRepresentation()) for part in parts]

    def _roles_in(self, roles: RolesRepresentation, *, strict: bool) -> Iterable[tuple[RoleKey, RoleRepresentation]]:
        for role in given(roles.realm, []):
            yield (None, given(role.name, "")), role
        for client, client_roles in given(roles.client, {}).items():
            if client in self.client_ids:
                yield from (((client, given(role.name, "")), role) for role in client_roles)
            elif strict:
                raise UnknownName(f"App doesn't exist in role definitions: {client}")

    def _mark_composites(self) -> None:
        parents = {parent for parent, _ in self.pairs.get("composite", ())}
        self.new.roles[:] = [replace(role, composite=role.id in parents) for role in self.new.roles]

    def _role(self, client: str | None, name: str) -> str:
        found = self.role_ids.get((client, name))
        if found is None:
            raise UnknownName(f"Unable to find role '{name}'" + (f" of client '{client}'" if client else ""))
        return found

    def _role_to_have(self, client: str | None, name: str) -> str:
        """The role, made where there is none: Keycloak does so for whoever is to hold it."""
        if (client, name) in self.role_ids:
            return self.role_ids[client, name]
        client_id = None if client is None else self.client_ids.get(client)
        if client is not None and client_id is None:
            raise UnknownName(f"Unable to find client of roles: {client}")
        role = RoleRepresentation(name=name)
        made = new_role(role, realm_id=self.realm_id, client_id=client_id, new_id=self.new_id)
        self.role_ids[client, name] = given(made.id, "")
        self.new.roles.append(made)
        return self.role_ids[client, name]

    def _roles_named(self, realm_roles: Maybe[list[str]], client_roles: Maybe[dict[str, list[str]]]) -> Iterable[str]:
        for name in given(realm_roles, []):
            yield self._role_to_have(None, name.strip())
        for client, names in given(client_roles, {}).items():
            yield from (self._role_to_have(client, name.strip()) for name in names)

    def _scope_mappings(self) -> None:
        own = self.source
        usual_scopes = given(self._default("client_scopes").scope_mappings, [])
        usual_clients = given(self._default("clients").client_scope_mappings, {})
        for mapping in [*usual_scopes, *given(own.scope_mappings, [])]:
            self._scope_mapping(mapping, None, strict=mapping not in usual_scopes)
        for client, mappings in [*usual_clients.items(), *given(own.client_scope_mappings, {}).items()]:
            for mapping in mappings:
                self._scope_mapping(mapping, client, strict=mapping not in usual_clients.get(client, []))

    def _scope_mapping(self, mapping: ScopeMappingRepresentation, role_client: str | None, *, strict: bool) -> None:
        """Roles of the realm, or of the client `role_client`, in the scope of a client or client scope."""
        client, scope = given(mapping.client, ""), given(mapping.client_scope, "")
        relation = "client_role_scope" if client else "client_scope_role_scope"
        source = self.client_ids.get(client) if client else self.scope_ids.get(scope)
        if source is None:
            if strict:
                raise UnknownName(f"Unknown client specified in scope mappings: {client or scope}")
            return
        for role in given(mapping.roles, []):
            if strict or (role_client, role) in self.role_ids:
                self._relate(relation, source, self._role_to_have(role_client, role))

    def _components(self) -> None:
        usual, own = given(self._default("components").components, {}), given(self.source.components, {})
        for provider_type, components in {**usual, **own}.items():
            for each in components:
                self._component(each, provider_type, self.realm_id)

    def _component(self, each: ComponentExportRepresentation, provider_type: str, parent_id: str) -> None:
        component = ComponentRepresentation(
            id=each.id,
            name=each.name,
            provider_id=each.provider_id,
            provider_type=provider_type,
            parent_id=parent_id,
            sub_type=each.sub_type,
            config=each.config,
        )
        made = new_component(component, parent_id=parent_id, new_id=self.new_id)
        self.new.components.append(made)
        for sub_type, below in given(each.sub_components, {}).items():
            for component_below in below:
                self._component(component_below, sub_type, given(made.id, ""))

    def _groups(self) -> None:
        for group in given(self.source.groups, []):
            self._group(group, None)
        for path in given(self.source.default_groups, []) if present(self.source.groups) else ():
            self._relate("default_group", self.realm_id, self._group_at(path))

    def _group(self, group: GroupRepresentation, parent: GroupRepresentation | None) -> None:
        made = new_group(group, parent=parent, new_id=self.new_id)
        self.new.groups.append(made)
        self.group_ids[given(made.path, "")] = given(made.id, "")
        for role in self._roles_named(group.realm_roles, group.client_roles):
            self._relate("group_role", given(made.id, ""), role)
        for below in given(group.sub_groups, []):
            self._group(below, made)

    def _group_at(self, path: str) -> str:
        found = self.group_ids.get(path if path.startswith("/") else f"/{path}")
        if found is None:
            raise UnknownName(f"Unable to find group specified by path: {path}")
        return found

    def _users(self) -> None:
        served = set()
        for user in given(self.source.users, []):
            client = given(user.service_account_client_id, "")
            if client and client not in self.client_ids:
                raise UnknownName(f"Unable to find client specified for service account link. Client: {client}")
            made = new_user(user, new_id=self.new_id, now_ms=self.now_ms)
            if client:
                made = replace(made, service_account_client_id=self.client_ids[client])
                served.add(self.client_ids[client])
            self.new.users.append(made)
            for role in self._roles_named(user.realm_roles, user.client_roles):
                self._relate("user_role", given(made.id, ""), role)
            for path in given(user.groups, []):
                self._relate("membership", given(made.id, ""), self._group_at(path))
        for service in self.new.clients:
            if given(service.service_accounts_enabled, False) and service.id not in served:
                account = new_service_account(service, new_id=self.new_id, now_ms=self.now_ms)
                self.new.users.append(account)
                self._relate("user_role", given(account.id, ""), self.role_ids[self.default_role])
                for _, group in self.pairs.get("default_group", ()):
                    self._relate("membership", given(account.id, ""), group)


def _composites(role: RoleRepresentation) -> Iterable[RoleKey]:
    composites = given(role.composites, Composites())
    for name in given(composites.realm, []):
        yield None, name
    for client, names in given(composites.client, {}).items():
        yield from ((client, name) for name in names)
