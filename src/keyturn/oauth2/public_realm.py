"""The page that says which realm this is (Keycloak ``PublicRealmResource``)."""

from base64 import b64encode
from typing import Final

from keyturn.model.realm import Realm
from keyturn.oauth2.access_token import NoKey, key_for
from keyturn.oauth2.http_message import Headers, Response
from keyturn.oauth2.spi import Pending
from keyturn.representations import encode

_HEADERS: Final[Headers] = (
    (b"cache-control", b"no-cache"),
    (b"content-type", b"application/json;charset=UTF-8"),
)
_ALGORITHM: Final = "RS256"


def public_realm(realm: Realm, base_url: str) -> Response | Pending:
    """Name, addresses and the key that signs RS256; Pending where there is none yet."""
    try:
        key = key_for(realm, _ALGORITHM)
    except NoKey as error:
        return error.pending
    url = f"{base_url}{realm.path}"
    document = {
        "realm": realm.name,
        "public_key": b64encode(key.public.to_der()).decode(),
        "token-service": f"{url}/protocol/openid-connect",
        "account-service": f"{url}/account",
        "tokens-not-before": realm.not_before,
    }
    return Response(200, _HEADERS, encode(document))
