"""Gets tokens with Authlib and requests_oauth2client by each way in which a client can prove who it is.

See the package for what it is given. An answer that is not Keycloak's ends it with a traceback.
"""

import json
import os
import ssl
import uuid
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import KeySet
from jwskate import Jwk
from requests_oauth2client import (
    ClientSecretBasic,
    ClientSecretJwt,
    ClientSecretPost,
    DPoPKey,
    InvalidScope,
    OAuth2Client,
    OAuth2ClientCredentialsAuth,
    PrivateKeyJwt,
    PublicApp,
    UnauthorizedClient,
)

URL = os.environ["KEYCLOAK_URL"]
SHOWN = {name: os.environ.get(f"KEYCLOAK_{name}_CERTIFICATE", "") for name in ("ISSUED", "OWN")}
VERIFY: Any = os.environ.get("KEYCLOAK_CA") or True
REALM = f"python-tokens-{uuid.uuid4().hex[:8]}"
ISSUER = f"{URL}/realms/{REALM}"
TOKEN = f"{ISSUER}/protocol/openid-connect/token"
SECRET = "a-secret-of-more-than-sixty-four-characters-so-that-every-HMAC-takes-it"
KEYS = {algorithm: Jwk.generate(alg=algorithm, kid=algorithm) for algorithm in ("ES256", "RS256", "PS256")}

session = requests.Session()
session.verify = VERIFY
session.trust_env = False  # REQUESTS_CA_BUNDLE would count for more


def administer(method: str, path: str, document: Any = None) -> None:
    form = {"grant_type": "password", "client_id": "admin-cli"}
    form |= {"username": os.environ["KEYCLOAK_USERNAME"], "password": os.environ["KEYCLOAK_PASSWORD"]}
    token = session.post(f"{URL}/realms/master/protocol/openid-connect/token", data=form).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    session.request(method, f"{URL}/admin/realms{path}", json=document, headers=headers).raise_for_status()


def clients() -> Iterator[dict[str, Any]]:
    own = {"serviceAccountsEnabled": True, "secret": SECRET}
    config = {"included.custom.audience": "by-secret", "access.token.claim": "true"}
    mapper = {"name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper"}
    yield own | {"clientId": "by-secret", "protocolMappers": [mapper | {"config": config}]}
    yield own | {"clientId": "by-signed-secret", "clientAuthenticatorType": "client-secret-jwt"}
    yield own | {"clientId": "by-proof", "attributes": {"dpop.bound.access.tokens": "true"}}
    if SHOWN["ISSUED"]:
        own_certificate = ssl.PEM_cert_to_DER_cert(Path(SHOWN["OWN"]).read_text())
        named = {"x509.subjectdn": "CN=issued,O=Acme", "x509.allow.regex.pattern.comparison": "false"}
        registered = {"jwt.credential.certificate": b64encode(own_certificate).decode()}
        for name, attributes in (("ISSUED", named), ("OWN", registered | {"keyturn.x509.self.signed": "true"})):
            bound = attributes | {"tls.client.certificate.bound.access.tokens": "true"}
            yield own | {"clientId": f"by-{name}", "clientAuthenticatorType": "client-x509", "attributes": bound}
    for algorithm, key in KEYS.items():
        public = key.public_jwk().with_usage_parameters()
        attributes = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [dict(public)]})}
        attributes["token.endpoint.auth.signing.alg"] = algorithm
        yield own | {"clientId": f"by-{algorithm}", "clientAuthenticatorType": "client-jwt", "attributes": attributes}


@contextmanager
def refused(error: type[Exception]) -> Iterator[None]:
    """What is done within is refused so."""
    try:
        yield
    except error:
        return
    raise AssertionError(f"not refused with {error.__name__}")


def verified(token: str, client_id: str) -> None:
    keys = KeySet.import_key_set(session.get(f"{ISSUER}/protocol/openid-connect/certs").json())
    claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["azp"]) == (ISSUER, client_id)


def alias() -> str:
    metadata = session.get(f"{ISSUER}/.well-known/openid-configuration").json()
    return str(metadata["mtls_endpoint_aliases"]["token_endpoint"])


def certificates() -> Iterator[tuple[str, tuple[str, str]]]:
    """Clients, and the files of what they show; none where certificates cannot be shown."""
    for name, path in SHOWN.items():
        if path:
            yield f"by-{name}", (path, os.environ[f"KEYCLOAK_{name}_KEY"])


def held(token: str, client_id: str, path: str) -> None:
    verified(token, client_id)
    digest = sha256(ssl.PEM_cert_to_DER_cert(Path(path).read_text())).digest()
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["cnf"] == {"x5t#S256": urlsafe_b64encode(digest).decode().rstrip("=")}


def with_authlib() -> None:
    for client_id, shown in certificates():
        with OAuth2Session(client_id, token_endpoint_auth_method="none") as client:
            client.verify, client.trust_env, client.cert = VERIFY, False, shown
            held(client.fetch_token(alias(), grant_type="client_credentials")["access_token"], client_id, shown[0])
    signing = [
        ("by-signed-secret", SECRET, "client_secret_jwt", ClientSecretJWT(TOKEN)),
        *(
            (f"by-{alg}", key.to_pem(), "private_key_jwt", PrivateKeyJWT(TOKEN, alg=alg, headers={"kid": alg}))
            for alg, key in KEYS.items()
            if key.kty == "RSA"  # it takes no others
        ),
    ]
    for method in ("client_secret_basic", "client_secret_post"):
        with OAuth2Session("by-secret", SECRET, token_endpoint_auth_method=method, scope="profile") as client:
            client.verify, client.trust_env = VERIFY, False
            token = client.fetch_token(TOKEN, grant_type="client_credentials")
            assert (token["token_type"], token["expires_in"]) == ("Bearer", 300)
            verified(token["access_token"], "by-secret")
            told = client.introspect_token(f"{TOKEN}/introspect", token=token["access_token"]).json()
            assert (told["active"], told["client_id"]) == (True, "by-secret")
            ended = client.revoke_token(f"{ISSUER}/protocol/openid-connect/revoke", token=token["access_token"])
            assert ended.status_code == 200
            told = client.introspect_token(f"{TOKEN}/introspect", token=token["access_token"]).json()
            assert told == {"active": False}
    for client_id, secret, method, authentication in signing:
        with OAuth2Session(client_id, secret, token_endpoint_auth_method=method) as client:
            client.verify, client.trust_env = VERIFY, False
            client.register_client_auth_method(authentication)
            verified(client.fetch_token(TOKEN, grant_type="client_credentials")["access_token"], client_id)


def with_requests_oauth2client() -> None:
    def of(client_id: str, authentication: Any, **more: Any) -> OAuth2Client:
        return OAuth2Client.from_discovery_endpoint(
            issuer=ISSUER, session=session, auth=authentication, testing=URL.startswith("http:"), **more
        )

    methods = [
        ("by-secret", ClientSecretBasic("by-secret", SECRET)),
        ("by-secret", ClientSecretPost("by-secret", SECRET)),
        ("by-signed-secret", ClientSecretJwt("by-signed-secret", SECRET)),
        *((f"by-{alg}", PrivateKeyJwt(f"by-{alg}", key, alg=alg)) for alg, key in KEYS.items()),
    ]
    for client_id, authentication in methods:
        token = of(client_id, authentication).client_credentials(scope="profile")
        assert token.token_type == "Bearer"
        verified(token.access_token, client_id)
    for client_id, shown in certificates():
        with requests.Session() as showing:
            showing.verify, showing.trust_env, showing.cert = VERIFY, False, shown
            showing_client = OAuth2Client(alias(), auth=PublicApp(client_id), session=showing)
            held(showing_client.client_credentials().access_token, client_id, shown[0])
    client = of("by-secret", ClientSecretBasic("by-secret", SECRET))
    token = client.client_credentials()
    assert client.introspect_token(token)["active"] is True
    assert client.revoke_access_token(token)
    assert client.introspect_token(token) == {"active": False}
    with refused(InvalidScope):
        client.client_credentials(scope="none")
    with refused(UnauthorizedClient):
        of("by-secret", ClientSecretBasic("by-secret", "wrong")).client_credentials()
    proving = of("by-proof", ClientSecretBasic("by-proof", SECRET), dpop_bound_access_tokens=True)
    bound = proving.client_credentials(scope="openid", dpop_key=DPoPKey.generate(alg="ES256"))
    assert bound.token_type == "DPoP"
    about = session.get(f"{ISSUER}/protocol/openid-connect/userinfo", auth=bound)
    assert about.json()["preferred_username"] == "service-account-by-proof"
    renewing = OAuth2ClientCredentialsAuth(client)
    assert session.get(f"{URL}/admin/realms/{REALM}", auth=renewing).status_code == 403


def main() -> None:
    administer("POST", "", {"realm": REALM, "enabled": True, "clients": list(clients())})
    try:
        with_authlib()
        with_requests_oauth2client()
    finally:
        administer("DELETE", f"/{REALM}")


if __name__ == "__main__":
    main()
