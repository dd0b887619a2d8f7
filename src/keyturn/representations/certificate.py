"""The key pair of a client, as the admin API shows, takes and packs it."""

from typing import Annotated

from keyturn.representations.base import UNSET, Integer, Maybe, Representation
from keyturn.representations.secrecy import SECRET

__all__ = ["CertificateRepresentation", "KeyStoreConfig"]


class CertificateRepresentation(Representation):
    """A client's key: a certificate, or a public key, or a JWK Set; keys are base64 of DER, or as they were sent."""

    private_key: Annotated[Maybe[str], SECRET] = UNSET
    public_key: Maybe[str] = UNSET
    certificate: Maybe[str] = UNSET
    kid: Maybe[str] = UNSET
    jwks: Maybe[str] = UNSET


class KeyStoreConfig(Representation):
    """The keystore that a client's key is to be packed into."""

    realm_certificate: Maybe[bool] = UNSET
    store_password: Annotated[Maybe[str], SECRET] = UNSET
    key_password: Annotated[Maybe[str], SECRET] = UNSET
    key_alias: Maybe[str] = UNSET
    realm_alias: Maybe[str] = UNSET
    format: Maybe[str] = UNSET
    key_size: Maybe[Integer] = UNSET
    validity: Maybe[Integer] = UNSET
