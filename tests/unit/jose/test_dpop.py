"""DPoP proofs (RFC 9449 §4): made, read, and refused with Keycloak's words."""

import json
from pathlib import Path
from typing import Any

import pytest

from keyturn.jose import dpop, jwt
from keyturn.jose.jwk import PrivateKey, generate, public_key_from_jwk, symmetric_key, thumbprint

NOW = 1_800_000_000
URL = "https://keyturn.test/realms/machines/protocol/openid-connect/token"
KEY = generate("ES256", now=NOW)
VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "vectors" / "dpop_proofs.json").read_text())
SIGNATURE = "DPoP verification failure: org.keycloak.exceptions.TokenSignatureInvalidException: Invalid token signature"
NO_SIGNATURE = "DPoP verification failure: org.keycloak.common.VerificationException: Signing failed"
UNREADABLE = "DPoP header verification failure"
MISSING = "DPoP mandatory claims are missing"


def public(key: PrivateKey) -> dict[str, Any]:
    return {name: value for name, value in key.public.jwk().items() if name in ("kty", "crv", "x", "y", "n", "e")}


def proof(key: PrivateKey = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A good proof but for what is said; a value of None leaves the member out."""
    full_header = {"typ": "dpop+jwt", "alg": key.algorithm, "jwk": public(key)} | (header or {})
    full = {"jti": "one", "htm": "POST", "htu": URL, "iat": NOW} | claims
    kept = {name: value for name, value in full.items() if value is not None}
    kept_header = {name: value for name, value in full_header.items() if value is not None}
    return jwt.encode(kept_header, json.dumps(kept).encode(), key).decode()


def refusal(shown: str, **options: Any) -> str:
    with pytest.raises(dpop.InvalidProof) as refused:
        dpop.read(shown, "POST", URL, now=NOW, **options)
    return refused.value.reason


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_reads_the_examples_of_the_rfc(vector: dict[str, Any]) -> None:
    token = vector.get("access_token")
    read = dpop.read(vector["proof"], vector["method"], vector["url"], now=vector["now"], access_token=token)
    assert read.jkt == vector["jkt"]


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "EdDSA"])
def test_reads_what_it_makes(algorithm: str) -> None:
    key = generate(algorithm, now=NOW)
    made = dpop.make(key, "GET", "https://api.test/a?b=c#d", now=NOW, jti="x", access_token="token", nonce="n")
    read = dpop.read(made, "GET", "https://api.test/a", now=NOW, access_token="token")
    assert (read.jkt, read.nonce, read.until) == (thumbprint(key.public.jwk()), "n", NOW + 25)
    assert "d" not in jwt.parse(made).header["jwk"]


def test_a_proof_is_the_same_only_with_the_same_jti_and_url() -> None:
    def identity(**claims: Any) -> str:
        return dpop.read(proof(**claims), "POST", URL, now=NOW).identity

    assert identity() == identity(iat=NOW + 1)
    assert len({identity(), identity(jti="two"), identity(htu=URL + "?x"), identity(jti="one ", htu=URL)}) == 4


@pytest.mark.parametrize("htu", [URL + "?a=b", URL + "#a", URL.replace("https://keyturn", "HTTPS://Keyturn")])
def test_queries_fragments_and_the_case_of_the_host_do_not_count(htu: str) -> None:
    assert dpop.read(proof(htu=htu), "POST", URL, now=NOW).jkt


@pytest.mark.parametrize("iat", [NOW - 24, NOW + 15, str(NOW), NOW + 0.5])
def test_counts_for_a_while(iat: Any) -> None:
    assert dpop.read(proof(iat=iat), "POST", URL, now=NOW).jkt


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"jti": None}, MISSING),
        ({"jti": ""}, MISSING),
        ({"htm": None}, MISSING),
        ({"htu": None}, MISSING),
        ({"iat": None}, MISSING),
        ({"jti": {}}, UNREADABLE),
        ({"iat": "soon"}, UNREADABLE),
        ({"iat": True}, UNREADABLE),
        ({"iat": 10**25}, UNREADABLE),
        ({"exp": "never"}, UNREADABLE),
        ({"htu": "ht tp://%%"}, "Malformed HTTP URL in DPoP proof"),
        ({"htu": URL + "/"}, "DPoP HTTP URL mismatch"),
        ({"htu": URL.replace("/realms", "/./realms")}, "DPoP HTTP URL mismatch"),
        ({"htu": URL.replace("https", "http")}, "DPoP HTTP URL mismatch"),
        ({"htu": URL.replace("keyturn.test", "keyturn.test:443")}, "DPoP HTTP URL mismatch"),
        ({"htu": URL.replace("https://", "https://me@")}, "DPoP HTTP URL mismatch"),
        ({"htm": "post"}, "DPoP HTTP method mismatch"),
        ({"htm": "GET", "iat": 1}, "DPoP HTTP method mismatch"),
        ({"iat": NOW - 25}, "DPoP proof is not active"),
        ({"iat": NOW + 16}, "DPoP proof is not active"),
    ],
)
def test_refuses_claims(claims: dict[str, Any], reason: str) -> None:
    assert refusal(proof(**claims)) == reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"typ": None}, "Invalid or missing type in DPoP header: null"),
        ({"typ": "DPOP+JWT"}, "Invalid or missing type in DPoP header: DPOP+JWT"),
        ({"alg": None}, "No alg in DPoP header"),
        ({"alg": None, "jwk": None}, "No alg in DPoP header"),
        ({"alg": None, "typ": None}, "Invalid or missing type in DPoP header: null"),
        ({"alg": ""}, UNREADABLE),
        ({"alg": "none"}, "Unsupported DPoP algorithm: none"),
        ({"alg": "HS256"}, "Unsupported DPoP algorithm: HS256"),
        ({"alg": "other"}, UNREADABLE),
        ({"jwk": None}, "No JWK in DPoP header"),
        ({"jwk": "text"}, UNREADABLE),
        ({"jwk": {}}, "Unsupported key type in DPoP header"),
        ({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, "Unsupported key type in DPoP header"),
        ({"jwk": public(KEY) | {"d": "AQ"}}, "Private key material must not be present in DPoP JWK"),
        ({"jwk": public(KEY) | {"crv": "P-999"}}, "Invalid key in DPoP header"),
        ({"jwk": public(KEY) | {"x": public(KEY)["y"]}}, "Invalid key in DPoP header"),
        ({"alg": "PS256"}, "Key with algorithm PS256 and type EC is incorrect for provider algorithm PS256"),
        ({"alg": "ES384"}, NO_SIGNATURE),
        ({"jwk": public(generate("ES256", now=NOW))}, SIGNATURE),
        ({"crit": ["b64"]}, UNREADABLE),
    ],
)
def test_refuses_headers(header: dict[str, Any], reason: str) -> None:
    assert refusal(proof(header=header)) == reason


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        ("", "DPoP proof is missing"),
        ("nonsense", UNREADABLE),
        (f"{proof()},{proof()}", UNREADABLE),
        (proof().rpartition(".")[0] + ".", NO_SIGNATURE),
        (proof(nonce="x" * dpop.MAXIMUM_LENGTH), UNREADABLE),
    ],
)
def test_refuses_what_is_no_proof(shown: str, reason: str) -> None:
    assert refusal(shown) == reason


def test_refuses_the_secret_of_a_mac_as_a_key() -> None:
    # The attack of RFC 8725 §2.1: the public key, which everybody knows, as the secret of an HMAC.
    secret = symmetric_key(json.dumps(public(KEY)).encode(), algorithm="HS256", kid="x")
    shown = proof(header={"alg": "HS256"}).rpartition(".")[0].encode()
    assert refusal(jwt.sign(shown, secret).decode()) == "Unsupported DPoP algorithm: HS256"


def test_refuses_a_proof_of_another_access_token() -> None:
    assert "hash" in refusal(proof(ath=dpop.access_token_hash("theirs")), access_token="mine")
    assert "hash" in refusal(proof(), access_token="mine")


def test_what_a_key_says_of_itself_does_not_count() -> None:
    shown = public(KEY) | {"use": "enc", "alg": "RS256", "key_ops": ["encrypt"], "kid": "x"}
    assert dpop.read(proof(header={"jwk": shown}), "POST", URL, now=NOW).jkt == thumbprint(public(KEY))
    assert public_key_from_jwk(public(KEY)).curve == "P-256"
