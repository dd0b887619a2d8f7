"""A token of somebody else's as the assertion (RFC 7523 §3): a workload so needs no secret of its own."""

from collections.abc import Mapping
from typing import ClassVar

from keyturn.jose import jwt
from keyturn.jose.jwk import PublicKey
from keyturn.model.client import Client
from keyturn.model.client_keys import ASYMMETRIC, ClientKeys, KeysAt, UnreadableKeys
from keyturn.model.trusted_issuer import TrustedIssuer, subject_key
from keyturn.oauth2.client_authentication import assertion_checks as checks
from keyturn.oauth2.client_authentication.assertion import ASSERTION_TYPE, Assertion
from keyturn.oauth2.client_authentication.spi import Credentials, Proof, not_proved
from keyturn.oauth2.errors import OAuth2Error
from keyturn.oauth2.inquiries import FindBySubject, ReadKeys
from keyturn.oauth2.spi import Asked, Clients


class FederatedJwt:
    """An issuer that the realm trusts says who the subject is; a client of that subject is who asks.

    Where several clients have one subject, ``client_id`` says which of them; Keycloak knows only one.

    Source: Keycloak ``FederatedJWTClientAuthenticator``.
    """

    authenticator: ClassVar[str] = "federated-jwt"
    metadata: ClassVar[tuple[str, ...]] = ()

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The client of the token's subject. Does NOT verify anything. Raises Asked."""
        found = self._of_subject(credentials, clients)
        named = credentials.form.get("client_id")
        if named is not None:
            return named if named in found else None
        return found[0] if len(found) == 1 else None

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That a trusted issuer speaks for `client`, to this realm, and now. Raises OAuth2Error, Asked, Miss."""
        assertion = credentials.assertion
        told: Mapping[str, str] = {} if assertion is None else assertion.told
        found = self._of_subject(credentials, clients)
        if assertion is None or not found:
            raise not_proved(told, log="no token of an issuer that speaks for the client")
        if client.client_id not in found:
            raise checks.refused("client_id parameter does not match authenticated client", told)
        if not client.enabled:
            raise not_proved(told, log="disabled client", event="client_disabled")
        trusted = _trusted(credentials)
        assert trusted is not None
        algorithm = checks.check_algorithm(None, assertion, ASYMMETRIC, told)
        _verify(trusted, assertion, algorithm, clients, told)
        checks.check_own_audience(credentials, assertion, told, trusted.audience)
        lifespan = checks.check_times(
            assertion,
            credentials.now,
            trusted.maximum_age,
            _broken,
            told,
            skew=trusted.clock_skew,
            reusable=trusted.reusable,
        )
        if trusted.reusable:
            return Proof(told)
        kind = f"{self.authenticator}:{trusted.alias}"
        return Proof(told, checks.single_use(kind, credentials, assertion, lifespan + trusted.clock_skew))

    def _of_subject(self, credentials: Credentials, clients: Clients) -> tuple[str, ...]:
        """The ``client_id`` of all clients that the token's subject stands for. Raises Asked."""
        trusted, assertion = _trusted(credentials), credentials.assertion
        if trusted is None or assertion is None or not assertion.subject:
            return ()
        if clients.replies is None:
            raise Asked(None)
        inquiry = FindBySubject(subject_key(trusted.alias, assertion.subject))
        reply = clients.replies.get(inquiry)
        if reply is None:
            raise Asked(inquiry)
        assert isinstance(reply, tuple)
        return reply


def _trusted(credentials: Credentials) -> TrustedIssuer | None:
    """The issuer of the token, where the realm trusts it. A client that speaks for itself is no such case."""
    assertion = credentials.assertion
    if assertion is None or assertion.token is None or assertion.self_issued or assertion.issuer is None:
        return None
    if credentials.form.get("client_assertion_type") != ASSERTION_TYPE:
        return None
    return credentials.realm.issuers.get(assertion.issuer)


def _verify(
    trusted: TrustedIssuer, assertion: Assertion, algorithm: str, clients: Clients, told: Mapping[str, str]
) -> None:
    """That the issuer has signed it. Raises InvalidClient, Asked."""
    token, source = assertion.token, trusted.keys
    assert token is not None
    if isinstance(source, KeysAt):
        inquiry = ReadKeys(source.url, token.kid, algorithm, source.discovered)
        reply = (clients.replies or {}).get(inquiry)
        if reply is None:
            raise Asked(inquiry)
        assert isinstance(reply, ClientKeys | UnreadableKeys)
        source = reply
    if isinstance(source, UnreadableKeys):
        raise not_proved(told, log=source.reason)
    found = source.find(None if trusted.any_kid else token.kid, algorithm)
    if found is None:
        raise not_proved(told, log="the issuer has no such key")

    def key(kid: str | None, algorithm: str) -> PublicKey:
        return found.key

    try:
        jwt.verify(token, key, ASYMMETRIC)
    except jwt.InvalidToken as error:
        raise not_proved(told, log=error.reason) from None


def _broken(text: str, log: str, told: Mapping[str, str]) -> OAuth2Error:
    """Keycloak says nothing of what went wrong here."""
    return not_proved(told, log=f"{text} {log}")
