"""Passwords in Keycloak's credential format. What is accepted here was checked at a login of Keycloak 26.7.3."""

import hashlib
import json
import unicodedata
from base64 import b64encode
from typing import Any

import pytest
from argon2.low_level import Type, hash_secret_raw

from keyturn.representations import UNSET, encode
from keyturn.representations.credential import CredentialRepresentation
from keyturn.sessions.passwords import hash_password, stored_password, verify_password

NOW = 1_700_000_000_000
SALT = b"0123456789abcdef"

LOGGED_IN_TO_KEYCLOAK = CredentialRepresentation(
    type="password",
    created_date=NOW,
    secret_data='{"value":"yT1rhUSBC0GCjudJcQFattecQsQP9T2s8s6Zz78v9xE=","salt":"co8f9gL9Giu+CgtcYgtGxg==",'
    '"additionalParameters":{}}',
    credential_data='{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],'
    '"memory":["7168"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}',
)
"""Imported into a Keycloak 26.7.3, whose login took "correct horse pässword" and nothing else."""


def credential(value: bytes, iterations: int, algorithm: str | None, **parameters: str) -> CredentialRepresentation:
    data: dict[str, Any] = {"hashIterations": iterations}
    if algorithm is not None:
        data["algorithm"] = algorithm
    data["additionalParameters"] = {name: [text] for name, text in parameters.items()}
    secret = {"value": b64encode(value).decode(), "salt": b64encode(SALT).decode()}
    return CredentialRepresentation(
        type="password",
        secret_data=json.dumps(secret),
        credential_data=json.dumps(data),
        created_date=5,
        user_label="old",
    )


def pbkdf2(digest: str, length: int) -> bytes:
    return hashlib.pbkdf2_hmac(digest, b"p4ss", SALT, 2000, length)


ARGON2_I = hash_secret_raw(b"p4ss", SALT, 3, 4096, 2, 16, Type.I)
ARGON2_I_PARAMETERS = {"hashLength": "16", "memory": "4096", "type": "i", "version": "1.3", "parallelism": "2"}


def test_verifies_what_keycloak_verified() -> None:
    assert verify_password(LOGGED_IN_TO_KEYCLOAK, "correct horse pässword")
    assert not verify_password(LOGGED_IN_TO_KEYCLOAK, "correct horse password")
    assert not verify_password(LOGGED_IN_TO_KEYCLOAK, "")


def test_a_new_credential_is_what_keycloak_makes() -> None:
    made = hash_password("pässword", NOW)
    assert verify_password(made, "pässword")
    assert (made.type, made.created_date) == ("password", NOW)
    assert made.credential_data == LOGGED_IN_TO_KEYCLOAK.credential_data
    assert isinstance(made.secret_data, str)
    assert list(json.loads(made.secret_data)) == ["value", "salt", "additionalParameters"]
    assert "pässword".encode() not in encode(made)


def test_two_credentials_of_one_password_have_nothing_in_common() -> None:
    one, two = hash_password("x", NOW), hash_password("x", NOW)
    assert one.secret_data != two.secret_data
    assert one.id != two.id


def test_the_secret_never_shows_in_a_repr() -> None:
    made = hash_password("x", NOW)
    assert isinstance(made.secret_data, str)
    assert json.loads(made.secret_data)["value"] not in repr(made)


@pytest.mark.parametrize(
    "old",
    [
        credential(pbkdf2("sha256", 64), 2000, "pbkdf2-sha256"),
        credential(pbkdf2("sha256", 32), 2000, "pbkdf2-sha256"),
        credential(pbkdf2("sha512", 64), 2000, "pbkdf2-sha512"),
        credential(pbkdf2("sha1", 64), 2000, "pbkdf2"),
        credential(ARGON2_I, 3, "argon2", **ARGON2_I_PARAMETERS),
    ],
)
def test_older_hashes_are_verified(old: CredentialRepresentation) -> None:
    stored = stored_password(old, NOW)
    assert verify_password(stored, "p4ss")
    assert not verify_password(stored, "p4sS")
    assert (stored.created_date, stored.user_label) == (5, "old")


@pytest.mark.parametrize(
    "unreadable",
    [
        credential(pbkdf2("sha256", 64), 2000, "bogus"),
        credential(pbkdf2("sha256", 64), 2000, None),
        credential(pbkdf2("sha256", 64), 0, "pbkdf2-sha256"),
        credential(b"", 2000, "pbkdf2-sha256"),
        credential(ARGON2_I, 3, "argon2"),
        credential(ARGON2_I, 3, "argon2", **{**ARGON2_I_PARAMETERS, "hashLength": "32"}),
        credential(ARGON2_I, 3, "argon2", **{**ARGON2_I_PARAMETERS, "memory": "99999999999"}),
        credential(ARGON2_I, 3, "argon2", **{**ARGON2_I_PARAMETERS, "memory": "9" * 5000}),
        credential(ARGON2_I, 3, "argon2", **{**ARGON2_I_PARAMETERS, "parallelism": "x"}),
        CredentialRepresentation(type="password", secret_data="{", credential_data="{}"),
        CredentialRepresentation(type="password"),
        None,
    ],
)
def test_what_cannot_be_verified_is_no_password(unreadable: CredentialRepresentation | None) -> None:
    assert not verify_password(unreadable, "p4ss")
    assert not verify_password(unreadable, "")


def test_the_format_of_old_exports_is_read() -> None:
    old = CredentialRepresentation(
        type="password",
        hashed_salted_value=b64encode(pbkdf2("sha256", 64)).decode(),
        salt=b64encode(SALT).decode(),
        hash_iterations=2000,
        algorithm="pbkdf2-sha256",
    )
    stored = stored_password(old, NOW)
    assert verify_password(stored, "p4ss")
    assert stored.hashed_salted_value is UNSET


def test_a_plain_password_is_hashed_and_loses_label_and_date() -> None:
    given = CredentialRepresentation(type="password", value="p4ss", user_label="x", created_date=5, temporary=True)
    stored = stored_password(given, NOW)
    assert verify_password(stored, "p4ss")
    assert b"p4ss" not in encode(stored)
    assert (stored.created_date, stored.user_label, stored.temporary) == (NOW, UNSET, UNSET)


def test_a_credential_without_a_password_is_refused() -> None:
    with pytest.raises(ValueError, match="without a password"):
        stored_password(CredentialRepresentation(type="password"), NOW)


def test_like_keycloak_does_not_normalise_what_is_typed() -> None:
    composed, decomposed = (unicodedata.normalize(form, "pässword") for form in ("NFC", "NFD"))
    assert not verify_password(hash_password(composed, NOW), decomposed)
