"""Signing in as a client with a key from a Java keystore (``--keystore``)."""

import json
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from kcadm.answering_server import AnsweringServer
from kcadm.conftest import Kcadm
from keyturn.jose import jwt
from keyturn.jose.jwk import PublicKey, public_key_from_certificate
from keyturn.jose.truststore import read_truststore

KEYSTORES = Path(__file__).with_name("keystores")
JKS, PKCS12 = (str(KEYSTORES / f"client.{kind}") for kind in ("jks", "p12"))
PASSWORDS = {JKS: ("--storepass", "secret1", "--keypass", "keypass1"), PKCS12: ("--storepass", "secret1")}


def _public_key(keystore: str) -> PublicKey:
    certificate = read_truststore(Path(keystore).read_bytes(), "secret1")[0]
    return public_key_from_certificate(certificate, algorithm="RS256")


@pytest.mark.parametrize("keystore", [JKS, PKCS12], ids=["JKS", "PKCS12"])
def test_signs_in_with_the_key_of_a_keystore(keystore: str, kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    given = ("--server", server.url, "--realm", "m", "--client", "c1", "--keystore", keystore, *PASSWORDS[keystore])
    printed = kcadm("config", "credentials", *given)
    assert printed.err == f"Logging into {server.url} as service-account-c1 of realm m\n"
    form = parse_qs(server.taken()[0][-1])
    assertion = form.pop("client_assertion")[0]
    assert form == {
        "client_id": ["c1"],
        "client_assertion_type": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
        "grant_type": ["client_credentials"],
    }
    claims = jwt.verify(assertion, lambda _, __: _public_key(keystore), frozenset({"RS256"}))
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("c1", "c1", f"{server.url}/realms/m")
    assert claims["exp"] - claims["iat"] == 600
    assert abs(claims["iat"] - time.time()) < 60
    session = json.loads((home / ".keycloak" / "kcadm.config").read_text())["endpoints"][server.url]["m"]
    assert (session["signingToken"], session["sigExpiresAt"]) == (assertion, claims["exp"] * 1000)


@pytest.mark.parametrize(
    ("keystore", "given", "message"),
    [
        (PKCS12, ("--storepass", "wrong"), "PKCS12 key store mac invalid - wrong password or corrupted file"),
        (JKS, ("--storepass", "wrong"), "Keystore was tampered with, or password was incorrect"),
        (JKS, ("--storepass", "secret1"), "Cannot recover key"),
        (JKS, (*PASSWORDS[JKS], "--alias", "c2"), "Couldn't load key with alias 'c2' from keystore"),
        (PKCS12, (*PASSWORDS[PKCS12], "--alias", "c2"), "Couldn't load key with alias 'c2' from keystore"),
        (__file__, ("--storepass", "secret1"), "Invalid keystore format"),
    ],
)
def test_says_why_there_is_no_key(
    keystore: str, given: tuple[str, ...], message: str, kcadm: Kcadm, server: AnsweringServer, home: Path
) -> None:
    common = ("--server", server.url, "--realm", "m", "--client", "c1", "--keystore", keystore)
    printed = kcadm("config", "credentials", *common, *given)
    assert (printed.status, printed.err.splitlines()[1]) == (1, f"Failed to load private key: {message}")


def test_an_alias_has_no_case(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    common = ("--server", server.url, "--realm", "m", "--client", "c", "--alias", "C1")
    for keystore, passwords in PASSWORDS.items():
        assert kcadm("config", "credentials", *common, "--keystore", keystore, *passwords).status == 0
