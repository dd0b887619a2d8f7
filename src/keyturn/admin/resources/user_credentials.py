"""The credentials of a user. Secrets never leave. Source: Keycloak ``UserResource``."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn.admin.admin_events import ACTION, Located, Recorded, nothing
from keyturn.admin.answers import NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, NotFound, OAuthError
from keyturn.admin.permissions import MANAGE_USERS, VIEW_USERS
from keyturn.admin.resource import Resource
from keyturn.admin.user_passwords import hashed, with_password
from keyturn.representations import UNSET, given, replace
from keyturn.representations.credential import CredentialRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import USERS

__all__ = ["user_credentials"]

user_credentials: Final = Resource("user credentials", located=("user",))
"""Of most of it Keycloak keeps no event."""

_NOT_MANAGED: Final = "You can not manage credentials for this user"
_TEXT: Final = "text/plain"


def _with_hash(
    realm: RealmView, _: Mapping[str, Any], credential: CredentialRepresentation | None
) -> CredentialRepresentation | None:
    return None if credential is None else hashed(realm, credential)


@user_credentials.put("reset-password", needs=MANAGE_USERS, prepare=_with_hash, event=Recorded("USER", ACTION, nothing))
def reset_password(
    realm: RealmAdmin, user: UserRepresentation, credential: CredentialRepresentation | None
) -> NoContent:
    """Sets a password, to be changed at the next login if it is temporary."""
    if given(user.service_account_client_id, ""):
        raise OAuthError(400, _NOT_MANAGED, _NOT_MANAGED)
    if credential is None:
        raise BadRequest("No password provided")
    realm.update(USERS, with_password(realm, user, credential))
    return NoContent()


@user_credentials.get("credentials", needs=VIEW_USERS)
def get_credentials(realm: RealmView, user: UserRepresentation) -> list[CredentialRepresentation]:
    """The user's credentials in their order, without what is secret of them."""
    return [replace(credential, secret_data=UNSET) for credential in given(user.credentials, [])]


def _which(_realm: RealmView, values: Located) -> dict[str, str]:
    credential = _credential(values["user"], values["credential_id"])
    return {"credential_id": values["credential_id"], "credential_type": given(credential.type, "")}


@user_credentials.delete(
    "credentials/{credential_id}",
    needs=MANAGE_USERS,
    no_cache=True,
    event=Recorded("USER", ACTION, details=_which),
)
def delete_credential(realm: RealmAdmin, user: UserRepresentation, credential_id: str) -> NoContent:
    """Removes a credential."""
    credentials = given(user.credentials, [])
    credentials.remove(_credential(user, credential_id))
    realm.update(USERS, replace(user, credentials=credentials))
    return NoContent()


@user_credentials.put("credentials/{credential_id}/userLabel", needs=MANAGE_USERS, consumes=_TEXT)
def label_credential(realm: RealmAdmin, user: UserRepresentation, credential_id: str, label: bytes) -> NoContent:
    """Names a credential."""
    credential = _credential(user, credential_id)
    credential.user_label = label.decode(errors="replace")
    realm.update(USERS, user)
    return NoContent()


@user_credentials.post("credentials/{credential_id}/moveToFirst", needs=MANAGE_USERS)
def move_credential_to_first(realm: RealmAdmin, user: UserRepresentation, credential_id: str) -> NoContent:
    """Makes a credential the one that counts first."""
    return _moved(realm, user, credential_id, 0)


@user_credentials.post("credentials/{credential_id}/moveAfter/{other_id}", needs=MANAGE_USERS)
def move_credential_after(realm: RealmAdmin, user: UserRepresentation, credential_id: str, other_id: str) -> NoContent:
    """Puts a credential behind another; no effect where the other is not there."""
    moving = _credential(user, credential_id)
    others = [credential for credential in given(user.credentials, []) if credential is not moving]
    at = next((place for place, credential in enumerate(others) if credential.id == other_id), None)
    return NoContent() if at is None else _moved(realm, user, credential_id, at + 1)


def _moved(realm: RealmAdmin, user: UserRepresentation, credential_id: str, place: int) -> NoContent:
    moving = _credential(user, credential_id)
    others = [credential for credential in given(user.credentials, []) if credential is not moving]
    realm.update(USERS, replace(user, credentials=[*others[:place], moving, *others[place:]]))
    return NoContent()


def _credential(user: UserRepresentation, credential_id: str) -> CredentialRepresentation:
    for credential in given(user.credentials, []):
        if credential.id == credential_id:
            return credential
    raise NotFound("Credential not found")


@user_credentials.put("disable-credential-types", needs=MANAGE_USERS)
def disable_credential_types(realm: RealmAdmin, user: UserRepresentation, types: list[str] | None) -> NoContent:
    """Changes nothing: only user federation has credentials that can be disabled."""
    return NoContent()


@user_credentials.get("configured-user-storage-credential-types", needs=VIEW_USERS)
def get_user_storage_credential_types(realm: RealmView, user: UserRepresentation) -> list[str]:
    """Credentials that user federation keeps: none."""
    return []
