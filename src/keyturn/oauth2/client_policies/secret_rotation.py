"""The executor that has secrets expire and be followed by others, the old one counting on for a while.

Keycloak has it as a preview, off by default: the feature ``client-secret-rotation``.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from keyturn.model.client_policy import Occasion, PolicyEvent
from keyturn.model.client_secret import (
    ROTATED_CREATED,
    ROTATED_EXPIRES,
    ROTATED_SECRET,
    SECRET_CREATED,
    SECRET_EXPIRES,
    secret_expires,
)
from keyturn.oauth2.client_policies.configuration import Configuration, InvalidConfiguration, configuration
from keyturn.representations import ClientRepresentation, Maybe, given, replace
from keyturn.representations.base import Long


class _Periods(Configuration):
    expiration_period: Maybe[Long] = None
    remaining_rotation_period: Maybe[Long] = None
    rotated_expiration_period: Maybe[Long] = None


@dataclass(frozen=True, slots=True)
class SecretRotation:
    """Source: Keycloak ``ClientSecretRotationExecutor``. All periods are in seconds."""

    id: ClassVar = "secret-rotation"
    expiration: int
    remaining: int
    """How long before its end a secret is rotated where a client changes itself."""
    rotated_expiration: int

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _Periods)
        periods = found.expiration_period, found.remaining_rotation_period, found.rotated_expiration_period
        expiration, remaining, rotated = (given(period, -1) for period in periods)
        if expiration <= 0 or min(remaining, rotated) < 0 or max(remaining, rotated) > expiration:
            raise InvalidConfiguration("a period is missing, or longer than the secret lives")
        return cls(expiration, remaining, rotated)

    def execute(self, occasion: Occasion) -> None:
        """Rotates the secret of `occasion`'s stored client where it is time to, or somebody asks for it."""
        client = occasion.stored
        if occasion.event not in {PolicyEvent.REGISTERED, PolicyEvent.UPDATED} or client is None:
            return
        if client.public_client is True or client.bearer_only is True:
            return
        occasion.rotates_secret = True
        expires = secret_expires(client.attributes)
        if occasion.replaced_secret is not None:
            occasion.stored = self._followed(client, occasion.replaced_secret, occasion.now)
        elif expires is None:
            occasion.stored = _with(client, {SECRET_EXPIRES: occasion.now + self.expiration})
        elif expires < occasion.now or (occasion.dynamic and occasion.now >= expires - self.remaining):
            followed = self._followed(client, given(client.secret, ""), occasion.now)
            if occasion.new_secret is not None:
                followed = replace(followed, secret=occasion.new_secret())
            occasion.stored = followed

    def _followed(self, client: ClientRepresentation, old: str, now: int) -> ClientRepresentation:
        """`client` whose secret was `old` until now."""
        times = {SECRET_CREATED: now, SECRET_EXPIRES: now + self.expiration}
        if not self.rotated_expiration or not old:
            return _with(client, times)
        rotated = {ROTATED_CREATED: now, ROTATED_EXPIRES: now + self.rotated_expiration}
        kept = _with(client, times | rotated)
        return replace(kept, attributes={**given(kept.attributes, {}), ROTATED_SECRET: old})


def _with(client: ClientRepresentation, times: dict[str, int]) -> ClientRepresentation:
    rotated = {ROTATED_SECRET, ROTATED_CREATED, ROTATED_EXPIRES}
    starts_anew = SECRET_CREATED in times
    before = {
        name: value for name, value in given(client.attributes, {}).items() if not (starts_anew and name in rotated)
    }
    return replace(client, attributes=before | {name: str(time) for name, time in times.items()})
