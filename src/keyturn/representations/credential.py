"""People's credentials."""

from typing import Annotated

from keyturn.representations.base import UNSET, Integer, Long, Maybe, Representation
from keyturn.representations.secrecy import SECRET

__all__ = ["CredentialRepresentation"]


class CredentialRepresentation(Representation):
    """A credential of a person.

    ``secretData`` and ``credentialData`` are JSON texts in Keycloak's own credential format.
    """

    id: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    user_label: Maybe[str] = UNSET
    created_date: Maybe[Long] = UNSET
    secret_data: Annotated[Maybe[str], SECRET] = UNSET
    credential_data: Maybe[str] = UNSET
    priority: Maybe[Integer] = UNSET
    value: Annotated[Maybe[str], SECRET] = UNSET
    temporary: Maybe[bool] = UNSET
    device: Maybe[str] = UNSET
    hashed_salted_value: Annotated[Maybe[str], SECRET] = UNSET
    salt: Annotated[Maybe[str], SECRET] = UNSET
    hash_iterations: Maybe[Integer] = UNSET
    counter: Maybe[Integer] = UNSET
    algorithm: Maybe[str] = UNSET
    digits: Maybe[Integer] = UNSET
    period: Maybe[Integer] = UNSET
    config: Maybe[dict[str, list[str]]] = UNSET
    federation_link: Maybe[str] = UNSET
