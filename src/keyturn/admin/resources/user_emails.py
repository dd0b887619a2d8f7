"""E-mails to a user: everything is checked as Keycloak does, and none is sent. Source: Keycloak ``UserResource``."""

from dataclasses import dataclass, field
from typing import Final

from keyturn.admin.authentication_flows import required_actions_of
from keyturn.admin.context import RealmView
from keyturn.admin.errors import ErrorMessage
from keyturn.admin.permissions import MANAGE_USERS
from keyturn.admin.query import NAME, Query
from keyturn.admin.resource import Resource
from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS

__all__ = ["user_emails"]

user_emails: Final = Resource("user e-mails", located=("user",))

_NO_SENDER: Final = (
    "Failed to send execute actions email: Invalid sender address 'null'. If the address contains UTF-8 characters in "
    "the local part please ensure the SMTP server supports the SMTPUTF8 extension and enable 'Allow UTF-8' in the "
    "email realm configuration."
)


@dataclass(frozen=True, slots=True)
class EmailQuery(Query):
    """Where the user is to be led: an application, and a page of it."""

    client_id: str | None = field(default=None, metadata={NAME: "client_id"})
    redirect_uri: str | None = field(default=None, metadata={NAME: "redirect_uri"})
    lifespan: int | None = None


@user_emails.put("send-verify-email", needs=MANAGE_USERS, event=None)
def send_verify_email(realm: RealmView, user: UserRepresentation, query: EmailQuery) -> None:
    """No e-mail is sent: Keycloak's answer where none can be."""
    _check(realm, user, query)
    raise ErrorMessage(400, "Failed to send verify email")


@user_emails.put("execute-actions-email", needs=MANAGE_USERS, event=None)
def execute_actions_email(realm: RealmView, user: UserRepresentation, query: EmailQuery, actions: list[str]) -> None:
    """No e-mail is sent: Keycloak's answer where none can be."""
    _check(realm, user, query)
    if not set(actions) <= {action.alias for action in required_actions_of(realm.realm)}:
        raise ErrorMessage(400, "Provided invalid required actions")
    raise ErrorMessage(400, _NO_SENDER)


@user_emails.put("reset-password-email", needs=MANAGE_USERS, event=None)
def reset_password_email(realm: RealmView, user: UserRepresentation, query: EmailQuery) -> None:
    """No e-mail is sent: Keycloak's answer where none can be."""
    _check(realm, user, query)
    raise ErrorMessage(400, _NO_SENDER)


def _check(realm: RealmView, user: UserRepresentation, query: EmailQuery) -> None:
    """Raises ErrorMessage for somebody who cannot get e-mails, and for an application that is none."""
    if not given(user.email, ""):
        raise ErrorMessage(400, "User email missing")
    if user.enabled is not True:
        raise ErrorMessage(400, "User is disabled")
    if query.client_id is None:
        if query.redirect_uri is not None:
            raise ErrorMessage(400, "Client id missing")
        return
    client = realm.reader.find(CLIENTS, realm.id, client_id=query.client_id)
    if client is None:
        raise ErrorMessage(400, "Client doesn't exist")
    if client.enabled is not True:
        raise ErrorMessage(400, "Client is not enabled")
    if query.redirect_uri is not None and not _allows(client, query.redirect_uri):
        raise ErrorMessage(400, "Invalid redirect uri.")


def _allows(client: ClientRepresentation, redirect_uri: str) -> bool:
    root = given(client.root_url, "")
    allowed = [root + uri if uri.startswith("/") else uri for uri in given(client.redirect_uris, [])]
    return any(
        redirect_uri.startswith(uri.removesuffix("*")) if uri.endswith("*") else redirect_uri == uri for uri in allowed
    )
