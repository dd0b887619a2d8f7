"""Key providers: from a component's settings to the realm's keys (Keycloak ``org.keycloak.keys.KeyProvider``).

Private keys are in the component's config, as in Keycloak: base64 of PKCS #8, sealed by the store.
"""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.jose import jwk, x509
from keyturn.jose.base64url import decode
from keyturn.jose.jwk import InvalidKey, PrivateKey, Use
from keyturn.model.realm import KeyRing, RealmKey
from keyturn.representations import ComponentRepresentation, given, merge

PROVIDER_TYPE: Final = "org.keycloak.keys.KeyProvider"

Config = dict[str, list[str]]
Random = Callable[[int], bytes]

FALLBACK_PRIORITY: Final = -100

MADE: Final = "keyturn.key.made"
"""The second in which a key was made that has no certificate to say so. It stands among the provider's settings, where
no tool sees it."""

_SIZE: Final = re.compile(r"[0-9]{1,9}")
_SECOND: Final = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class _Generation:
    """What a key is generated from: the realm's name stands in the certificate, `now` in epoch seconds."""

    config: Mapping[str, list[str]]
    realm_name: str
    now: float
    random: Random

    def first(self, name: str, default: str) -> str:
        values = self.config.get(name)
        return values[0] if values else default


def generate(
    component: ComponentRepresentation, *, realm_name: str, now: float, random: Random
) -> ComponentRepresentation:
    """`component` with key material, where it is of a provider that generates and has none yet.

    An imported RSA key gets a certificate of its own where it comes without one.

    Slow for RSA (tens of milliseconds): call it before a transaction, not within. Raises InvalidKey for settings that
    make no key, as an RSA size of 100.
    """
    provider = given(component.provider_id, "")
    make = _GENERATORS.get(provider)
    config = given(component.config, {})
    if provider in _IMPORTED and not any(config.get("certificate", [])):
        imported = _read(component)
        if imported is None:
            return component
        certificate = [_base64(x509.self_signed(imported.key.material, realm_name, now=now))]
        return merge(component, ComponentRepresentation(config=config | {"certificate": certificate}))
    if make is None:
        return component
    if _is_kept(provider, config):
        size = len(_secret_of(config)) if provider in _SECRETS else None
        if size == _SECRETS.get(provider):
            return component
        return merge(component, ComponentRepresentation(config={"secretSize": [str(size)], **config}))
    made = make(_Generation(config, realm_name, now, random))
    if "certificate" not in made:
        made[MADE] = [str(int(now))]
    return merge(component, ComponentRepresentation(config=config | made))


def wanted_size(component: ComponentRepresentation, name: str) -> list[str] | None:
    """The setting `name`, which says how large the component's key is to be; None where it may be of any size."""
    usual = _SECRETS.get(given(component.provider_id, "")) if name == "secretSize" else None
    return given(component.config, {}).get(name) or (None if usual is None else [str(usual)])


def material_of(provider_id: str) -> tuple[str, ...]:
    """The settings in which such a provider keeps the key that it has made, beside its name."""
    return _MATERIAL.get(provider_id, ())


def _is_kept(provider: str, config: Mapping[str, list[str]]) -> bool:
    """Whether the provider has a key already, of the size or curve that is wanted.

    Raises:
        InvalidKey: what it has is none, and Keycloak fails.
    """
    if not all(any(config.get(name, [])) for name in _MATERIAL[provider]):
        return False
    if provider in _SECRETS:
        wanted = config.get("secretSize", [""])[0]
        return wanted in ("", str(len(_secret_of(config))))
    if provider in _RSA:
        algorithm, use = _RSA[provider]
        size = config.get("keySize", [""])[0]
        # Somebody else's key is looked at as closely as an imported one.
        key = _read_rsa({name: config[name] for name in _MATERIAL[provider]}, algorithm, use, trusted=False)
        return size in ("", str(key.size))
    try:
        _READERS[provider](config)
    except (InvalidKey, KeyError, ValueError):
        return not any(name in config for name in _CURVE_SETTINGS)
    return True


def _secret_of(config: Mapping[str, list[str]]) -> bytes:
    try:
        return decode(config["secret"][0].rstrip("="))
    except ValueError:
        raise InvalidKey("The secret is no base64url") from None


def fallback(algorithm: str, *, component_id: str, realm_id: str) -> ComponentRepresentation:
    """The component that Keycloak adds where a client wants an algorithm that no key of the realm has."""
    kind = algorithm[:2]
    priority = {"priority": [str(FALLBACK_PRIORITY)]}
    if kind == "ES":
        provider = "ecdsa-generated"
        config = {"ecdsaEllipticCurveKey": [_CURVES[algorithm]]} | priority
    elif kind == "Ed":
        provider, config = "eddsa-generated", {"eddsaEllipticCurveKey": ["Ed25519"]} | priority
    else:
        provider = "hmac-generated" if kind == "HS" else "rsa-generated"
        config = priority | {"algorithm": [algorithm]}
    return ComponentRepresentation(
        id=component_id,
        name=f"fallback-{algorithm}",
        provider_id=provider,
        provider_type=PROVIDER_TYPE,
        parent_id=realm_id,
        config=config,
    )


def key_ring(components: Iterable[ComponentRepresentation]) -> KeyRing:
    """The keys that the realm's components provide, those of the highest priority first.

    A component whose key cannot be read provides none: one broken import must not stop a realm.
    """
    keys = sorted(filter(None, map(_read, components)), key=lambda k: (-k.priority, k.provider_id))
    signing: dict[str, PrivateKey] = {}
    for realm_key in keys:
        if realm_key.status == "ACTIVE" and realm_key.key.use == "sig":
            signing.setdefault(realm_key.key.algorithm, realm_key.key)
    return KeyRing(tuple(keys), signing)


def is_readable(component: ComponentRepresentation) -> bool:
    """Whether it is not the provider of a key of its own that cannot be read."""
    return component.provider_id not in _IMPORTED or _read(component) is not None


def _read(component: ComponentRepresentation) -> RealmKey | None:
    read = _READERS.get(given(component.provider_id, ""))
    if read is None:
        return None
    config = given(component.config, {})
    try:
        key = read(config)
    except (InvalidKey, KeyError, ValueError, IndexError):
        return None
    enabled, active = (config.get(flag, ["true"])[:1] != ["false"] for flag in ("enabled", "active"))
    status = "DISABLED" if not enabled else "ACTIVE" if active else "PASSIVE"
    return RealmKey(key, given(component.id, ""), _priority(config), status, _made(config))


def _made(config: Mapping[str, list[str]]) -> int | None:
    told = (config.get(MADE) or [""])[0]
    return int(told) if _SECOND.fullmatch(told) else None


def _priority(config: Mapping[str, list[str]]) -> int:
    try:
        return int(config["priority"][0])
    except (KeyError, ValueError, IndexError):
        return 0


def _rsa(generation: _Generation, algorithm: str, use: Use) -> Config:
    size = generation.first("keySize", "2048")
    key = jwk.generate(
        generation.first("algorithm", algorithm),
        size=int(size) if _SIZE.fullmatch(size) else 0,
        use=use,
        certificate_subject=generation.realm_name,
        now=generation.now,
    )
    return {
        "privateKey": [_base64(key.to_der())],
        "certificate": [_base64(key.certificate or b"")],
        "keyUse": [use.upper()],
    }


def _ecdsa(generation: _Generation) -> Config:
    curve = generation.first("ecdsaEllipticCurveKey", "P-256")
    algorithms = {curve_name: algorithm for algorithm, curve_name in _CURVES.items()}
    if curve not in algorithms:
        raise InvalidKey(f"unknown curve {curve}")
    key = jwk.generate(algorithms[curve], now=generation.now)
    return {
        "ecdsaEllipticCurveKey": [curve],
        "ecdsaPrivateKey": [_base64(key.to_der())],
        "ecdsaPublicKey": [_base64(key.public.to_der())],
    }


def _eddsa(generation: _Generation) -> Config:
    curve = generation.first("eddsaEllipticCurveKey", "Ed25519")
    key = jwk.generate("EdDSA", curve=curve, now=generation.now)
    return {
        "eddsaEllipticCurveKey": [curve],
        "eddsaPrivateKey": [_base64(key.to_der())],
        "eddsaPublicKey": [_base64(key.public.to_der())],
    }


def _ecdh(generation: _Generation) -> Config:
    curve = generation.first("ecdhEllipticCurveKey", "P-256")
    key = jwk.generate(_ECDH, curve=curve, use="enc", now=generation.now)
    return {
        "ecdhEllipticCurveKey": [curve],
        "ecdhPrivateKey": [_base64(key.to_der())],
        "ecdhPublicKey": [_base64(key.public.to_der())],
    }


def _shared_secret(generation: _Generation, size: int) -> Config:
    chosen = generation.first("secretSize", str(size))
    if not _SIZE.fullmatch(chosen) or not 0 < int(chosen) <= _MAXIMUM_SECRET:
        raise InvalidKey("secretSize is no number of bytes")
    digits = generation.random(16).hex()
    kid = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return {"kid": [kid], "secret": [urlsafe_b64encode(generation.random(int(chosen))).decode().rstrip("=")]}


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _read_rsa(config: Mapping[str, list[str]], algorithm: str, use: Use, *, trusted: bool) -> PrivateKey:
    return jwk.private_key_from_pem(
        config["privateKey"][0],
        algorithm=config.get("algorithm", [algorithm])[0],
        kid=config.get(NAMED_KEY, [""])[0] or None,
        use=use,
        certificate_pem=config["certificate"][0] if config.get("certificate") else None,
        trusted=trusted,
    )


def _read_ecdsa(config: Mapping[str, list[str]]) -> PrivateKey:
    curve = config.get("ecdsaEllipticCurveKey", ["P-256"])[0]
    algorithm = {of: name for name, of in _CURVES.items()}[curve]
    return jwk.private_key_from_pem(config["ecdsaPrivateKey"][0], algorithm=algorithm, trusted=True)


def _read_eddsa(config: Mapping[str, list[str]]) -> PrivateKey:
    return jwk.private_key_from_pem(config["eddsaPrivateKey"][0], algorithm="EdDSA", trusted=True)


def _read_ecdh(config: Mapping[str, list[str]]) -> PrivateKey:
    algorithm = config.get("ecdhAlgorithm", [_ECDH])[0]
    return jwk.private_key_from_pem(config["ecdhPrivateKey"][0], algorithm=algorithm, use="enc", trusted=True)


def _read_secret(config: Mapping[str, list[str]], algorithm: str) -> PrivateKey:
    return jwk.symmetric_key(
        _secret_of(config), algorithm=config.get("algorithm", [algorithm])[0], kid=config["kid"][0]
    )


NAMED_KEY: Final = "kid"
"""What an RSA key is called where its provider says so; a setting that Keycloak takes and does not tell of."""
NAMING: Final = frozenset({"rsa", "rsa-generated", "rsa-enc", "rsa-enc-generated"})
"""The providers whose keys can be named."""
_IMPORTED: Final = ("rsa", "rsa-enc")
"""Providers of keys that somebody else has made."""
_MAXIMUM_SECRET: Final = 512
_RSA: Final[Mapping[str, tuple[str, Use]]] = {
    "rsa-generated": ("RS256", "sig"),
    "rsa-enc-generated": ("RSA-OAEP", "enc"),
}
_SECRETS: Final = {"aes-generated": 32, "hmac-generated": 128}
"""Providers of shared secrets, with how many octets these have unless something else is wanted."""
_CURVE_SETTINGS: Final = ("ecdsaEllipticCurveKey", "eddsaEllipticCurveKey", "ecdhEllipticCurveKey")
_MATERIAL: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(_RSA, ("privateKey", "certificate")),
    **dict.fromkeys(_SECRETS, ("secret",)),
    "ecdsa-generated": ("ecdsaPrivateKey", "ecdsaPublicKey"),
    "eddsa-generated": ("eddsaPrivateKey", "eddsaPublicKey"),
    "ecdh-generated": ("ecdhPrivateKey", "ecdhPublicKey"),
}
"""By provider the settings in which it keeps its key; it makes another one unless it has all of them."""
_ECDH: Final = "ECDH-ES"
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}

_GENERATORS: Final[Mapping[str, Callable[[_Generation], Config]]] = {
    "rsa-generated": lambda generation: _rsa(generation, *_RSA["rsa-generated"]),
    "rsa-enc-generated": lambda generation: _rsa(generation, *_RSA["rsa-enc-generated"]),
    "ecdsa-generated": _ecdsa,
    "eddsa-generated": _eddsa,
    "ecdh-generated": _ecdh,
    "hmac-generated": lambda generation: _shared_secret(generation, _SECRETS["hmac-generated"]),
    "aes-generated": lambda generation: _shared_secret(generation, _SECRETS["aes-generated"]),
}
_READERS: Final[Mapping[str, Callable[[Mapping[str, list[str]]], PrivateKey]]] = {
    "rsa-generated": lambda config: _read_rsa(config, "RS256", "sig", trusted=True),
    "rsa-enc-generated": lambda config: _read_rsa(config, "RSA-OAEP", "enc", trusted=True),
    "rsa": lambda config: _read_rsa(config, "RS256", "sig", trusted=False),
    "rsa-enc": lambda config: _read_rsa(config, "RSA-OAEP", "enc", trusted=False),
    "ecdsa-generated": _read_ecdsa,
    "eddsa-generated": _read_eddsa,
    "ecdh-generated": _read_ecdh,
    "hmac-generated": lambda config: _read_secret(config, "HS256"),
    "aes-generated": lambda config: _read_secret(config, "AES"),
}
