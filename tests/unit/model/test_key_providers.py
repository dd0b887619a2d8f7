"""From the settings of key providers to keys: what makes none stops no other."""

import os

import pytest

from keyturn.jose.jwk import InvalidKey
from keyturn.model.key_providers import MADE, generate, key_ring
from keyturn.representations import ComponentRepresentation, replace

NOW = 1_800_000_000


def component(provider: str, **config: str) -> ComponentRepresentation:
    return ComponentRepresentation(
        id=provider, provider_id=provider, config={name: [value] for name, value in config.items()}
    )


def made(provider: str, **config: str) -> ComponentRepresentation:
    return generate(component(provider, **config), realm_name="demo", now=NOW, random=os.urandom)


@pytest.mark.parametrize(
    "broken",
    [
        component("ecdsa-generated", ecdsaEllipticCurveKey="P-9", ecdsaPrivateKey="AA=="),
        component("ecdsa-generated", ecdsaPrivateKey="AA=="),
        component("hmac-generated", kid="k", secret="ä"),
        component("rsa", privateKey="no key"),
        component("aes-generated"),
    ],
)
def test_a_component_whose_key_cannot_be_read_takes_no_other_with_it(broken: ComponentRepresentation) -> None:
    ring = key_ring([made("eddsa-generated"), broken, made("hmac-generated")])
    assert [each.provider_id for each in ring.keys] == ["eddsa-generated", "hmac-generated"]


@pytest.mark.parametrize("size", ["", "x", "²", "-1", "0", "99999", "9" * 5000])
@pytest.mark.parametrize(("provider", "setting"), [("rsa-generated", "keySize"), ("hmac-generated", "secretSize")])
def test_a_size_that_is_none_makes_no_key(provider: str, setting: str, size: str) -> None:
    with pytest.raises(InvalidKey):
        made(provider, **{setting: size})


@pytest.mark.parametrize(
    ("settings", "algorithm", "curve"),
    [
        ({}, "ECDH-ES", "P-256"),
        ({"ecdhAlgorithm": "ECDH-ES+A256KW", "ecdhEllipticCurveKey": "P-521"}, "ECDH-ES+A256KW", "P-521"),
    ],
)
def test_a_key_that_agrees_on_others_is_shown_and_signs_nothing(
    settings: dict[str, str], algorithm: str, curve: str
) -> None:
    ring = key_ring([made("ecdh-generated", **settings)])
    (key,) = (each.key for each in ring.keys)
    shown = key.public.jwk()
    assert (shown["alg"], shown["use"], shown["crv"]) == (algorithm, "enc", curve)
    assert not ring.signing


def test_an_imported_key_without_a_certificate_gets_one() -> None:
    private = str((made("rsa-generated").config or {})["privateKey"][0])
    imported = made("rsa", privateKey=private)
    (key,) = (each.key for each in key_ring([imported]).keys)
    assert key.certificate is not None
    assert generate(imported, realm_name="other", now=NOW + 1, random=os.urandom) == imported


def test_an_imported_key_that_cannot_be_read_stays_as_it_came() -> None:
    assert made("rsa", privateKey="no key") == component("rsa", privateKey="no key")


@pytest.mark.parametrize("provider", ["ecdsa-generated", "eddsa-generated", "hmac-generated"])
def test_a_key_without_a_certificate_says_when_it_was_made(provider: str) -> None:
    (key,) = key_ring([made(provider)]).keys
    assert key.made == NOW


@pytest.mark.parametrize("told", ["", "soon", "²", "9" * 13])
def test_when_a_key_was_made_is_not_known_where_an_import_says_something_else(told: str) -> None:
    imported = made("eddsa-generated")
    config = {**(imported.config or {}), MADE: [told]}
    (key,) = key_ring([replace(imported, config=config)]).keys
    assert key.made is None
