"""Takes the steps of ``model.key_rotation`` that are due. Blocks: for worker threads."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from keyturn.jose.jwk import InvalidKey
from keyturn.model import key_providers, key_rotation
from keyturn.model.key_rotation import Rotation, Steps, rotation_of
from keyturn.oauth2.identifiers import new_id
from keyturn.representations import ComponentRepresentation, RealmRepresentation, given, replace
from keyturn.store.collections import COMPONENTS, REALMS
from keyturn.store.retrying import retried
from keyturn.store.spi import Reader, Store

_LOGGER: Final = logging.getLogger("keyturn.keys")


def rotate_keys(store: Store, now: float, random: Callable[[int], bytes]) -> None:
    """Announces, changes and removes the keys of all realms that ask for it. Raises StoreError.

    Several servers may call this at the same time: each step is taken by one of them.
    """
    now = store.agreed_time(now)
    with store.read() as reader:
        realms = reader.select(REALMS, None)
    for realm in realms:
        rotation = rotation_of(given(realm.attributes, {}))
        if rotation is not None:
            _rotate(store, realm, rotation, int(now), random)


def _rotate(
    store: Store, realm: RealmRepresentation, rotation: Rotation, now: int, random: Callable[[int], bytes]
) -> None:
    realm_id, name = given(realm.id, ""), given(realm.realm, "")
    with store.read() as reader:
        due = _due(reader, realm_id, rotation, now)
    if not due:
        return
    # Keys are made before the transaction, which holds up everybody who writes.
    made: dict[str, ComponentRepresentation] = {}
    for announced in due.announced:
        component = replace(announced, id=new_id(random))
        try:
            key = key_providers.generate(component, realm_name=name, now=now, random=random)
        except InvalidKey as error:
            _LOGGER.warning("no next key for %s of realm %r: %s", given(announced.name, ""), name, error)
        else:
            made[_place(announced)] = key
    for told in retried(lambda: _taken(store, realm_id, rotation, now, made)):
        _LOGGER.info("realm %r: %s", name, told)


def _taken(
    store: Store, realm_id: str, rotation: Rotation, now: int, made: Mapping[str, ComponentRepresentation]
) -> Sequence[str]:
    """Takes the steps that are due still; what there is to tell of them."""
    with store.write() as transaction:
        current = transaction.get(REALMS, realm_id, realm_id)
        if current is None or rotation_of(given(current.attributes, {})) != rotation:
            return ()
        due = _due(transaction, realm_id, rotation, now)  # another server may have been faster
        for announced in due.announced:
            if _place(announced) in made:
                transaction.insert(COMPONENTS, realm_id, made[_place(announced)])
        for changed in due.changed:
            transaction.update(COMPONENTS, realm_id, changed)
        for component_id in due.removed:
            transaction.delete(COMPONENTS, realm_id, component_id)
    return due.told


def _due(reader: Reader, realm_id: str, rotation: Rotation, now: int) -> Steps:
    components = reader.select(COMPONENTS, realm_id, where={"provider_type": key_providers.PROVIDER_TYPE})
    return key_rotation.steps(components, rotation, now)


def _place(announced: ComponentRepresentation) -> str:
    """All that a key is announced for: where this is the same, so is the key that is wanted."""
    return repr(sorted(given(announced.config, {}).items()))
