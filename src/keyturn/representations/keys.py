"""A realm's public keys."""

from keyturn.representations.base import UNSET, Long, Maybe, Representation

__all__ = ["KeyMetadataRepresentation", "KeysMetadataRepresentation"]


class KeyMetadataRepresentation(Representation):
    """One key, its private part left out. ``validTo`` is in milliseconds."""

    provider_id: Maybe[str] = UNSET
    provider_priority: Maybe[Long] = UNSET
    kid: Maybe[str] = UNSET
    status: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    algorithm: Maybe[str] = UNSET
    public_key: Maybe[str] = UNSET
    certificate: Maybe[str] = UNSET
    use: Maybe[str] = UNSET
    valid_to: Maybe[Long] = UNSET


class KeysMetadataRepresentation(Representation):
    """A realm's keys, and the active one of each algorithm."""

    active: Maybe[dict[str, str]] = UNSET
    keys: Maybe[list[KeyMetadataRepresentation]] = UNSET
