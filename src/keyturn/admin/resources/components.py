"""Components: key providers and their like. Source: Keycloak ``ComponentResource``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.component_validation import (
    MASK,
    check_component,
    check_registration_policy,
    known_config,
    properties_of,
    shown_config,
)
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, InvalidRequest, KnownDuplicate, NotFound
from keyturn.admin.federation_mappers import mappers_of_new
from keyturn.admin.lengths import check_lengths
from keyturn.admin.permissions import MANAGE_REALM, VIEW_REALM
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.jose.jwk import InvalidKey
from keyturn.model.key_providers import PROVIDER_TYPE, generate, material_of, wanted_size
from keyturn.model.new_documents import new_component
from keyturn.representations import given, present
from keyturn.representations.component import ComponentRepresentation
from keyturn.store.collections import CLIENT_SCOPES, COMPONENTS
from keyturn.store.spi import Duplicate

__all__ = ["components"]

components: Final = Resource("components", event=Recorded("COMPONENT"))

_REGISTRATION_POLICY: Final = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"

_MAKES_ANOTHER_KEY: Final = (
    "keySize",
    "secretSize",
    "ecdsaEllipticCurveKey",
    "eddsaEllipticCurveKey",
    "ecdhEllipticCurveKey",
)
"""Settings whose change makes a key provider generate anew."""


@dataclass(frozen=True, slots=True)
class ComponentQuery(Query):
    """``type`` is the provider type; each narrows the list."""

    name: str | None = None
    parent: str | None = None
    type: str | None = None


@components.get("", needs=VIEW_REALM)
def get_components(realm: RealmView, query: ComponentQuery) -> list[ComponentRepresentation]:
    """The realm's components, without what is secret."""
    keys = {"name": query.name, "parent_id": query.parent, "provider_type": query.type}
    where = {key: value for key, value in keys.items() if value is not None}
    return [_shown(each) for each in realm.reader.select(COMPONENTS, realm.id, where={**where})]


def _shown(component: ComponentRepresentation) -> ComponentRepresentation:
    return replace(component, config=shown_config(component))


def _found(realm: RealmView, component_id: str) -> ComponentRepresentation:
    component = realm.reader.get(COMPONENTS, realm.id, component_id)
    if component is None:
        raise NotFound("Could not find component")
    return component


@components.get("{component_id}", needs=VIEW_REALM)
def get_component(realm: RealmView, component_id: str) -> ComponentRepresentation:
    """One component, without what is secret."""
    return _shown(_found(realm, component_id))


def _with_keys(realm: RealmView, component: ComponentRepresentation) -> ComponentRepresentation:
    """`component` with fresh keys, where it is of a provider that generates them and has none."""
    if component.provider_type != PROVIDER_TYPE:
        return component
    environment = realm.environment
    try:
        return generate(component, realm_name=realm.name, now=environment.clock(), random=environment.random)
    except InvalidKey as error:
        if "secret" in given(component.config, {}):
            raise BadRequest("Invalid provider type or no such provider") from None
        if any(name in given(component.config, {}) for name in material_of(given(component.provider_id, ""))):
            raise InvalidRequest(str(error)) from None
        return component  # an algorithm that nobody knows: Keycloak stores such a provider as well


def _check(realm: RealmView, component: ComponentRepresentation) -> None:
    """Raises AdminError where the component's provider does not take its configuration."""
    check_component(component)
    if component.provider_type == _REGISTRATION_POLICY:
        names = [str(scope.name) for scope in realm.reader.select(CLIENT_SCOPES, realm.id)]
        check_registration_policy(component, names)


def _check_lengths(component: ComponentRepresentation) -> None:
    check_lengths(component.name, component.sub_type, ids=(component.id, component.parent_id))


def _prepare_post(realm: RealmView, _: Mapping[str, Any], posted: ComponentRepresentation) -> ComponentRepresentation:
    made = new_component(posted, parent_id=realm.id, new_id=realm.new_id)
    made = replace(made, config=known_config(made, with_keys=True))
    _check(realm, made)
    _check_lengths(made)
    return _with_keys(realm, made)


@components.post("", needs=MANAGE_REALM, prepare=_prepare_post)
def post_component(realm: RealmAdmin, component: ComponentRepresentation) -> Created:
    """Creates a component; a key provider makes its keys, and a federation comes with its mappers."""
    try:
        realm.tx.insert_many(COMPONENTS, realm.id, [component, *mappers_of_new(component, realm.new_id)])
    except Duplicate:
        raise KnownDuplicate from None
    return Created(str(component.id))


def _prepare_put(
    realm: RealmView, values: Mapping[str, Any], change: ComponentRepresentation
) -> ComponentRepresentation:
    stored = _found(realm, values["component_id"])
    if not present(change.provider_id) or not present(change.provider_type):
        raise InvalidRequest("A component needs its providerId and providerType")
    before = given(stored.config, {})
    sent = {name: values for name, values in given(change.config, {}).items() if values != [MASK]}
    changed = replace(
        stored,
        name=given(change.name, stored.name),
        provider_id=change.provider_id,
        provider_type=change.provider_type,
        parent_id=given(change.parent_id, stored.parent_id),
        sub_type=given(change.sub_type, stored.sub_type),
    )
    known = {name: values for name, values in sent.items() if name in properties_of(changed)}
    emptied = {name for name, values in known.items() if not values or not values[0].strip()}
    kept = {name: values for name, values in before.items() if name not in emptied}
    changed = replace(changed, config={**kept, **{n: values for n, values in known.items() if n not in emptied}})
    _check(realm, changed)
    _check_lengths(changed)
    if any(wanted_size(stored, name) != wanted_size(changed, name) for name in _MAKES_ANOTHER_KEY):
        changed = replace(changed, config=known_config(changed))
    else:
        changed = replace(changed, config={**kept, **known_config(changed)})
    return _with_keys(realm, changed)


@components.put("{component_id}", needs=MANAGE_REALM, prepare=_prepare_put, merges=True)
def put_component(realm: RealmAdmin, component_id: str, component: ComponentRepresentation) -> NoContent:
    """Changes what the body gives; settings that are not in it stay. Another key size makes another key."""
    _found(realm, component_id)
    realm.update(COMPONENTS, component)
    return NoContent()


@components.delete("{component_id}", needs=MANAGE_REALM)
def delete_component(realm: RealmAdmin, component_id: str) -> NoContent:
    """Removes a component, and with it the keys that it provides and the components below it."""
    _found(realm, component_id)
    for below in realm.reader.select(COMPONENTS, realm.id, where={"parent_id": component_id}):
        realm.tx.delete(COMPONENTS, realm.id, str(below.id))
    realm.tx.delete(COMPONENTS, realm.id, component_id)
    return NoContent()
