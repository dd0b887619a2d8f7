"""What people may have to do when they sign in: kept as it is administered.

Source: Keycloak ``AuthenticationManagementResource``.
"""

from collections.abc import Iterable
from typing import Any, Final

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.authentication_flows import priority_behind, required_actions_of
from keyturn.admin.authenticators import required_action_names, required_action_settings
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, InvalidField, NotFound, OAuthError
from keyturn.admin.permissions import MANAGE_REALM, QUERY_USERS, VIEW_REALM, Needs
from keyturn.admin.resource import Resource
from keyturn.representations import given, replace
from keyturn.representations.authentication import (
    RequiredActionConfigInfoRepresentation,
    RequiredActionConfigRepresentation,
    RequiredActionProviderRepresentation,
    UnregisteredRequiredAction,
)
from keyturn.store.collections import REALMS

__all__ = ["required_actions"]

required_actions: Final = Resource("required actions", event=Recorded("REQUIRED_ACTION"))
_CONFIG: Final = Recorded("REQUIRED_ACTION_CONFIG")
_MOVED: Final = Recorded("REQUIRED_ACTION", operation="UPDATE")
_READ_ACTIONS: Final = VIEW_REALM | Needs(tuple(roles - {"manage-users"} for roles in QUERY_USERS.each))
_NONE: Final = "Failed to find required action"
_MAX_AGE: Final = "max_auth_age"


def _stored(realm: RealmView) -> list[RequiredActionProviderRepresentation]:
    return required_actions_of(realm.reader.get(REALMS, realm.id, realm.id) or realm.realm)


def _find(
    actions: Iterable[RequiredActionProviderRepresentation], alias: str, text: str = _NONE
) -> RequiredActionProviderRepresentation:
    found = next((action for action in actions if action.alias == alias), None)
    if found is None:
        raise NotFound(text)
    return found


def _store(realm: RealmAdmin, actions: Iterable[RequiredActionProviderRepresentation]) -> None:
    stored = realm.reader.get(REALMS, realm.id, realm.id) or realm.realm
    realm.tx.update(REALMS, realm.id, replace(stored, required_actions=list(actions)))


def _put(
    realm: RealmAdmin, before: RequiredActionProviderRepresentation, after: RequiredActionProviderRepresentation
) -> None:
    _store(realm, [after if action.alias == before.alias else action for action in _stored(realm)])


@required_actions.get("required-actions", needs=_READ_ACTIONS)
def get_required_actions(realm: RealmView) -> list[RequiredActionProviderRepresentation]:
    """All that the realm has, in their order."""
    return _stored(realm)


@required_actions.get("unregistered-required-actions", needs=VIEW_REALM)
def get_unregistered_required_actions(realm: RealmView) -> list[UnregisteredRequiredAction]:
    """Those that the realm could have, and does not."""
    known = {action.provider_id for action in _stored(realm)}
    names = required_action_names(realm.name)
    return [
        UnregisteredRequiredAction(provider_id=provider, name=name)
        for provider, name in names.items()
        if provider not in known
    ]


@required_actions.post(
    "register-required-action",
    needs=MANAGE_REALM,
    ignore_unknown=True,
    event=Recorded("REQUIRED_ACTION", operation="CREATE"),
)
def register_required_action(realm: RealmAdmin, action: UnregisteredRequiredAction) -> NoContent:
    """Adds one, enabled, behind all others."""
    provider = given(action.provider_id, "")
    if provider not in required_action_names(realm.name):
        raise BadRequest("Required Action Provider with given providerId not found")
    actions = _stored(realm)
    if any(each.alias == provider for each in actions):
        raise OAuthError(409, "conflict", "A Required Action Provider with given alias already exists.")
    made = RequiredActionProviderRepresentation(
        alias=provider,
        name=action.name,
        provider_id=provider,
        enabled=True,
        default_action=False,
        priority=priority_behind(given(each.priority, 0) for each in actions),
        config={},
    )
    _store(realm, [*actions, made])
    return NoContent()


@required_actions.get("required-actions/{action}", needs=VIEW_REALM)
def get_required_action(realm: RealmView, action: str) -> RequiredActionProviderRepresentation:
    """One, by its alias."""
    return _find(_stored(realm), action)


@required_actions.put("required-actions/{action}", needs=MANAGE_REALM)
def put_required_action(realm: RealmAdmin, action: str, change: RequiredActionProviderRepresentation) -> NoContent:
    """Replaces it."""
    before = _find(_stored(realm), action)
    alias = given(change.alias, "") or action
    if alias != action and any(each.alias == alias for each in _stored(realm)):
        raise OAuthError(409, "conflict", "A Required Action Provider with given alias already exists.")
    after = RequiredActionProviderRepresentation(
        alias=alias,
        name=change.name,
        provider_id=before.provider_id,
        enabled=given(change.enabled, False),
        default_action=given(change.default_action, False),
        priority=given(change.priority, 0),
        config=given(change.config, {}),
    )
    _put(realm, before, after)
    return NoContent()


@required_actions.delete("required-actions/{action}", needs=MANAGE_REALM)
def delete_required_action(realm: RealmAdmin, action: str) -> NoContent:
    """Takes it from the realm."""
    _find(_stored(realm), action, f"{_NONE}.")
    _store(realm, [each for each in _stored(realm) if each.alias != action])
    return NoContent()


@required_actions.post("required-actions/{action}/raise-priority", needs=MANAGE_REALM, event=_MOVED)
def raise_action(realm: RealmAdmin, action: str) -> NoContent:
    """Changes places with the one before it."""
    return _moved(realm, action, -1)


@required_actions.post("required-actions/{action}/lower-priority", needs=MANAGE_REALM, event=_MOVED)
def lower_action(realm: RealmAdmin, action: str) -> NoContent:
    """Changes places with the one behind it."""
    return _moved(realm, action, 1)


def _moved(realm: RealmAdmin, alias: str, by: int) -> NoContent:
    actions = _stored(realm)
    moved = _find(actions, alias, f"{_NONE}.")
    at = actions.index(moved)
    if 0 <= at + by < len(actions):
        other = actions[at + by]
        actions[at] = replace(moved, priority=other.priority)
        actions[at + by] = replace(other, priority=moved.priority)
        _store(realm, actions)
    return NoContent()


def _configurable(realm: RealmView, alias: str) -> tuple[RequiredActionProviderRepresentation, list[dict[str, Any]]]:
    settings = required_action_settings(alias)
    if settings is None:
        raise BadRequest("RequiredAction is not configurable")
    return _find(_stored(realm), alias, "Could not find RequiredAction config"), settings


@required_actions.get("required-actions/{action}/config", needs=VIEW_REALM)
def get_required_action_config(realm: RealmView, action: str) -> RequiredActionConfigRepresentation:
    """What it is configured with."""
    return RequiredActionConfigRepresentation(config=given(_configurable(realm, action)[0].config, {}))


@required_actions.put("required-actions/{action}/config", needs=MANAGE_REALM, event=_CONFIG)
def put_required_action_config(realm: RealmAdmin, action: str, config: RequiredActionConfigRepresentation) -> NoContent:
    """Replaces what it is configured with; what cannot be configured is left out."""
    before, settings = _configurable(realm, action)
    sent = given(config.config, {})
    if sent.get(_MAX_AGE, "0").startswith("-"):
        raise InvalidField(_MAX_AGE, "error-number-out-of-range-too-small", _MAX_AGE, 0)
    names = {each["name"] for each in settings}
    _put(realm, before, replace(before, config={name: text for name, text in sent.items() if name in names}))
    return NoContent()


@required_actions.delete("required-actions/{action}/config", needs=MANAGE_REALM, event=_CONFIG)
def delete_required_action_config(realm: RealmAdmin, action: str) -> NoContent:
    """Leaves it to its defaults."""
    before = _configurable(realm, action)[0]
    _put(realm, before, replace(before, config={}))
    return NoContent()


@required_actions.get("required-actions/{action}/config-description", needs=VIEW_REALM)
def get_required_action_config_description(realm: RealmView, action: str) -> RequiredActionConfigInfoRepresentation:
    """What it can be configured with."""
    settings = required_action_settings(action)
    if settings is None:
        raise NotFound("Could not find configurable RequiredAction provider")
    return RequiredActionConfigInfoRepresentation(properties=settings)
