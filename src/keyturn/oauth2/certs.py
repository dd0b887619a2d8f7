"""The realm's public keys as a JWK set (RFC 7517 §5)."""

from typing import Final

from keyturn.model.realm import Realm
from keyturn.oauth2.http_message import Headers, Response, json_response

_HEADERS: Final[Headers] = ((b"cache-control", b"no-cache"),)


def certs(realm: Realm) -> Response:
    """Every key pair that is not disabled, keys for encryption too, those of the highest priority first.

    Source: Keycloak ``OIDCLoginProtocolService.certs``.
    """
    keys = [
        realm_key.key.public.jwk()
        for realm_key in realm.keys.keys
        if realm_key.status != "DISABLED" and realm_key.key.public.family != "oct"
    ]
    return json_response(200, {"keys": keys}, _HEADERS)
