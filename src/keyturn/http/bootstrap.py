"""The first administrator: made together with the realm ``master``, while there is none.

As in Keycloak, a user, a client with a service account, or both; marked as temporary, since they are to be replaced.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keyturn.config import Settings, SettingsError
from keyturn.model.new_documents import default_role_name, service_account_username
from keyturn.model.new_realm import MASTER
from keyturn.representations import (
    ClientRepresentation,
    CredentialRepresentation,
    RealmRepresentation,
    UserRepresentation,
)
from keyturn.sessions.passwords import PASSWORD
from keyturn.store.collections import REALMS
from keyturn.store.spi import Store

_PASSWORD_FILE: Final = "initial-admin-password"
_TEMPORARY: Final = "is_temporary_admin"
_KEYCLOAKS_NAME: Final = "temp-admin"
_ROLES: Final = ["admin", default_role_name(MASTER)]


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """Who was made. ``password`` is there only if it was made up and is to be shown; ``password_file`` may hold it."""

    username: str | None = None
    client_id: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None


def bootstrap(
    store: Store, settings: Settings, data: Path, *, on_terminal: bool, clock: Callable[[], float]
) -> FirstAdministrator | None:
    """Makes the realm ``master`` and its first administrator; None where the realm is there already.

    Args:
        data: where the file with a made-up password goes, unless it is shown.
        on_terminal: whether a person will see what is shown.

    Raises:
        SettingsError: a client without a secret, or the file cannot be written.
        StoreError: the store cannot be written to.

    Source: Keycloak ``ApplianceBootstrap``, options ``bootstrap-admin-*``.
    """
    with store.read() as reader:
        if reader.find(REALMS, None, realm=MASTER) is not None:
            return None
    if settings.bootstrap_admin_client_id and not settings.bootstrap_admin_client_secret:
        raise SettingsError("KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID is given without KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET")
    users: list[UserRepresentation] = []
    clients: list[ClientRepresentation] = []
    client_id = password = file = username = None
    if settings.bootstrap_admin_client_secret:
        client_id = settings.bootstrap_admin_client_id or _KEYCLOAKS_NAME
        clients.append(_client(client_id, settings.bootstrap_admin_client_secret))
        users.append(_service_account(client_id))
    if settings.bootstrap_admin_password:
        username = settings.bootstrap_admin_username or _KEYCLOAKS_NAME
        users.append(_user(username, settings.bootstrap_admin_password))
    elif settings.bootstrap_admin_username or client_id is None:
        username = settings.bootstrap_admin_username or "admin"
        password = secrets.token_urlsafe(18)
        users.append(_user(username, password))
        if not on_terminal:
            # Before the realm: a password that nobody knows would lock everybody out.
            file = _write(data / _PASSWORD_FILE, password)
            password = None
    master = RealmRepresentation(realm=MASTER, enabled=True, users=users)
    if clients:
        master.clients = clients
    _create(store, master, clock())
    return FirstAdministrator(username, client_id, password, file)


def _create(store: Store, master: RealmRepresentation, now: float) -> None:
    # Half of the server's code; an existing database is served without it.
    from keyturn.admin.client_changes import Fresh
    from keyturn.admin.errors import AdminError
    from keyturn.admin.randomness import random_id, random_secret
    from keyturn.admin.realm_creation import create_realm

    try:
        create_realm(store, master, fresh=Fresh(random_id, random_secret, now), random=os.urandom)
    except AdminError as error:
        raise SettingsError(f"the first administrator cannot be made: {error}") from None


def _user(username: str, password: str) -> UserRepresentation:
    return UserRepresentation(
        username=username,
        enabled=True,
        attributes={_TEMPORARY: ["true"]},
        credentials=[CredentialRepresentation(type=PASSWORD, value=password)],
        realm_roles=_ROLES,
    )


def _client(client_id: str, secret: str) -> ClientRepresentation:
    attributes = {_TEMPORARY: "true", "client.use.lightweight.access.token.enabled": "true"}
    return ClientRepresentation(
        client_id=client_id,
        secret=secret,
        enabled=True,
        public_client=False,
        service_accounts_enabled=True,
        standard_flow_enabled=False,
        direct_access_grants_enabled=False,
        attributes=attributes,
    )


def _service_account(client_id: str) -> UserRepresentation:
    return UserRepresentation(
        username=service_account_username(client_id),
        enabled=True,
        service_account_client_id=client_id,
        realm_roles=_ROLES,
    )


def _write(path: Path, password: str) -> Path:
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{password}\n")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from None
    return path
