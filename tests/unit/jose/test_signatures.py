"""Signatures against the RFCs' examples and against another implementation (RFC 7515, RFC 7518 §3, RFC 8037)."""

import json
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import import_key

from keyturn.jose import base64url
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.jwk import PrivateKey, PublicKey, generate, public_key_from_jwk, symmetric_key

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "jws_signatures.json").read_text())
NOW = time.time()
KEYS = {
    **{name: generate(name, now=NOW) for name, row in SIGNATURE_ALGORITHMS.items() if row.family != "oct"},
    **{name: symmetric_key(b"s" * 64, algorithm=name, kid=name) for name in ("HS256", "HS384", "HS512")},
    "EdDSA with Ed448": generate("EdDSA", curve="Ed448", now=NOW),
}


def key_of(vector: dict[str, Any]) -> PublicKey:
    if "secret" in vector:
        return symmetric_key(base64url.decode(vector["secret"]), algorithm=vector["algorithm"], kid="shared").public
    return public_key_from_jwk(vector["jwk"])


def independent(key: PrivateKey) -> Any:
    """The same public key in the other implementation."""
    if isinstance(key.material, bytes):
        return import_key(key.material.decode(), "oct")
    return import_key(key.public.jwk())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["origin"])
def test_verifies_the_example(vector: dict[str, Any]) -> None:
    signature = base64url.decode(vector["signature"])
    assert key_of(vector).verify(vector["signing_input"].encode(), signature, vector["algorithm"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["origin"])
def test_refuses_the_example_when_a_bit_of_it_is_changed(vector: dict[str, Any]) -> None:
    key, data, signature = key_of(vector), vector["signing_input"].encode(), base64url.decode(vector["signature"])
    assert not key.verify(data + b"x", signature, vector["algorithm"])
    for position in (0, len(signature) // 2, len(signature) - 1):
        changed = bytearray(signature)
        changed[position] ^= 1
        assert not key.verify(data, bytes(changed), vector["algorithm"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["origin"])
@pytest.mark.parametrize("algorithm", [*SIGNATURE_ALGORITHMS, "none", "", "RS1", "A128KW"])
def test_refuses_the_example_by_any_other_algorithm(vector: dict[str, Any], algorithm: str) -> None:
    if algorithm != vector["algorithm"]:
        signature = base64url.decode(vector["signature"])
        assert not key_of(vector).verify(vector["signing_input"].encode(), signature, algorithm)


@pytest.mark.parametrize("vector", [v for v in VECTORS if "secret" in v], ids=lambda vector: vector["origin"])
def test_signs_as_the_example_where_signing_is_deterministic(vector: dict[str, Any]) -> None:
    key = symmetric_key(base64url.decode(vector["secret"]), algorithm=vector["algorithm"], kid="shared")
    assert base64url.encode(key.sign(vector["signing_input"].encode())).decode() == vector["signature"]


@pytest.mark.parametrize("name", KEYS)
def test_another_implementation_verifies_what_we_sign(name: str) -> None:
    key = KEYS[name]
    signing_input = base64url.encode(json.dumps({"alg": key.algorithm}).encode()) + b"." + base64url.encode(b"payload")
    token = signing_input + b"." + base64url.encode(key.sign(signing_input))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it argues about EdDSA, Keycloak's name for the algorithm
        assert jws.deserialize_compact(token, independent(key), algorithms=[key.algorithm]).payload == b"payload"


@pytest.mark.parametrize("name", KEYS)
def test_we_verify_what_we_sign(name: str) -> None:
    key = KEYS[name]
    assert key.public.verify(b"data", key.sign(b"data"), key.algorithm)
    assert not key.public.verify(b"other data", key.sign(b"data"), key.algorithm)


@pytest.mark.parametrize("name", ["ES256", "ES384", "ES512"])
def test_ecdsa_signatures_always_have_full_length_whatever_the_numbers_are(name: str) -> None:
    key, size = KEYS[name], SIGNATURE_ALGORITHMS[name].signature_size
    # One number in 256 has a leading zero octet, which DER leaves out.
    for turn in range(600):
        data = turn.to_bytes(4, "big")
        signature = key.sign(data)
        assert len(signature) == size
        if signature[0] == 0 or signature[len(signature) // 2] == 0:
            assert key.public.verify(data, signature, name)


def test_refuses_an_ecdsa_signature_in_der() -> None:
    key = KEYS["ES256"]
    signature = key.sign(b"data")
    r, s = signature[:32], signature[32:]
    der = b"\x30\x44\x02\x20" + r + b"\x02\x20" + s
    assert not key.public.verify(b"data", der, "ES256")


def test_refuses_an_ecdsa_signature_of_zeros() -> None:
    # CVE-2022-21449: r = s = 0 passed Java's check for any key.
    assert not KEYS["ES256"].public.verify(b"data", b"\0" * 64, "ES256")


def test_refuses_a_signature_made_with_another_curve() -> None:
    assert not KEYS["ES384"].public.verify(b"data", KEYS["ES256"].sign(b"data"), "ES256")


def test_a_public_rsa_key_is_no_hmac_secret() -> None:
    # Algorithm confusion: the attacker knows the public key, and signs with its PEM or DER as a secret.
    public = public_key_from_jwk({k: v for k, v in KEYS["RS256"].public.jwk().items() if k != "alg"})
    forged = symmetric_key(public.to_der(), algorithm="HS256", kid=public.kid).sign(b"data")
    assert not public.verify(b"data", forged, "HS256")
