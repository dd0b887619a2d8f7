"""Tokens that are bound to a client's key (RFC 9449): which requests must show a proof, and what follows from one."""

import hmac
from collections.abc import Mapping
from typing import Any, Final

from keyturn.jose import base64url, dpop
from keyturn.model.client import Client
from keyturn.model.realm import Realm
from keyturn.oauth2.access_token import REFRESH_ALGORITHM, key_for
from keyturn.oauth2.bearer import TokenRejected
from keyturn.oauth2.errors import InvalidGrant, InvalidRequest, OAuth2Error, UseDpopNonce
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.inquiries import UseOnce
from keyturn.oauth2.spi import Asked, AuthenticatedClient, Binding, Clients
from keyturn.representations import given

TOKEN_TYPE: Final = "DPoP"
CHALLENGE: Final = f'DPoP algs="{" ".join(sorted(dpop.ALGORITHMS))}"'
"""How challenges begin (RFC 9449 §7.1)."""

NONCE: Final = "keyturn.dpop.nonce"
"""Attribute of a realm or, before that, a client: ``true`` where proofs at the token endpoint need a nonce."""

NONCE_PERIOD: Final = 150
"""Seconds after which there is another nonce."""

_BOUND: Final = "dpop.bound.access.tokens"
_MISSING: Final = "DPoP proof is missing"


def binding(http: Request, realm: Realm, known: AuthenticatedClient, clients: Clients, now: int) -> Binding | None:
    """The key that the tokens of this request are bound to; None where it shows none, and need not.

    A proof that nobody has asked for binds, too.

    Raises:
        InvalidRequest: the proof is missing or does not count.
        UseDpopNonce: it has not the nonce that realm or client want.
        NoKey: the realm has no key to make nonces with.
        Asked: whether it was shown before is to be found out.

    Source: RFC 9449 §5; Keycloak ``DPoPUtil.retrieveDPoPHeaderIfPresent``.
    """
    if http.dpop is None:
        if known.client.flag(_BOUND):
            raise _refused(_MISSING)
        return None
    proof = _verified(clients)
    if proof is None:
        try:
            proof = dpop.read(http.dpop, http.method, http.url, now=now)
        except dpop.InvalidProof as error:
            raise _refused(error.reason) from None
    nonce = _next_nonce(realm, known.client, proof.nonce, now)
    if not is_first(_single_use(realm.id, proof), clients, known):
        raise _refused("DPoP proof has already been used")
    return Binding({"jkt": proof.jkt, "kc-jkt-type": TOKEN_TYPE}, TOKEN_TYPE, nonce=nonce)


def is_first(once: UseOnce, clients: Clients, proved: AuthenticatedClient | None = None) -> bool:
    """Whether this is the first use. Raises Asked: that is to be found out."""
    if clients.replies is None:
        raise Asked(None)
    reply = clients.replies.get(once)
    if reply is None:
        raise Asked(once, proved)
    return reply is True


def possession(
    header: str | None,
    method: str,
    url: str,
    realm_id: str,
    claims: Mapping[str, Any],
    token: str | None,
    now: float,
) -> UseOnce | None:
    """What a request that shows an access token must not have shown before; None where the token is bound to nothing.

    Args:
        header: the ``DPoP`` header.
        claims: what the access token says.
        token: the access token, where it came with the scheme ``DPoP``; None for any other way.

    Raises:
        TokenRejected: it is bound to something that was not shown, or was to be bound and is not.

    Source: RFC 9449 §7.1; Keycloak ``DPoPUtil``.
    """
    confirmation = claims.get("cnf")
    if token is None:
        if confirmation is not None or claims.get("typ") == TOKEN_TYPE:
            raise TokenRejected(log="bound to a key that was not shown")
        return None
    if claims.get("typ") != TOKEN_TYPE or not isinstance(confirmation, Mapping):
        raise TokenRejected(log="bound to no key")
    try:
        proof = dpop.read(header or "", method, url, now=now, access_token=token)
    except dpop.InvalidProof as error:
        raise TokenRejected(log=error.reason) from None
    if proof.jkt != confirmation.get("jkt"):
        raise TokenRejected(log="bound to another key")
    return _single_use(realm_id, proof)


def _verified(clients: Clients) -> dpop.Proof | None:
    """The proof of this request, where an earlier turn has verified it: a request has one."""
    for inquiry in clients.replies or ():
        if isinstance(inquiry, UseOnce) and isinstance(inquiry.verified, dpop.Proof):
            return inquiry.verified
    return None


def _next_nonce(realm: Realm, client: Client, shown: str | None, now: int) -> str | None:
    """The nonce for the next proof, where nonces are wanted and it is not the one that was `shown`.

    All servers of a realm make the same ones, of its key, and remember none. A nonce counts until the next but one.
    """
    wanted = client.attributes.get(NONCE) or given(realm.document.attributes, {}).get(NONCE) or ""
    if wanted.lower() != "true":
        return None
    key = key_for(realm, REFRESH_ALGORITHM)
    period = now // NONCE_PERIOD
    newest, last = (
        base64url.encode(key.sign(b"dpop nonce %d" % number)[:18]).decode() for number in (period, period - 1)
    )
    if hmac.compare_digest((shown or "").encode(), newest.encode()):
        return None
    if hmac.compare_digest((shown or "").encode(), last.encode()):
        return newest
    raise UseDpopNonce(newest)


def _single_use(realm_id: str, proof: dpop.Proof) -> UseOnce:
    """What keeps the proof from being shown twice (RFC 9449 §11.1)."""
    return UseOnce(f"dpop:{realm_id}", proof.identity, proof.until, proof)


def check_confirmation(
    confirmation: Mapping[str, Any], shown: Binding | None, refusal: type[OAuth2Error] = InvalidGrant, event: str = ""
) -> None:
    """That who holds a token, whose ``cnf`` is `confirmation`, holds the key that it is bound to, if any.

    Raises:
        OAuth2Error: it does not; of the class `refusal`, which events call `event`.

    Source: Keycloak ``DPoPUtil.validateDPoPJkt``.
    """
    if not confirmation:
        return
    if shown is None:
        raise refusal(_MISSING, event=event)
    if shown.confirmation.get("jkt") != confirmation.get("jkt"):
        raise refusal("DPoP confirmation doesn't match DPoP proof", event=event)


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest(reason, event="invalid_dpop_proof")
