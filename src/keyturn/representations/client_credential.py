"""Credentials of a client; keyturn's own document, which Keycloak does not have."""

from typing import Annotated

from keyturn.representations.base import ANY_LISTS, UNSET, Long, Maybe, Representation
from keyturn.representations.secrecy import SECRET

__all__ = ["ClientCredentialRepresentation"]


class ClientCredentialRepresentation(Representation):
    """A credential of a client. Times are in epoch seconds."""

    name: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    created: Maybe[Long] = UNSET
    expires: Maybe[Long] = UNSET
    last_used: Maybe[Long] = UNSET
    last_used_from: Maybe[str] = UNSET
    secret: Annotated[Maybe[str], SECRET] = UNSET
    public_key: Maybe[str] = UNSET
    certificate: Maybe[str] = UNSET
    issuer: Maybe[str] = UNSET
    claims: Annotated[Maybe[dict[str, list[str]]], ANY_LISTS] = UNSET
    replaces: Maybe[str] = UNSET
    overlap: Maybe[Long] = UNSET
    client: Maybe[str] = UNSET
    client_id: Maybe[str] = UNSET
