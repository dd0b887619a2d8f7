"""What Keycloak checks of OpenID Connect's metadata beyond what it checks of every client, in its words.

Source: Keycloak ``DefaultClientValidationProvider``, ``CibaClientValidation``.
"""

import json
from collections.abc import Iterator
from typing import Final

from keyturn.admin.registration.refusal import invalid_metadata
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.representations import ClientRepresentation, given
from keyturn.representations.realm import RealmRepresentation

__all__ = ["check_metadata"]

_ASYMMETRIC: Final = frozenset(name for name, row in SIGNATURE_ALGORITHMS.items() if row.family != "oct")
_DELIVERY_MODES: Final = frozenset({"poll", "ping"})
_LEVELS: Final = frozenset({"0", "1"})
"""Levels of authentication of a browser flow that names none."""


def check_metadata(client: ClientRepresentation, realm: RealmRepresentation) -> None:
    """Raises AdminError with all that is wrong."""
    problems = list(_problems(given(client.attributes, {}), realm))
    if problems:
        raise invalid_metadata("; ".join(problems))


def _problems(attributes: dict[str, str], realm: RealmRepresentation) -> Iterator[str]:
    mode = attributes.get("ciba.backchannel.token.delivery.mode", "poll")
    if mode not in _DELIVERY_MODES:
        yield "Unsupported requested CIBA Backchannel Token Delivery Mode"
    elif mode == "ping" and not attributes.get("ciba.backchannel.client.notification.endpoint"):
        yield "CIBA Backchannel Client Notification Endpoint must be set for the CIBA ping mode"
    if attributes.get("ciba.backchannel.auth.request.signing.alg", "RS256") not in _ASYMMETRIC:
        yield "Unsupported requested CIBA Backchannel Authentication Request Signing Algorithm"
    levels = _LEVELS | _named_levels(attributes, realm)
    text = attributes.get("default.acr.values")
    if text and not levels.issuperset(text.split("##")):
        yield (
            "Default ACR values need to contain values specified in the ACR-To-Loa mapping "
            "or number levels from set realm browser flow"
        )


def _named_levels(attributes: dict[str, str], realm: RealmRepresentation) -> set[str]:
    text = attributes.get("acr.loa.map") or given(realm.attributes, {}).get("acr.loa.map") or "{}"
    try:
        named = json.loads(text)
    except ValueError:
        return set()
    return set(named) if isinstance(named, dict) else set()
