"""Requests of a client that signs: each with an assertion of its own, since none is good for a second use."""

import json
import secrets
import time
from collections.abc import Iterator

from benchmarks import servers
from benchmarks.load import token_request
from benchmarks.servers import REALM, Server

from keyturn.jose import jwk, jwt

CLIENT = "signer"
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def signer(server: Server) -> Iterator[bytes]:
    """Requests of a new client that signs with ES256 and gets tokens of ES256."""
    key = jwk.generate("ES256", kid="signer", now=time.time())
    document = {
        "clientId": CLIENT,
        "serviceAccountsEnabled": True,
        "clientAuthenticatorType": "client-jwt",
        "attributes": {
            "use.jwks.string": "true",
            "jwks.string": json.dumps({"keys": [key.public.jwk()]}),
            "access.token.signed.response.alg": "ES256",
        },
    }
    url = f"{server.url}/admin/realms/{REALM}/clients"
    servers.call(url, token=servers.administrator(server), document=document)
    header = json.dumps({"alg": "ES256", "kid": key.kid}).encode()
    known = {"iss": CLIENT, "sub": CLIENT, "aud": f"http://127.0.0.1/realms/{REALM}"}
    while True:
        now = int(time.time())
        claims = known | {"iat": now, "exp": now + 60, "jti": secrets.token_urlsafe(16)}
        assertion = jwt.encode(header, json.dumps(claims).encode(), key).decode()
        form = {"grant_type": "client_credentials", "client_assertion_type": _TYPE, "client_assertion": assertion}
        yield token_request(REALM, form)
