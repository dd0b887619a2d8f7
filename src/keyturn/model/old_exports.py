"""Exports of older versions, as today's: applications are clients, client templates are client scopes.

Source: Keycloak ``DefaultExportImportManager.convertDeprecatedApplications``, ``convertDeprecatedClientTemplates``;
asked of Keycloak.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from keyturn.model.later_versions import KEY_PROVIDER
from keyturn.model.made_realm import InvalidImport, UnreadableForm
from keyturn.representations import (
    UNSET,
    ClientRepresentation,
    ClientScopeRepresentation,
    ComponentExportRepresentation,
    Composites,
    RealmRepresentation,
    RoleRepresentation,
    RolesRepresentation,
    ScopeMappingRepresentation,
    UserRepresentation,
    given,
    present,
    replace,
)

__all__ = ["as_of_today", "scope_name", "templates_of"]

_GENERATED: Final = ("hmac-generated", "aes-generated")
"""Providers of the keys that an old export does not bring."""
_OF_TEMPLATES: Final = (
    "attributes",
    "fullScopeAllowed",
    "bearerOnly",
    "consentRequired",
    "standardFlowEnabled",
    "implicitFlowEnabled",
    "directAccessGrantsEnabled",
    "serviceAccountsEnabled",
    "publicClient",
    "frontchannelLogout",
)
"""What client templates had and client scopes do not have; Keycloak leaves it out, too."""


def scope_name(name: str) -> str:
    """The name of a client scope: no blanks."""
    return name.replace(" ", "_")


def as_of_today(source: RealmRepresentation, usual: RealmRepresentation) -> RealmRepresentation:
    """`source` with what it has in old forms in the place of today's. What it says in both, it says in today's.

    Args:
        usual: the components of every realm.

    Raises:
        InvalidImport: an application is none.
    """
    return replace(
        source,
        clients=_clients(source),
        applications=UNSET,
        oauth_clients=UNSET,
        client_scope_mappings=source.client_scope_mappings
        if present(source.client_scope_mappings)
        else source.application_scope_mappings,
        application_scope_mappings=UNSET,
        scope_mappings=_each(source.scope_mappings, _scope_mapping),
        roles=_roles(source.roles),
        users=_each(source.users, _user),
        components=_components(source, usual),
        **dict.fromkeys(("private_key", "public_key", "certificate", "code_secret"), UNSET),
    )


def _each(documents: Any, converted: Any) -> Any:
    return [converted(document) for document in documents] if isinstance(documents, list) else documents


def _read(document: Mapping[str, Any], kind: type[Any], *, without: Iterable[str]) -> Any:
    kept = {name: value for name, value in document.items() if name not in set(without)}
    try:
        return msgspec.convert(kept, kind)
    except msgspec.ValidationError as error:
        raise UnreadableForm(str(error)) from None


def _clients(source: RealmRepresentation) -> Any:
    old = [(each, False) for each in given(source.applications, [])]
    old += [(each, True) for each in given(source.oauth_clients, [])]
    clients = list(given(source.clients, []))
    clients += [_application(each, for_people=for_people) for each, for_people in old]
    return clients if clients or present(source.clients) else UNSET


def _application(application: Mapping[str, Any], *, for_people: bool) -> ClientRepresentation:
    client: ClientRepresentation = _read(application, ClientRepresentation, without=("claims",))
    client = replace(client, client_id=client.name, name=UNSET)
    return replace(client, consent_required=True, full_scope_allowed=False) if for_people else client


def templates_of(source: RealmRepresentation) -> list[ClientScopeRepresentation]:
    """The client templates of an import as client scopes. Raises InvalidImport."""
    scopes = []
    for template in given(source.client_templates, []):
        scope: ClientScopeRepresentation = _read(template, ClientScopeRepresentation, without=_OF_TEMPLATES)
        if not given(scope.name, ""):
            raise InvalidImport("A client template needs a name")
        scopes.append(replace(scope, name=scope_name(given(scope.name, ""))))
    return scopes


def _scope_mapping(mapping: ScopeMappingRepresentation) -> ScopeMappingRepresentation:
    if not isinstance(mapping.client_template, str):
        return mapping
    return replace(mapping, client_scope=scope_name(mapping.client_template), client_template=UNSET)


def _roles(roles: Any) -> Any:
    if not isinstance(roles, RolesRepresentation):
        return roles
    of_clients = roles.client if present(roles.client) else roles.application
    return replace(
        roles,
        realm=_each(roles.realm, _role),
        client={client: [_role(role) for role in listed] for client, listed in given(of_clients, {}).items()},
        application=UNSET,
    )


def _role(role: RoleRepresentation) -> RoleRepresentation:
    composites = given(role.composites, Composites())
    if not present(composites.application) or present(composites.client):
        return role
    return replace(role, composites=replace(composites, client=composites.application, application=UNSET))


def _user(user: UserRepresentation) -> UserRepresentation:
    if not present(user.application_roles) or present(user.client_roles):
        return user
    return replace(user, client_roles=user.application_roles, application_roles=UNSET)


def _components(source: RealmRepresentation, usual: RealmRepresentation) -> Any:
    """The key of a realm before Keycloak 2 as its providers of today."""
    own = given(source.components, {})
    if not isinstance(source.private_key, str) or KEY_PROVIDER in own:
        return source.components
    config = {"priority": ["100"], "privateKey": [source.private_key]}
    if isinstance(source.certificate, str):
        config["certificate"] = [source.certificate]
    imported = [
        ComponentExportRepresentation(name=name, provider_id=name, config=config) for name in ("rsa", "rsa-enc")
    ]
    generated = [
        each for each in given(usual.components, {}).get(KEY_PROVIDER, []) if given(each.provider_id, "") in _GENERATED
    ]
    return {**own, KEY_PROVIDER: [*imported, *generated]}
