"""The key of a client in its attributes: read from what is uploaded, made, and packed into keystores.

Source: Keycloak ``CertificateInfoHelper``, ``ClientAttributeCertificateResource``.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from keyturn.admin.errors import BadRequest, HttpError, InvalidRequest, OAuthError
from keyturn.admin.keystore_process import read_upload
from keyturn.admin.resource import Multipart
from keyturn.jose import jwk, x509
from keyturn.jose.jwk import InvalidKey, PrivateKey
from keyturn.jose.keystore import Entry, KeystoreError, WrongPassword
from keyturn.jose.keystore_writing import write_jks, write_pkcs12
from keyturn.representations import UNSET, Maybe, given, present
from keyturn.representations.certificate import CertificateRepresentation, KeyStoreConfig

__all__ = ["attributes_with", "certificate_of", "check_config", "made", "packed", "uploaded"]

_FORMATS: Final = ("JKS", "PKCS12")
_KEYCLOAKS_FORMATS: Final = ("JKS", "BCFKS", "PKCS12")
_SIZE: Final = 4096
_YEARS: Final = 3
_MAXIMUM_YEARS: Final = 1000
_KEPT: Final = ("jwt.credential", "saml.signing", "saml.encryption")
"""What keys are kept under; only there are private ones sealed in the database."""
_PARTS: Final = ("private.key", "public.key", "certificate", "kid")


def certificate_of(attributes: Mapping[str, str], prefix: str) -> CertificateRepresentation:
    """What the attributes that begin with `prefix` say; of a JWK Set in their stead, its first key for signatures."""
    if attributes.get("use.jwks.string", "").lower() == "true":
        return _of_key_set(attributes.get("jwks.string", ""))
    found = [attributes.get(f"{prefix}.{part}", UNSET) for part in _PARTS]
    return CertificateRepresentation(private_key=found[0], public_key=found[1], certificate=found[2], kid=found[3])


def attributes_with(attributes: Mapping[str, str], prefix: str, key: CertificateRepresentation) -> dict[str, str]:
    """`attributes` with `key` in the place of what they said. Raises InvalidRequest."""
    if prefix not in _KEPT:
        raise InvalidRequest(f"Keys are kept under {', '.join(_KEPT)}")
    replaced = {f"{prefix}.{part}" for part in _PARTS} | {"use.jwks.string", "jwks.string"}
    changed = {name: value for name, value in attributes.items() if name not in replaced}
    if present(key.jwks):
        return changed | {"use.jwks.string": "true", "jwks.string": given(key.jwks, "")}
    parts = (key.private_key, key.public_key, key.certificate, key.kid)
    return changed | {
        f"{prefix}.{part}": given(value, "") for part, value in zip(_PARTS, parts, strict=True) if present(value)
    }


def made(
    client_id: str, now: float, *, size: Maybe[int] = UNSET, years: Maybe[int] = UNSET
) -> tuple[PrivateKey, bytes]:
    """A new RSA key and its certificate in DER. Takes seconds. Raises InvalidRequest."""
    bits, lifetime = (
        given(value, 0) if given(value, 0) > 0 else usual for value, usual in ((size, _SIZE), (years, _YEARS))
    )
    try:
        if lifetime > _MAXIMUM_YEARS:
            raise ValueError("a certificate that outlives everybody")
        key = jwk.generate("RS256", size=bits, now=now)
        return key, x509.self_signed(key.material, client_id, now=now, years=lifetime)
    except (InvalidKey, ValueError) as error:
        raise InvalidRequest(f"There is no such key: {error}") from None


def shown(key: PrivateKey, certificate: bytes) -> CertificateRepresentation:
    """The pair as Keycloak writes it."""
    return CertificateRepresentation(
        private_key=b64encode(key.to_pkcs1()).decode(), certificate=b64encode(certificate).decode()
    )


def uploaded(parts: Multipart) -> CertificateRepresentation:
    """The key in an upload: a certificate, a public key, a JWK Set, or what a keystore has under an alias.

    Raises:
        AdminError: there is none; in Keycloak's words, where it has some.
    """
    if "keystoreFormat" not in parts:
        raise BadRequest("keystoreFormat cannot be null")
    form = parts["keystoreFormat"].decode(errors="replace")
    content = parts.get("file", b"")
    if not content:
        raise BadRequest("file cannot be empty")
    match form:
        case "Certificate PEM":
            return _certificate(content)
        case "Public Key PEM":
            return _public_key(content)
        case "JSON Web Key Set":
            return _of_key_set(content.decode(errors="replace"))
        case _:
            return _from_keystore(parts, content, form)


def _certificate(content: bytes) -> CertificateRepresentation:
    try:
        der = x509.certificate_der(content)
        jwk.public_key_from_certificate(der)
    except ValueError:
        raise InvalidRequest("The file is no certificate in PEM") from None
    return CertificateRepresentation(certificate=b64encode(der).decode())


def _public_key(content: bytes) -> CertificateRepresentation:
    try:
        jwk.public_key_from_pem(content)
        return CertificateRepresentation(public_key=content.decode())
    except ValueError:
        raise InvalidRequest("The file is no public key in PEM") from None


def _of_key_set(text: str) -> CertificateRepresentation:
    """Raises OAuthError: no key for signatures is in it."""
    try:
        document = json.loads(text)
        members = document.get("keys") if isinstance(document, dict) else None
        signing = next(each for each in members or () if isinstance(each, dict) and each.get("use") == "sig")
        key = jwk.public_key_from_jwk(signing)
    except (ValueError, RecursionError, StopIteration, TypeError):
        raise _not_found() from None
    kid = signing.get("kid", UNSET)
    return CertificateRepresentation(public_key=b64encode(key.to_der()).decode(), kid=kid, jwks=text)


def _from_keystore(parts: Multipart, content: bytes, form: str) -> CertificateRepresentation:
    alias, store_password, key_password = (
        parts[name].decode(errors="replace") if name in parts else None
        for name in ("keyAlias", "storePassword", "keyPassword")
    )
    if alias is None:
        raise InvalidRequest("keyAlias is missing")
    if form not in _FORMATS:
        raise BadRequest("error loading keystore")
    try:
        entry = read_upload(content, alias, store_password=store_password or "", key_password=key_password)
    except WrongPassword as error:
        raise BadRequest("Password verification failed" if form == "JKS" else str(error)) from None
    except KeystoreError:
        raise BadRequest("error loading keystore") from None
    if entry.certificate is None:
        raise _not_found()
    return CertificateRepresentation(
        private_key=UNSET if entry.private_key is None else _encoded_key(entry.private_key),
        certificate=b64encode(entry.certificate).decode(),
    )


def _encoded_key(pkcs8: bytes) -> str:
    """As Keycloak writes it: PKCS #1 for RSA, what it is for others."""
    try:
        key = jwk.private_key_from_pem(b64encode(pkcs8), algorithm="RS256")
        return b64encode(key.to_pkcs1()).decode()
    except InvalidKey:
        return b64encode(pkcs8).decode()


def _not_found() -> OAuthError:
    text = "Certificate or key with given alias not found in the keystore"
    return OAuthError(400, "certificate-not-found", text)


def check_config(config: KeyStoreConfig) -> None:
    """That the format is one that can be written. Raises AdminError."""
    form = given(config.format, None)
    if form is None or form in _FORMATS:
        return
    if form in _KEYCLOAKS_FORMATS:
        raise HttpError(406, f"{form} is not written here; take one of {', '.join(_FORMATS)}")
    if form.upper() in _KEYCLOAKS_FORMATS:
        raise InvalidRequest(f"The format is spelled {form.upper()}")
    known = ", ".join(_KEYCLOAKS_FORMATS)
    raise HttpError(406, f"Not supported keystore format. Supported keystore formats: [{known}]")


def check_passwords(config: KeyStoreConfig, purpose: str, *, key: bool = True) -> None:
    """That there are passwords for the keystore, and for its `key`. Raises OAuthError."""
    for needed, password, what in ((key, config.key_password, "key"), (True, config.store_password, "store")):
        if needed and not present(password):
            text = f"Need to specify a {what} password for jks {purpose}"
            raise OAuthError(400, "password-missing", text)


def packed(
    config: KeyStoreConfig,
    client_id: str,
    pair: CertificateRepresentation,
    realm: tuple[str, bytes] | None,
    *,
    now: float,
    random: Callable[[int], bytes],
) -> bytes:
    """A keystore with `pair`, and with the `realm`'s name and certificate if that is wanted. Raises AdminError."""
    entries = {given(config.key_alias, "") or client_id: _entry(pair)}
    if given(config.realm_certificate, False) and realm is not None:
        entries[given(config.realm_alias, "") or realm[0]] = Entry(certificate=realm[1])
    store_password, key_password = given(config.store_password, "").strip(), given(config.key_password, "").strip()
    try:
        match given(config.format, None):
            case "JKS":
                passwords: dict[str, Any] = {"store_password": store_password, "key_password": key_password}
                return write_jks(entries, now=now, random=random, **passwords)
            case "PKCS12":
                return write_pkcs12(entries, store_password=store_password)
    except (KeystoreError, ValueError) as error:
        raise InvalidRequest(f"The keystore cannot be made: {error}") from None
    raise InvalidRequest("format is missing")


def _entry(pair: CertificateRepresentation) -> Entry:
    try:
        certificate = b64decode(given(pair.certificate, ""), validate=True)
        if not present(pair.private_key):
            return Entry(certificate=certificate)
        key = jwk.private_key_from_pem(given(pair.private_key, ""), algorithm="RS256")
        return Entry(key.to_der(), certificate)
    except ValueError as error:
        raise InvalidRequest(f"The client's key cannot be read: {error}") from None
