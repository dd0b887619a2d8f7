"""private_key_jwt (RFC 7523 §2.2; OpenID Connect Core §9): an assertion signed with the client's own key."""

from collections.abc import Mapping
from typing import ClassVar, Final

from keyturn.jose import jwt
from keyturn.jose.jwk import PublicKey
from keyturn.model.client import Client
from keyturn.model.client_credential import OWN, NamedKey
from keyturn.model.client_keys import ASYMMETRIC, ClientKeys, KeysAt, UnreadableKeys
from keyturn.oauth2.client_authentication import assertion_checks as checks
from keyturn.oauth2.client_authentication.assertion import Assertion
from keyturn.oauth2.client_authentication.presented import NOT_PROVED
from keyturn.oauth2.client_authentication.spi import Credentials, Proof
from keyturn.oauth2.errors import InvalidClient, OAuth2Error
from keyturn.oauth2.inquiries import ReadKeys
from keyturn.oauth2.spi import Asked, Clients

_FAILED: Final = "Client authentication with signed JWT failed"
_NO_KEY: Final = "client_credentials_setup_required"


class PrivateKeyJwt:
    """The client's key signs; its public one is in a JWK Set, at a URL or in an attribute, or in a certificate.

    Source: Keycloak ``JWTClientAuthenticator``.
    """

    authenticator: ClassVar[str] = "client-jwt"
    metadata: ClassVar[tuple[str, ...]] = ("private_key_jwt",)

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The client that the assertion is about. Does NOT verify anything."""
        return checks.speaker(credentials)

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That the assertion is `client`'s, for this realm, and good now. Raises OAuth2Error, Asked, Miss."""
        assertion = checks.check_parameters(credentials, clients, _broken)
        told: Mapping[str, str] = assertion.told
        algorithm = checks.check_algorithm(client, assertion, ASYMMETRIC, told)
        if clients.replies is None:
            raise Asked(None)
        signer = _named_signer(client, assertion, credentials.now)
        if signer is None:
            told = self._verify(client, assertion, algorithm, clients, told)
        elif signer.key.kid:
            told = {**told, "client_jwt_kid": signer.key.kid}
        checks.check_audience(credentials, assertion, told)
        lifespan = checks.check_times(assertion, credentials.now, checks.maximum_age(client), _broken, told)
        once = checks.single_use(self.authenticator, credentials, assertion, lifespan)
        return Proof(told, once, OWN if signer is None else signer.name)

    def _verify(
        self, client: Client, assertion: Assertion, algorithm: str, clients: Clients, told: Mapping[str, str]
    ) -> Mapping[str, str]:
        """What events tell, the key among it."""
        token = assertion.token
        assert token is not None
        found = _keys(client, token.kid, algorithm, clients, told).find(token.kid, algorithm)
        if found is None:
            raise checks.refused("Unable to load public key", told, event=_NO_KEY)
        if found.kid:
            told = {**told, "client_jwt_kid": found.kid}

        def key(kid: str | None, algorithm: str) -> PublicKey:
            return found.key

        try:
            jwt.verify(token, key, ASYMMETRIC)
        except jwt.InvalidToken as error:
            raise _broken("Signature on JWT token failed validation", error.reason, told) from None
        return told


def _named_signer(client: Client, assertion: Assertion, now: int) -> NamedKey | None:
    """That one of the client's named keys that has signed the assertion; None where none has that counts at `now`."""
    token = assertion.token
    assert token is not None
    for named in () if client.more is None else client.more.keys:
        if named.expires is not None and now > named.expires:
            continue
        if None not in (token.kid, named.key.kid) and token.kid != named.key.kid:
            continue

        def key(kid: str | None, algorithm: str, found: PublicKey = named.key.key) -> PublicKey:
            return found

        try:
            jwt.verify(token, key, ASYMMETRIC)
        except jwt.InvalidToken:
            continue
        return named
    return None


def _keys(client: Client, kid: str | None, algorithm: str, clients: Clients, told: Mapping[str, str]) -> ClientKeys:
    source = client.keys
    if isinstance(source, KeysAt):
        inquiry = ReadKeys(source.url, kid, algorithm)
        reply = (clients.replies or {}).get(inquiry)
        if reply is None:
            raise Asked(inquiry)
        assert isinstance(reply, ClientKeys | UnreadableKeys)
        source = reply
    if isinstance(source, UnreadableKeys):
        raise _broken("Error when loading public keys", source.reason, told)
    return source


def _broken(text: str, log: str, told: Mapping[str, str]) -> OAuth2Error:
    """What stands behind the text in Keycloak is a Java exception; here the log tells it."""
    description = f"{_FAILED}: {text}" if text else _FAILED
    return InvalidClient(description, log=log, status=400, event=NOT_PROVED, told=dict(told))
