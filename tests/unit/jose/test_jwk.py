"""Keys in and out (RFC 7517, RFC 7518 §6, RFC 7638)."""

import json
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from keyturn.jose import x509
from keyturn.jose.jwk import (
    InvalidKey,
    PrivateKey,
    generate,
    private_key_from_pem,
    public_key_from_certificate,
    public_key_from_jwk,
    public_key_from_pem,
    symmetric_key,
    thumbprint,
)

VECTORS = Path(__file__).parents[2] / "vectors"
KEYCLOAK = json.loads((VECTORS / "keycloak_certs.json").read_text())["keys"]
THUMBPRINTS = json.loads((VECTORS / "jwk_thumbprints.json").read_text())
NOW = time.time()
RSA = generate("RS256", certificate_subject="my-app-realm", now=NOW)
EC = generate("ES256", now=NOW)


def form_of(key: dict[str, Any]) -> str:
    return f"{key['alg']} {key.get('crv', '')}".strip()


@pytest.mark.parametrize("vector", THUMBPRINTS, ids=lambda vector: vector["origin"])
def test_thumbprint_is_the_examples(vector: dict[str, Any]) -> None:
    assert thumbprint(vector["jwk"]) == vector["expect"]


@pytest.mark.parametrize("jwk", [{}, {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "EC", "crv": "P-256"}, {"kty": ["RSA"]}])
def test_there_is_no_thumbprint_of_what_is_no_public_key(jwk: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey):
        thumbprint(jwk)


@pytest.mark.parametrize("jwk", KEYCLOAK, ids=form_of)
def test_default_kid_is_the_one_that_keycloak_gives_to_the_key(jwk: dict[str, Any]) -> None:
    assert public_key_from_jwk({name: value for name, value in jwk.items() if name != "kid"}).kid == jwk["kid"]


@pytest.mark.parametrize("jwk", KEYCLOAK, ids=form_of)
def test_jwk_has_the_members_of_keycloaks_in_their_order(jwk: dict[str, Any]) -> None:
    if "x5c" in jwk:
        key = public_key_from_certificate(jwk["x5c"][0], algorithm=jwk["alg"])
        expected = jwk | {"use": "sig"}
    else:
        key = public_key_from_jwk(jwk)
        expected = jwk
    assert list(key.jwk().items()) == list(expected.items())


@pytest.mark.parametrize(
    ("algorithm", "arguments"),
    [
        ("RS256", {}),
        ("PS512", {"size": 3072}),
        ("ES256", {}),
        ("ES384", {}),
        ("ES512", {}),
        ("EdDSA", {}),
        ("EdDSA", {"curve": "Ed448"}),
        ("RSA-OAEP", {"use": "enc"}),
        ("ECDH-ES", {"use": "enc", "curve": "P-384"}),
    ],
)
def test_a_generated_key_comes_back_the_same_from_what_keycloak_stores(
    algorithm: str, arguments: dict[str, Any]
) -> None:
    key = generate(algorithm, certificate_subject="my-app-realm", now=NOW, **arguments)
    assert key.certificate is not None
    stored, certificate = b64encode(key.to_der()).decode(), b64encode(key.certificate).decode()
    for pem, trusted in ((stored, True), (stored, False), (key.to_pem(), True)):
        loaded = private_key_from_pem(
            pem, algorithm=algorithm, use=key.use, certificate_pem=certificate, trusted=trusted
        )
        assert loaded.public.jwk() == key.public.jwk()
        if key.use == "sig":
            assert key.public.verify(b"data", loaded.sign(b"data"), algorithm)


def test_a_key_for_encryption_neither_signs_nor_verifies() -> None:
    key = generate("RSA-OAEP", use="enc", now=NOW)
    with pytest.raises(InvalidKey):
        key.sign(b"data")
    signing = private_key_from_pem(key.to_pem(), algorithm="RS256")
    published = public_key_from_jwk({**key.public.jwk(), "alg": "RS256"})
    assert not published.verify(b"data", signing.sign(b"data"), "RS256")


def test_the_certificate_is_self_signed_for_the_realm_over_ten_years() -> None:
    assert RSA.certificate is not None
    assert x509.public_key_of(RSA.certificate) == RSA.public.to_der()
    years = (x509.valid_until(RSA.certificate) - NOW) / (365.2425 * 86400)
    assert 9.99 < years < 10.01


def test_refuses_another_keys_certificate() -> None:
    with pytest.raises(InvalidKey, match="another key's"):
        private_key_from_pem(EC.to_pem(), algorithm="ES256", certificate_pem=b64encode(RSA.certificate or b"").decode())


@pytest.mark.parametrize(
    "content", ["", "no key", b"\xff\xfe", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_refuses_what_is_no_private_key_without_quoting_it(content: str | bytes) -> None:
    with pytest.raises(InvalidKey) as caught:
        private_key_from_pem(content, algorithm="RS256")
    assert "AAAA" not in str(caught.value)


@pytest.mark.parametrize("algorithm", ["RS256", "ES384", "EdDSA", "HS256", "RSA-OAEP", "none", "AES"])
def test_refuses_a_private_key_that_does_not_fit_its_algorithm(algorithm: str) -> None:
    with pytest.raises(InvalidKey, match="does not fit"):
        private_key_from_pem(EC.to_pem(), algorithm=algorithm)


@pytest.mark.parametrize(
    ("algorithm", "arguments"),
    [("HS256", {}), ("none", {}), ("RS256", {"size": 512}), ("RS256", {"size": 16384}), ("EdDSA", {"curve": "P-256"})],
)
def test_makes_no_key_that_the_algorithm_cannot_use(algorithm: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey):
        generate(algorithm, now=NOW, **arguments)


def test_a_foreign_rsa_key_is_checked() -> None:
    broken = bytearray(RSA.to_der())
    broken[60] ^= 1  # inside the modulus
    with pytest.raises(InvalidKey):
        private_key_from_pem(b64encode(bytes(broken)), algorithm="RS256")


def test_reads_public_keys_in_pem_and_in_keycloaks_base64() -> None:
    bare = b64encode(EC.public.to_der()).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{bare}\n-----END PUBLIC KEY-----\n"
    assert public_key_from_pem(bare).kid == public_key_from_pem(pem).kid == EC.kid
    with pytest.raises(InvalidKey):
        public_key_from_pem("no key")


def jwk_of(key: PrivateKey, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (key.public.jwk() | changes).items() if value is not None}


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "unknown"},
        {"kty": ["EC"]},
        jwk_of(EC, d="AAAA"),
        jwk_of(EC, crv="secp256k1"),
        jwk_of(EC, crv="P-384"),
        jwk_of(EC, y=EC.public.jwk()["x"]),
        jwk_of(EC, x="AA"),
        jwk_of(EC, x=7),
        jwk_of(EC, x=None),
        jwk_of(EC, kid=7),
        jwk_of(EC, x=EC.public.jwk()["x"] + "="),
        jwk_of(RSA, e=None),
        jwk_of(RSA, e="AA"),
        jwk_of(RSA, n="AQAB"),
        {"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR"},
    ],
)
def test_refuses_a_jwk_that_is_broken_weak_private_or_unknown(jwk: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey):
        public_key_from_jwk(jwk)


def test_key_ops_without_verify_do_not_verify() -> None:
    assert public_key_from_jwk(jwk_of(EC, use=None, key_ops=["verify"])).verify(b"x", EC.sign(b"x"), "ES256")
    assert not public_key_from_jwk(jwk_of(EC, use=None, key_ops=["deriveKey"])).verify(b"x", EC.sign(b"x"), "ES256")


def test_a_shared_secret_has_no_public_form() -> None:
    key = symmetric_key(b"a shared secret", algorithm="HS512", kid="5f1c")
    for form in (key.public.jwk, key.public.to_der, key.to_der, key.to_pem):
        with pytest.raises(InvalidKey):
            form()


@pytest.mark.parametrize(("secret", "algorithm"), [(b"", "HS256"), (b"x", "RS256"), (b"x", "none")])
def test_refuses_a_shared_secret_that_is_none(secret: bytes, algorithm: str) -> None:
    with pytest.raises(InvalidKey):
        symmetric_key(secret, algorithm=algorithm, kid="kid")


def test_key_material_shows_in_no_repr() -> None:
    key = symmetric_key(b"a shared secret", algorithm="HS512", kid="5f1c")
    assert "a shared secret" not in repr(key) + repr(key.public)
    assert "material" not in repr(RSA)
