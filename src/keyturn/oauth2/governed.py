"""Puts requests to a realm's client policies, where it has any."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final
from weakref import WeakKeyDictionary

from keyturn.model.client import Client
from keyturn.model.client_policy import (
    GovernedClient,
    GovernedRequest,
    Occasion,
    PolicyEvent,
    PolicyRefused,
    apply_policies,
)
from keyturn.model.patterns import Patterns
from keyturn.model.realm import Realm
from keyturn.oauth2.errors import ClientPolicyViolation

LIGHTWEIGHT: Final = "client.use.lightweight.access.token.enabled"

_LIGHTWEIGHT_CLIENTS: Final[WeakKeyDictionary[Client, Client]] = WeakKeyDictionary()
"""Clients as `lightened` gives them, as long as those live that they were made of."""

Parameter = Callable[[str], str | None]
"""From the name of a parameter of a form to its value."""


def govern(
    event: PolicyEvent,
    realm: Realm,
    client: Client | None,
    parameter: Parameter,
    issuer: str,
    scope: str | None = None,
    *,
    proof: bool = False,
    certificate: bool = False,
) -> Occasion | None:
    """What the realm's policies make of the request; None where there are no policies.

    Args:
        client: None where Keycloak shows the policies none.
        proof: whether a DPoP proof came with the request.
        certificate: whether a client certificate did.

    Raises:
        ClientPolicyViolation: one refuses it.
    """
    if not realm.client_policies:
        return None
    occasion = Occasion(
        event=event,
        client=None if client is None else _governed(realm, client),
        scope=scope,
        matches=Patterns().match,
        request=GovernedRequest(parameter, issuer, proof, certificate),
    )
    try:
        apply_policies(realm.client_policies, occasion)
    except PolicyRefused as refused:
        raise ClientPolicyViolation(refused.error, refused.detail, refused.status) from None
    return occasion


def governed_client(occasion: Occasion | None, client: Client) -> Client:
    """`client` as the policies would have it issued tokens."""
    return client if occasion is None or not occasion.lightweight else lightened(client)


def lightened(client: Client) -> Client:
    """`client` whose access tokens are lightweight ones; the same one each time."""
    if client.flag(LIGHTWEIGHT):
        return client
    light = _LIGHTWEIGHT_CLIENTS.get(client)
    if light is None:
        light = replace(client, attributes={**client.attributes, LIGHTWEIGHT: "true"}, prepared=[])
        _LIGHTWEIGHT_CLIENTS[client] = light
    return light


def _governed(realm: Realm, client: Client) -> GovernedClient:
    known = realm.roles.roles
    return GovernedClient(
        public=client.public,
        bearer_only=client.bearer_only,
        protocol=client.protocol,
        authenticator=client.authenticator,
        consent_required=client.consent_required,
        full_scope=client.full_scope,
        direct_access_grants=client.direct_access_grants,
        attributes=client.attributes,
        roles=lambda: {known[role].name for role in client.own_roles if known[role].client_id == client.id},
        default_scopes=lambda: {scope.name for scope in client.default_scopes},
        silent_scopes=lambda: {scope.name for scope in client.default_scopes if not scope.include_in_token_scope},
        optional_scopes=client.optional_scopes.keys,
    )
