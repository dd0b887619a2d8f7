"""That every text of a realm fits where Keycloak keeps it: what is imported is refused as its database does."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from keyturn.admin.errors import ErrorMessage
from keyturn.admin.lengths import LONGEST, LONGEST_ID
from keyturn.model.made_realm import NewRealm
from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.representations.component import ComponentRepresentation
from keyturn.representations.protocol_mapper import ProtocolMapperRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation

__all__ = ["check_columns", "check_columns_of_realm"]

_LONGEST_SETTING: Final = 2048
"""Characters of a value among a client scope's attributes."""
_OF_REALM: Final = ("realm", "login_theme", "account_theme", "admin_theme", "email_theme", "default_locale")
_NAMES_IN_REALM: Final = ("attributes", "browser_security_headers", "localization_texts", "smtp_server")
_LISTS_IN_REALM: Final = ("supported_locales", "enabled_event_types", "events_listeners")

Column = tuple[Iterable[Any], int]
"""Texts, some of which may be absent, and how long each may be."""


def check_columns_of_realm(realm: RealmRepresentation) -> None:
    """Raises ErrorMessage for a setting that is too long."""
    _check(_columns_of_realm(realm))


def check_columns(made: NewRealm) -> None:
    """Raises ErrorMessage for a text of a new realm, or of what comes with it, that is too long."""
    _check(
        chain(
            _columns_of_realm(made.realm),
            _columns_of_what_is_kept_with_it(made.realm),
            chain.from_iterable(map(_columns_of_client, made.clients)),
            chain.from_iterable(map(_columns_of_scope, made.client_scopes)),
            chain.from_iterable(map(_columns_of_component, made.components)),
            chain.from_iterable(map(_columns_of_user, made.users)),
            chain.from_iterable(map(_columns_of_named, [*made.groups, *made.roles])),
        )
    )


def _check(columns: Iterable[Column]) -> None:
    for texts, longest in columns:
        if any(isinstance(text, str) and len(text) > longest for text in texts):
            raise ErrorMessage(400, "Database operation failed")


def _columns_of_realm(realm: RealmRepresentation) -> Iterator[Column]:
    yield [getattr(realm, name) for name in _OF_REALM], LONGEST
    yield [realm.otp_policy_type], LONGEST_ID
    for names in _NAMES_IN_REALM:
        yield given(getattr(realm, names), {}), LONGEST
    for texts in _LISTS_IN_REALM:
        yield given(getattr(realm, texts), []), LONGEST
    yield given(realm.smtp_server, {}).values(), LONGEST


def _columns_of_what_is_kept_with_it(realm: RealmRepresentation) -> Iterator[Column]:
    for action in given(realm.required_actions, []):
        yield [action.alias, action.provider_id, action.name, *given(action.config, {})], LONGEST
    for mapper in given(realm.identity_provider_mappers, []):
        yield [mapper.name, mapper.identity_provider_alias, mapper.identity_provider_mapper], LONGEST


def _columns_of_client(client: ClientRepresentation) -> Iterator[Column]:
    texts = [client.client_id, client.name, client.description, client.secret, client.client_authenticator_type]
    texts += [client.root_url, client.base_url, client.admin_url]
    yield [*texts, *given(client.redirect_uris, []), *given(client.web_origins, [])], LONGEST
    yield [*given(client.attributes, {}), *given(client.registered_nodes, {})], LONGEST
    yield from _columns_of_mappers(given(client.protocol_mappers, []))


def _columns_of_scope(scope: ClientScopeRepresentation) -> Iterator[Column]:
    yield [scope.name, scope.description, scope.protocol, *given(scope.attributes, {})], LONGEST
    yield given(scope.attributes, {}).values(), _LONGEST_SETTING
    yield [scope.id], LONGEST_ID
    yield from _columns_of_mappers(given(scope.protocol_mappers, []))


def _columns_of_mappers(mappers: Iterable[ProtocolMapperRepresentation]) -> Iterator[Column]:
    for mapper in mappers:
        yield [mapper.name, mapper.protocol, mapper.protocol_mapper], LONGEST
        yield [mapper.id], LONGEST_ID


def _columns_of_component(component: ComponentRepresentation) -> Iterator[Column]:
    yield [component.name, component.sub_type, *given(component.config, {})], LONGEST
    yield [component.id], LONGEST_ID


def _columns_of_user(user: UserRepresentation) -> Iterator[Column]:
    yield [user.username, user.first_name, user.last_name, user.email], LONGEST
    yield [*given(user.attributes, {}), *given(user.required_actions, [])], LONGEST
    yield [user.id], LONGEST_ID


def _columns_of_named(document: Any) -> Iterator[Column]:
    """A role or group, the values of whose attributes are as short as their names."""
    attributes: Mapping[str, list[str]] = given(document.attributes, {})
    yield [document.name, document.description, *attributes], LONGEST
    yield chain.from_iterable(attributes.values()), LONGEST
    yield [document.id], LONGEST_ID
