"""The collections of the store: which documents, and what they are found by. A new one is a line here."""

from typing import Final

from keyturn.model.login_failures import LoginFailures
from keyturn.model.trusted_issuer import external_subject
from keyturn.model.user_session import UserSession
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_initial_access import ClientInitialAccessPresentation
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.representations.component import ComponentRepresentation
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.spi import Collection, Key


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


REALMS: Final = Collection(
    "realm",
    RealmRepresentation,
    (Key("realm", lambda realm: _text(realm.realm), unique=True),),
)
"""A realm owns itself: its ``realm_id`` is its id. ``realm`` is unique among all."""

CLIENTS: Final = Collection(
    "client",
    ClientRepresentation,
    (
        Key("client_id", lambda client: _text(client.client_id), unique=True),
        Key("external_subject", external_subject),
    ),
)
CLIENT_SCOPES: Final = Collection(
    "client_scope",
    ClientScopeRepresentation,
    (Key("name", lambda scope: _text(scope.name), unique=True),),
)
ROLES: Final = Collection(
    "role",
    RoleRepresentation,
    (
        Key("name", lambda role: _text(role.name), unique=True, within=("container_id",)),
        Key("container_id", lambda role: _text(role.container_id)),
    ),
)
"""``container_id`` is the realm's id for a realm role, the client's id for a client role."""

USERS: Final = Collection(
    "user",
    UserRepresentation,
    (
        Key("username", lambda user: _text(user.username), unique=True),
        Key("email", lambda user: _text(user.email)),
        Key("first_name", lambda user: _text(user.first_name)),
        Key("last_name", lambda user: _text(user.last_name)),
        Key("service_account_client", lambda user: _text(user.service_account_client_id), unique=True),
    ),
)
"""``service_account_client_id`` is stored as the client's ``id``. Credentials are part of the stored document."""

GROUPS: Final = Collection(
    "group",
    GroupRepresentation,
    (
        Key("name", lambda group: _text(group.name), unique=True, within=("parent_id",)),
        Key("parent_id", lambda group: _text(group.parent_id)),
    ),
)
COMPONENTS: Final = Collection(
    "component",
    ComponentRepresentation,
    (
        Key("name", lambda component: _text(component.name)),
        Key("provider_type", lambda component: _text(component.provider_type)),
        Key("parent_id", lambda component: _text(component.parent_id)),
    ),
)
SESSIONS: Final = Collection(
    "session",
    UserSession,
    (
        Key("user_id", lambda session: session.user_id),
        Key("expires", lambda session: f"{session.expires:012d}"),
    ),
)
LOGIN_FAILURES: Final = Collection("login_failures", LoginFailures, ())
"""By the user's id."""

INITIAL_ACCESS: Final = Collection("initial_access", ClientInitialAccessPresentation, ())
"""What may still be registered with initial access tokens; the tokens themselves are not kept."""

READ_EACH_TIME: Final = frozenset({SESSIONS.name, LOGIN_FAILURES.name, INITIAL_ACCESS.name})
"""Collections that nobody remembers anything of: what is decided by them is read from the database."""

COLLECTIONS: Final = (
    REALMS,
    CLIENTS,
    CLIENT_SCOPES,
    ROLES,
    USERS,
    GROUPS,
    COMPONENTS,
    SESSIONS,
    LOGIN_FAILURES,
    INITIAL_ACCESS,
)
