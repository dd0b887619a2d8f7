"""A token of somebody else's as the assertion (RFC 7523 §3): a workload so needs no secret of its own."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from keyturn.jose import jwt
from keyturn.jose.jwk import PublicKey
from keyturn.model.client import Client
from keyturn.model.client_credential import OWN, NamedRule
from keyturn.model.client_keys import ASYMMETRIC, ClientKeys, KeysAt, UnreadableKeys
from keyturn.model.trusted_issuer import ALIAS, SUBJECT, TrustedIssuer, subject_key, trust_domain
from keyturn.oauth2.client_authentication import assertion_checks as checks
from keyturn.oauth2.client_authentication.assertion import ASSERTION_TYPE, SPIFFE_ASSERTION_TYPE, Assertion
from keyturn.oauth2.client_authentication.spi import Credentials, Proof, not_proved
from keyturn.oauth2.errors import OAuth2Error
from keyturn.oauth2.inquiries import FindBySubject, ReadKeys
from keyturn.oauth2.spi import Asked, Clients


class FederatedJwt:
    """An issuer that the realm trusts says who the subject is; a client of that subject is who asks.

    Where several clients have one subject, or a client has rules over claims, ``client_id`` says which client is meant;
    Keycloak knows one client for each subject, and no rules.

    Source: Keycloak ``FederatedJWTClientAuthenticator``, ``SpiffeClientAssertionStrategy``.
    """

    authenticator: ClassVar[str] = "federated-jwt"
    metadata: ClassVar[tuple[str, ...]] = ()

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The client that the token speaks for. Does NOT verify anything. Raises Asked, Miss."""
        trusted, assertion = _trusted(credentials), credentials.assertion
        named = credentials.form.get("client_id")
        if named is not None and assertion is not None:
            client = clients.by_client_id(named)
            if client is not None and _speaker(client, trusted, assertion, credentials.now) is not None:
                return named
        found = self._of_subject(credentials, clients)
        if named is not None:
            return named if named in found else None
        return found[0] if len(found) == 1 else None

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That a trusted issuer speaks for `client`, to this realm, and now. Raises OAuth2Error, Asked, Miss."""
        assertion = credentials.assertion
        told: Mapping[str, str] = {} if assertion is None else assertion.told
        if assertion is None or assertion.token is None:
            raise not_proved(told, log="no token")
        trusted = _speaker(client, _trusted(credentials), assertion, credentials.now)
        if trusted is None:
            if self._of_subject(credentials, clients):
                raise checks.refused("client_id parameter does not match authenticated client", told)
            raise not_proved(told, log="no token of an issuer that speaks for the client")
        if not client.enabled:
            raise not_proved(told, log="disabled client", event="client_disabled")
        algorithm = checks.check_algorithm(None, assertion, ASYMMETRIC, told)
        _verify(trusted, assertion, algorithm, clients, told)
        credential = _credential(client, trusted, assertion, credentials.now)
        if credential is None:
            raise not_proved(told, log="no rule of the client is about such a token")
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
            return Proof(told, credential=credential)
        kind = f"{self.authenticator}:{trusted.alias}"
        once = checks.single_use(kind, credentials, assertion, lifespan + trusted.clock_skew)
        return Proof(told, once, credential)

    def _of_subject(self, credentials: Credentials, clients: Clients) -> tuple[str, ...]:
        """The ``client_id`` of all clients whose one subject the token's is. Raises Asked."""
        assertion, found = credentials.assertion, list[str]()
        for trusted in _trusted(credentials):
            assert assertion is not None
            if clients.replies is None:
                raise Asked(None)
            inquiry = FindBySubject(subject_key(trusted.alias, assertion.subject or ""))
            reply = clients.replies.get(inquiry)
            if reply is None:
                raise Asked(inquiry)
            assert isinstance(reply, tuple)
            found += reply
        return tuple(found)


def _trusted(credentials: Credentials) -> tuple[TrustedIssuer, ...]:
    """Those that may have issued the token, of all that the realm trusts. A client that speaks for itself is no such
    case.
    """
    assertion = credentials.assertion
    if assertion is None or assertion.token is None or assertion.self_issued or not assertion.subject:
        return ()
    kind = credentials.form.get("client_assertion_type")
    if kind == SPIFFE_ASSERTION_TYPE:
        return credentials.realm.trust_domains.get(trust_domain(assertion.subject), ())
    if kind != ASSERTION_TYPE or assertion.issuer is None:
        return ()
    trusted = credentials.realm.issuers.get(assertion.issuer)
    return () if trusted is None else (trusted,)


def _speaker(
    client: Client, trusted: tuple[TrustedIssuer, ...], assertion: Assertion, now: int
) -> TrustedIssuer | None:
    """The one of `trusted` that may speak for `client`: of the client's one subject, or of those that a rule is about.

    Does NOT look at what the rule says: that waits for the signature.
    """
    for each in trusted:
        if _is_subject(client, each, assertion):
            return each
    return next((each for each in trusted if any(_rules(client, each, now))), None)


def _is_subject(client: Client, trusted: TrustedIssuer, assertion: Assertion) -> bool:
    attributes = client.attributes
    return (
        client.authenticator == FederatedJwt.authenticator
        and attributes.get(ALIAS) == trusted.alias
        and attributes.get(SUBJECT) == assertion.subject
    )


def _rules(client: Client, trusted: TrustedIssuer, now: int) -> Iterator[NamedRule]:
    """The client's rules over tokens of this issuer that count at `now`."""
    for each in () if client.more is None else client.more.rules:
        if each.alias == trusted.alias and (each.expires is None or now <= each.expires):
            yield each


def _credential(client: Client, trusted: TrustedIssuer, assertion: Assertion, now: int) -> str | None:
    """The name of what the verified token proves the client by; None where it does not."""
    assert assertion.token is not None
    if _is_subject(client, trusted, assertion):
        return OWN
    claims = assertion.token.claims
    return next((each.name for each in _rules(client, trusted, now) if each.rule.matches(claims)), None)


def _verify(
    trusted: TrustedIssuer, assertion: Assertion, algorithm: str, clients: Clients, told: Mapping[str, str]
) -> None:
    """That the issuer has signed it. Raises InvalidClient, Asked."""
    token, source = assertion.token, trusted.keys
    assert token is not None
    if isinstance(source, KeysAt):
        inquiry = ReadKeys(source.url, token.kid, algorithm, source.discovered, bundle=source.bundle)
        reply = (clients.replies or {}).get(inquiry)
        if reply is None:
            raise Asked(inquiry)
        assert isinstance(reply, ClientKeys | UnreadableKeys)
        source = reply
    if isinstance(source, UnreadableKeys):
        raise not_proved(told, log=source.reason)
    found = source.find(token.kid, algorithm)
    if found is None and trusted.any_kid:
        found = source.find(None, algorithm)
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
