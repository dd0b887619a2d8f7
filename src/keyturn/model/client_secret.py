"""What a client's attributes say of its secret, and of the one before. Source: Keycloak ``ClientSecretConstants``."""

import re
from collections.abc import Mapping
from typing import Final

from keyturn.representations import ClientRepresentation, Maybe, given, replace

ROTATION: Final = "client-secret-rotation"
"""What Keycloak calls the preview that has secrets expire and be followed by others."""

SECRET_CREATED: Final = "client.secret.creation.time"
SECRET_EXPIRES: Final = "client.secret.expiration.time"
SECRET_REMAINS: Final = "client.secret.remaining.expiration.time"
ROTATED_SECRET: Final = "client.secret.rotated"
ROTATED_CREATED: Final = "client.secret.rotated.creation.time"
ROTATED_EXPIRES: Final = "client.secret.rotated.expiration.time"

_SECONDS: Final = re.compile(r"[0-9]{1,18}")
"""Attributes are texts that anything may stand in, and int() raises for some that look like numbers."""


def seconds(attributes: Mapping[str, str], name: str) -> int | None:
    """The attribute as seconds since the epoch; None where it is absent, 0 or no number."""
    value = attributes.get(name, "")
    return (int(value) or None) if _SECONDS.fullmatch(value) else None


def secret_expires(attributes: Maybe[dict[str, str]]) -> int | None:
    """The last second in which the client's secret counts; None for ever."""
    return seconds(given(attributes, {}), SECRET_EXPIRES)


def has_rotated_secret(attributes: Mapping[str, str]) -> bool:
    """Whether there is a secret from before, expired or not."""
    return bool(attributes.get(ROTATED_SECRET, "").strip() and attributes.get(ROTATED_CREATED, "").strip())


def without_rotated_secret(client: ClientRepresentation) -> ClientRepresentation:
    """`client` without the secret from before."""
    attributes = given(client.attributes, {})
    if not has_rotated_secret(attributes):
        return client
    return _without(client, ROTATED_SECRET, ROTATED_CREATED, ROTATED_EXPIRES)


def without_rotation(client: ClientRepresentation) -> ClientRepresentation:
    """`client` whose secret does not expire, and of which there is none from before."""
    return without_rotated_secret(_without(client, SECRET_EXPIRES, SECRET_REMAINS))


def _without(client: ClientRepresentation, *names: str) -> ClientRepresentation:
    attributes = given(client.attributes, {})
    kept = {name: value for name, value in attributes.items() if name not in names}
    return client if len(kept) == len(attributes) else replace(client, attributes=kept)
