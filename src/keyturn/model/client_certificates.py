"""What a client's attributes say of its certificates: whose authority it is under, or which ones are its own.

Keycloak knows none of these attributes: there such a client, without ``x509.subjectdn``, is nobody.
"""

import json
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from keyturn.jose import base64url
from keyturn.jose.client_certificate import read_certificate, read_certificates
from keyturn.representations import ClientRepresentation, decode, given
from keyturn.representations.client_credential import ClientCredentialRepresentation

AUTHENTICATOR: Final = "client-x509"

_PREFIX: Final = "keyturn.x509."
AUTHORITIES: Final = f"{_PREFIX}authorities"
"""Certificates in PEM, of the authorities that issue the client's."""

SELF_SIGNED: Final = f"{_PREFIX}self.signed"
"""Whether its certificates are its own, each one registered (RFC 8705 §2.2)."""

ALTERNATIVE_NAMES: Final = f"{_PREFIX}san."
"""With ``dns``, ``uri``, ``ip`` or ``email``: a name that the certificate must have (RFC 8705 §2.1.2)."""

MARK: Final = f'"{_PREFIX}'
"""What stands in the document of every client whose certificates the server has to know."""

MAXIMUM_CERTIFICATES: Final = 20
"""Authorities, or certificates of its own, of one client that are looked at."""

_LONGEST: Final = 128 * 1024
"""Characters of an attribute with them: what has been read of it stays in memory."""

_CREDENTIALS: Final = "keyturn.credentials"


def is_self_signed(attributes: Mapping[str, str]) -> bool:
    """Whether the client is who holds one of its own certificates."""
    return attributes.get(SELF_SIGNED, "").lower() == "true"


def authorities_of(attributes: Mapping[str, str]) -> tuple[bytes, ...] | None:
    """The authorities, in DER, that the client's certificates are under; None where it names none.

    Raises:
        ValueError: they cannot be read, or are too long.
    """
    text = attributes.get(AUTHORITIES, "")
    return _read(text)[:MAXIMUM_CERTIFICATES] if text.strip() else None


def key_set_url(attributes: Mapping[str, str]) -> str | None:
    """Where the client's own certificates are, in a key set; None where they are among the attributes."""
    return attributes.get("jwks.url", "") if attributes.get("use.jwks.url", "").lower() == "true" else None


def own_certificates(attributes: Mapping[str, str]) -> tuple[bytes, ...]:
    """The client's own certificates, in DER: those that ``x5c`` of its key set names, else its one certificate.

    Empty where they are at a URL, and where there is none that can be read.
    """
    if key_set_url(attributes) is not None:
        return ()
    if attributes.get("use.jwks.string", "").lower() == "true":
        text = attributes.get("jwks.string", "")
        return _of_key_set(text)[:MAXIMUM_CERTIFICATES] if len(text) <= _LONGEST else ()
    try:
        return _read(attributes.get("jwt.credential.certificate", ""))[:1]
    except ValueError:
        return ()


def thumbprints(certificates: Iterable[bytes]) -> frozenset[str]:
    """``x5t#S256`` of each."""
    return frozenset(base64url.encode(sha256(certificate).digest()).decode() for certificate in certificates)


def certificate_of(key: Mapping[str, Any]) -> bytes | None:
    """The certificate of a JSON Web Key (``x5c``, RFC 7517 §4.7), in DER; None without one that can be read."""
    chain = key.get("x5c")
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return None
    try:
        certificate = b64decode(chain[0], validate=True)
        read_certificate(certificate)
    except (Error, ValueError):
        return None
    return certificate


def trusted_for(document: ClientRepresentation) -> tuple[bytes, ...]:
    """What a TLS listener has to trust (DER), so that the client gets as far as saying who it is."""
    attributes = given(document.attributes, {})
    try:
        found = authorities_of(attributes) or ()
    except ValueError:
        found = ()
    if not is_self_signed(attributes):
        return found
    return (*found, *own_certificates(attributes), *_named(attributes.get(_CREDENTIALS, "")))


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[bytes, ...]:
    if len(text) > _LONGEST:
        raise ValueError("certificates that are too long")
    return read_certificates(text)


@lru_cache(maxsize=1024)
def _of_key_set(text: str) -> tuple[bytes, ...]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    keys = document.get("keys") if isinstance(document, dict) else None
    found = (certificate_of(key) for key in (keys if isinstance(keys, list) else ()) if isinstance(key, dict))
    return tuple(certificate for certificate in found if certificate is not None)


def _named(text: str) -> tuple[bytes, ...]:
    """Those among named credentials (``model.client_credential``); what cannot be read proves nothing."""
    try:
        credentials = decode(text, list[ClientCredentialRepresentation]) if text else []
    except ValueError:
        return ()
    found: list[bytes] = []
    for each in credentials[:MAXIMUM_CERTIFICATES]:
        if each.type == "certificate":
            with suppress(ValueError):
                found += _read(given(each.certificate, ""))[:1]
    return tuple(found)
