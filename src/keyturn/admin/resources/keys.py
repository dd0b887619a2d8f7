"""The realm's keys. Source: Keycloak ``KeyResource``."""

from base64 import b64encode
from typing import Final

from keyturn.admin.context import RealmView
from keyturn.admin.permissions import VIEW_REALM
from keyturn.admin.resource import Resource
from keyturn.jose.x509 import valid_until
from keyturn.model.key_providers import PROVIDER_TYPE, key_ring
from keyturn.model.realm import RealmKey
from keyturn.representations import UNSET
from keyturn.representations.keys import KeyMetadataRepresentation, KeysMetadataRepresentation
from keyturn.store.collections import COMPONENTS

__all__ = ["keys"]

keys: Final = Resource("keys")


@keys.get("", needs=VIEW_REALM)
def get_keys(realm: RealmView) -> KeysMetadataRepresentation:
    """All keys, without what is private, and the active one of each algorithm."""
    ring = key_ring(realm.reader.select(COMPONENTS, realm.id, where={"provider_type": PROVIDER_TYPE}))
    active: dict[str, str] = {}
    for each in ring.keys:
        if each.status == "ACTIVE":
            active.setdefault(each.key.algorithm, each.key.kid)
    return KeysMetadataRepresentation(active=active, keys=[_metadata(each) for each in ring.keys])


def _metadata(realm_key: RealmKey) -> KeyMetadataRepresentation:
    key, public = realm_key.key, realm_key.key.public
    symmetric = public.family == "oct"
    return KeyMetadataRepresentation(
        provider_id=realm_key.provider_id,
        provider_priority=realm_key.priority,
        kid=key.kid,
        status=realm_key.status,
        type=public.family.upper(),
        algorithm=key.algorithm,
        public_key=UNSET if symmetric else b64encode(public.to_der()).decode(),
        certificate=UNSET if public.certificate is None else b64encode(public.certificate).decode(),
        use=key.use.upper(),
        valid_to=UNSET if public.certificate is None else int(valid_until(public.certificate)) * 1000,
    )
