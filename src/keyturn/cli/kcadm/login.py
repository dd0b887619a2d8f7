"""Tokens from the token endpoint: by password, by client credentials, by refresh token; and where they are kept."""

import base64
import time
from dataclasses import dataclass
from typing import Any, Final

from keyturn.cli.kcadm.config_file import ConfigStore, Configuration
from keyturn.cli.kcadm.errors import KcadmError, TransportError
from keyturn.cli.kcadm.http_connection import HTTPConnection, Response
from keyturn.cli.kcadm.json_document import BrokenJSON, parse
from keyturn.cli.kcadm.url import form_encode

__all__ = ["ClientCredentials", "SigningToken", "UserCredentials", "fresh_token", "log_in"]

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LIFESPANS: Final = ("expires_in", "refresh_expires_in")
_NEVER: Final = 2**63 - 1
_SOON_MS: Final = 5000
"""A token that ends within five seconds is not used any more."""


@dataclass(frozen=True, slots=True, repr=False)
class SigningToken:
    """A client assertion and when it ends, in milliseconds since 1970."""

    token: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, repr=False)
class ClientCredentials:
    """Who the client is: by its secret, by an assertion, or, a public one, by its id alone."""

    client_id: str
    secret: str | None = None
    signing_token: SigningToken | None = None


@dataclass(frozen=True, slots=True, repr=False)
class UserCredentials:
    """Who the user is."""

    username: str
    password: str


def log_in(
    store: ConfigStore,
    http: HTTPConnection,
    server: str,
    realm: str,
    client: ClientCredentials,
    user: UserCredentials | None,
) -> None:
    """Get tokens for `user`, or without one for the client's service account, and keep them in `store`.

    Raises:
        KcadmError: the server refused, or did not answer; in its own words.
    """
    confidential = client.secret is not None or client.signing_token is not None
    form: list[tuple[str, str]] = []
    if user is None:
        form = [("grant_type", "client_credentials")]
    else:
        form = [("grant_type", "password"), ("username", user.username), ("password", user.password)]
        if confidential and client.signing_token is None:
            form.insert(0, ("client_id", client.client_id))
    if client.signing_token is not None:
        form = [
            ("client_id", client.client_id),
            ("client_assertion_type", _ASSERTION_TYPE),
            ("client_assertion", client.signing_token.token),
            *form,
        ]
    elif not confidential:
        form.append(("client_id", client.client_id))
    try:
        answer = _token_request(http, server, realm, form, client)
    except TransportError as error:
        raise KcadmError(f"Failed to send request - {error}") from error
    try:
        tokens = _tokens(answer)
    except BrokenJSON:
        raise KcadmError("Error receiving response: ") from None
    grant = "client_credentials" if user is None else "password"
    session = _session(tokens, client, grant)
    store.update(lambda kept: kept.put_session(server, realm, session))


def fresh_token(configuration: Configuration, store: ConfigStore, http: HTTPConnection) -> str | None:
    """The access token of the current session, renewed where it ends soon; None where there is no session.

    Raises:
        KcadmError: the session has ended, or the server refuses to renew it.
    """
    server, realm = configuration.text("serverUrl"), configuration.text("realm")
    if server is None or realm is None:
        return None
    session = configuration.session
    refresh_token = session.get("refreshToken")
    grant = session.get("grantTypeForAuthentication")
    if refresh_token is None and (session.get("token") is None or grant != "client_credentials"):
        return None
    now = _now_ms()
    if now < int(session.get("expiresAt") or 0) - _SOON_MS:
        return str(session["token"])
    if refresh_token is not None and now > int(session.get("refreshExpiresAt") or 0):
        raise _session_has_expired()
    signing = None
    if (assertion := session.get("signingToken")) is not None:
        signing = SigningToken(str(assertion), int(session.get("sigExpiresAt") or 0))
        if now > signing.expires_at_ms:
            raise _session_has_expired()
    client = ClientCredentials(str(session.get("clientId") or "admin-cli"), session.get("secret"), signing)
    form = (
        [("grant_type", "client_credentials")]
        if refresh_token is None
        else [("grant_type", "refresh_token"), ("refresh_token", str(refresh_token))]
    )
    form.append(("client_id", client.client_id))
    if signing is not None:
        form += [("client_assertion_type", _ASSERTION_TYPE), ("client_assertion", signing.token)]
    try:
        tokens = _tokens(_token_request(http, server, realm, form, client))
    except (KcadmError, BrokenJSON) as error:
        raise KcadmError(f"Failed to refresh access token - {error}") from None
    renewed = _session(tokens, client, str(grant or "password"))
    store.update(lambda kept: kept.put_session(server, realm, renewed))
    return str(tokens.get("access_token"))


def _session_has_expired() -> KcadmError:
    return KcadmError("Session has expired. Login again with 'kcadm.sh config credentials'")


def _token_request(
    http: HTTPConnection, server: str, realm: str, form: list[tuple[str, str]], client: ClientCredentials
) -> Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if client.secret is not None and client.signing_token is None:
        # RFC 6749 §2.3.1: both are form-encoded before they are joined.
        pair = f"{form_encode(client.client_id)}:{form_encode(client.secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    encoded = "&".join(
        f"{name}={value if name == 'client_assertion_type' else form_encode(value)}" for name, value in form
    )
    url = f"{server}/realms/{realm}/protocol/openid-connect/token"
    return http.send("POST", url, headers, encoded.encode())


def _tokens(answer: Response) -> dict[str, Any]:
    """The token response, or the server's refusal as an error."""
    text = answer.body.decode("utf-8", "replace")
    if answer.status in _REDIRECTS:
        raise KcadmError(
            f"Request was unsuccessful as the server responded with a redirect to {answer.header('location')} - "
            "please check that your server URL is correct."
        )
    if not 200 <= answer.status < 300:
        if answer.header("content-type") != "application/json":
            raise KcadmError(f"{answer.status} {answer.reason}")
        try:
            refusal = parse(text)
        except BrokenJSON as error:
            raise KcadmError(f"Failed to read error response - {error}") from None
        told = refusal if isinstance(refusal, dict) else {}
        description, code = (_or_null(told.get(name)) for name in ("error_description", "error"))
        raise KcadmError(f"{description} [{code}]")
    tokens = parse(text)
    if not isinstance(tokens, dict) or not all(isinstance(tokens.get(name, 0), int | None) for name in _LIFESPANS):
        raise BrokenJSON("not a token response")
    return tokens


def _or_null(value: Any) -> str:
    return "null" if value is None else str(value)


def _session(tokens: dict[str, Any], client: ClientCredentials, grant: str) -> dict[str, Any]:
    now = _now_ms()
    refresh_lifespan = int(tokens.get("refresh_expires_in") or 0)
    session = {
        "clientId": client.client_id,
        "token": tokens.get("access_token"),
        "refreshToken": tokens.get("refresh_token"),
        "grantTypeForAuthentication": grant,
        "expiresAt": now + int(tokens.get("expires_in") or 0) * 1000,
        "secret": client.secret,
    }
    if tokens.get("refresh_token") is not None:
        session["refreshExpiresAt"] = now + refresh_lifespan * 1000 if refresh_lifespan else _NEVER
    if client.signing_token is not None:
        session |= {"signingToken": client.signing_token.token, "sigExpiresAt": client.signing_token.expires_at_ms}
    return session


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
