"""client_secret_jwt (OpenID Connect Core §9): an assertion whose signature is a MAC keyed with the client's secret."""

from collections.abc import Mapping
from typing import ClassVar, Final

from keyturn.jose import jwt
from keyturn.jose.jwk import PublicKey, symmetric_key
from keyturn.model.client import Client
from keyturn.model.client_keys import ASYMMETRIC, SYMMETRIC
from keyturn.oauth2.client_authentication import assertion_checks as checks
from keyturn.oauth2.client_authentication.assertion import Assertion
from keyturn.oauth2.client_authentication.presented import NOT_PROVED
from keyturn.oauth2.client_authentication.spi import Credentials, Proof, not_proved
from keyturn.oauth2.errors import OAuth2Error, UnauthorizedClient
from keyturn.oauth2.spi import Asked, Clients

_FAILED: Final = "Client authentication with client secret signed JWT failed"
_WRONG: Final = "Signature on JWT token by client secret  failed validation"
"""With two blanks, as Keycloak has it; with one, the algorithm takes no secret."""


class ClientSecretJwt:
    """The secret signs instead of being sent. Source: Keycloak ``JWTClientSecretAuthenticator``."""

    authenticator: ClassVar[str] = "client-secret-jwt"
    metadata: ClassVar[tuple[str, ...]] = ("client_secret_jwt",)

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The client that the assertion is about. Does NOT verify anything."""
        return checks.speaker(credentials)

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That the assertion is `client`'s, for this realm, and good now. Raises OAuth2Error, Asked, Miss."""
        assertion = checks.check_parameters(credentials, clients, _broken)
        told = assertion.told
        algorithm = checks.check_algorithm(client, assertion, SYMMETRIC | ASYMMETRIC, told)
        if not client.shared_secrets:
            raise not_proved(told, log="the client has no secret")
        if algorithm in ASYMMETRIC:
            raise _broken(_WRONG.replace("  ", " "), "the algorithm takes no secret", told)
        if clients.replies is None:
            raise Asked(None)
        name = _signer(client, assertion, algorithm, credentials.now)
        if name is None:
            raise _broken(_WRONG, "wrong signature", told)
        checks.check_audience(credentials, assertion, told)
        lifespan = checks.check_times(assertion, credentials.now, checks.maximum_age(client), _broken, told)
        return Proof(told, checks.single_use(self.authenticator, credentials, assertion, lifespan), name)


def _signer(client: Client, assertion: Assertion, algorithm: str, now: int) -> str | None:
    """What the use of the secret that has signed it is counted under; None where none of the client's has."""
    token = assertion.token
    assert token is not None
    for known in client.shared_secrets:
        if known.expires is not None and now > known.expires:
            continue
        secret = symmetric_key(known.secret, algorithm=algorithm, kid="").public

        def key(kid: str | None, algorithm: str, secret: PublicKey = secret) -> PublicKey:
            return secret

        try:
            jwt.verify(token, key, SYMMETRIC)
        except jwt.InvalidToken:
            continue
        return known.name
    return None


def _broken(text: str, log: str, told: Mapping[str, str]) -> OAuth2Error:
    description = f"{_FAILED}: {text}" if text else _FAILED
    return UnauthorizedClient(description, log=log, status=400, event=NOT_PROVED, told=dict(told))
