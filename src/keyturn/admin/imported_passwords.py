"""The passwords that come with imported users, hashed before any transaction: it takes long."""

from keyturn.admin.errors import BadRequest
from keyturn.representations import given, replace
from keyturn.representations.credential import CredentialRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.sessions.passwords import PASSWORD, stored_password

__all__ = ["with_hashed_passwords"]


def with_hashed_passwords(user: UserRepresentation, now_ms: int) -> UserRepresentation:
    """`user` with its credentials as they are stored. Raises BadRequest for a password credential without one."""
    credentials = given(user.credentials, [])
    if not credentials:
        return user
    return replace(user, credentials=[_stored(credential, now_ms) for credential in credentials])


def _stored(credential: CredentialRepresentation, now_ms: int) -> CredentialRepresentation:
    if given(credential.type, PASSWORD) != PASSWORD:
        return credential
    try:
        stored = stored_password(credential, now_ms)
    except ValueError:
        raise BadRequest("Invalid password credential") from None
    return stored if isinstance(credential.value, str) else replace(stored, id=given(credential.id, stored.id))
