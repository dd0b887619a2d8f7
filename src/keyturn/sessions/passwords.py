"""People's passwords, kept in Keycloak's own credential format and checked against it.

New ones are Argon2id with Keycloak's parameters; PBKDF2 of older exports is read as well. Generated secrets of clients
never come here: they need no slow hash.
"""

import hashlib
import hmac
import os
import re
import uuid
from base64 import b64decode, b64encode
from typing import Final

from keyturn.representations import UNSET, Maybe, Representation, decode, encode, given, present
from keyturn.representations.credential import CredentialRepresentation

PASSWORD: Final = "password"
"""The type of credential that this module is about."""

_ARGON2: Final = "argon2"
_PBKDF2: Final = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}
_VARIANTS: Final = {"d": 0, "i": 1, "id": 2}
_VERSIONS: Final = {"1.0": 0x10, "1.3": 0x13}

_SALT_SIZE: Final = 16
_MOST_MEMORY: Final = 1 << 18
"""KiB that a stored credential may ask for; an import is no way to exhaust the server."""
_MOST_WORK: Final = 1 << 22
"""KiB times passes of Argon2 (a few seconds), for the same reason."""
_MOST_ITERATIONS: Final = 10_000_000
"""Of PBKDF2."""
_LONGEST_HASH: Final = 1024
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


class _Secret(Representation, forbid_unknown_fields=False):
    """``secretData`` (Keycloak ``PasswordSecretData``)."""

    value: str
    salt: Maybe[str] = UNSET
    additional_parameters: Maybe[dict[str, list[str]]] = UNSET


class _Parameters(Representation, forbid_unknown_fields=False):
    """``credentialData`` (Keycloak ``PasswordCredentialData``)."""

    hash_iterations: int
    algorithm: Maybe[str] = UNSET
    additional_parameters: Maybe[dict[str, list[str]]] = UNSET


_DEFAULT: Final = _Parameters(
    hash_iterations=5,
    algorithm=_ARGON2,
    additional_parameters={
        "hashLength": ["32"],
        "memory": ["7168"],
        "type": ["id"],
        "version": ["1.3"],
        "parallelism": ["1"],
    },
)


def hash_password(password: str, now_ms: int) -> CredentialRepresentation:
    """A new credential for `password`, created at `now_ms` (epoch milliseconds).

    Source: Keycloak ``Argon2PasswordHashProvider``.
    """
    salt = os.urandom(_SALT_SIZE)
    value = _derived(password, salt, _DEFAULT, 32)
    secret = _Secret(value=b64encode(value).decode(), salt=b64encode(salt).decode(), additional_parameters={})
    return CredentialRepresentation(
        id=str(uuid.uuid4()),
        type=PASSWORD,
        created_date=now_ms,
        secret_data=encode(secret).decode(),
        credential_data=encode(_DEFAULT).decode(),
    )


def verify_password(credential: CredentialRepresentation | None, password: str) -> bool:
    """Whether `password` is the one of `credential`.

    None, or a credential that cannot be read, is checked against a throw-away one, so that the time it takes does not
    tell whether a person exists.
    """
    readable = None if credential is None else _read(credential)
    if readable is None:
        _derived(password, bytes(_SALT_SIZE), _DEFAULT, 32)
        return False
    expected, salt, parameters = readable
    return hmac.compare_digest(_derived(password, salt, parameters, len(expected)), expected)


def stored_password(credential: CredentialRepresentation, now_ms: int) -> CredentialRepresentation:
    """`credential`, as a request or an import gives it, in the form in which it is stored.

    A plain ``value`` is hashed; its label and date are dropped. ``secretData`` with ``credentialData`` is kept,
    and so is the format of old exports (``hashedSaltedValue``), moved to them.

    Raises:
        ValueError: there is no password in it.

    Source: Keycloak ``RepresentationToModel.createCredentials``.
    """
    if isinstance(credential.value, str):
        return hash_password(credential.value, now_ms)
    if isinstance(credential.secret_data, str) and isinstance(credential.credential_data, str):
        stored = CredentialRepresentation(
            id=str(uuid.uuid4()),
            type=PASSWORD,
            created_date=given(credential.created_date, now_ms),
            secret_data=credential.secret_data,
            credential_data=credential.credential_data,
        )
    elif isinstance(credential.hashed_salted_value, str):
        stored = _of_old_export(credential, credential.hashed_salted_value, now_ms)
    else:
        raise ValueError("a password credential without a password")
    if present(credential.user_label):
        stored.user_label = credential.user_label
    return stored


def _of_old_export(credential: CredentialRepresentation, value: str, now_ms: int) -> CredentialRepresentation:
    parameters = _Parameters(
        hash_iterations=given(credential.hash_iterations, 0),
        algorithm=credential.algorithm,
        additional_parameters={},
    )
    secret = _Secret(value=value, salt=given(credential.salt, ""), additional_parameters={})
    return CredentialRepresentation(
        id=str(uuid.uuid4()),
        type=PASSWORD,
        created_date=given(credential.created_date, now_ms),
        secret_data=encode(secret).decode(),
        credential_data=encode(parameters).decode(),
    )


def _read(credential: CredentialRepresentation) -> tuple[bytes, bytes, _Parameters] | None:
    """Hash, salt and parameters; None where they are not what this module can compute."""
    try:
        secret = decode(given(credential.secret_data, ""), _Secret)
        parameters = decode(given(credential.credential_data, ""), _Parameters)
        value, salt = b64decode(secret.value), b64decode(given(secret.salt, ""))
    except ValueError:
        return None
    if not 0 < len(value) <= _LONGEST_HASH or not 1 <= parameters.hash_iterations <= _MOST_ITERATIONS:
        return None
    if parameters.algorithm in _PBKDF2 or (parameters.algorithm == _ARGON2 and _computable(parameters, value, salt)):
        return value, salt, parameters
    return None


def _computable(parameters: _Parameters, value: bytes, salt: bytes) -> bool:
    """Whether Argon2 can be run like this. Every parameter has to be there, as for Keycloak."""
    memory, lanes = _number(parameters, "memory"), _number(parameters, "parallelism")
    return (
        8 * lanes <= memory <= _MOST_MEMORY
        and memory * parameters.hash_iterations <= _MOST_WORK
        and 1 <= lanes <= 64
        and len(value) == _number(parameters, "hashLength") >= 4
        and len(salt) >= 8
        and _text(parameters, "type") in _VARIANTS
        and _text(parameters, "version") in _VERSIONS
    )


def _derived(password: str, salt: bytes, parameters: _Parameters, length: int) -> bytes:
    if parameters.algorithm in _PBKDF2:
        digest = _PBKDF2[parameters.algorithm]
        return hashlib.pbkdf2_hmac(digest, password.encode(), salt, parameters.hash_iterations, length)
    from argon2 import Type
    from argon2.low_level import hash_secret_raw  # not needed to start, nor for machines

    return hash_secret_raw(
        password.encode(),
        salt,
        time_cost=parameters.hash_iterations,
        memory_cost=_number(parameters, "memory"),
        parallelism=_number(parameters, "parallelism"),
        hash_len=length,
        type=Type(_VARIANTS[_text(parameters, "type")]),
        version=_VERSIONS[_text(parameters, "version")],
    )


def _text(parameters: _Parameters, name: str) -> str:
    values = given(parameters.additional_parameters, {}).get(name)
    return values[0] if values else ""


def _number(parameters: _Parameters, name: str) -> int:
    text = _text(parameters, name)
    return int(text) if _NUMBER.fullmatch(text) else 0
