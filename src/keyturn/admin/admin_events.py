"""What an administrator did, as an entry of the realm's log, in the transaction of the change itself.

What an event says follows from the endpoint; where it does not, the endpoint or its resource declares it.
Source: Keycloak ``AdminEventBuilder``, ``StripSecretsUtils``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from keyturn.admin.answers import Created, Unchanged
from keyturn.admin.context import RealmView, ServerView
from keyturn.admin.errors import AdminError
from keyturn.representations import UNSET, Representation, encode, given, replace, replace_secrets
from keyturn.representations.event import AdminEventRepresentation, AuthDetailsRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import REALMS
from keyturn.store.logs import ADMIN_EVENTS
from keyturn.store.spi import Transaction

__all__ = ["ACTION", "CREATE", "MASKED", "Begun", "Located", "Recorded", "begin", "finish", "nothing", "write"]

CREATE: Final = "CREATE"
ACTION: Final = "ACTION"
MASKED: Final = "**********"
"""What secrets are replaced by (Keycloak ``ComponentRepresentation.SECRET_VALUE``)."""

_OPERATIONS: Final = {"POST": CREATE, "PUT": "UPDATE", "DELETE": "DELETE"}
_REALM: Final = "REALM"
_CONFIG: Final = ("events", "config")
"""The only call that is told of when it has turned events on itself; a change of the realm is not."""
_SEGMENTS_TO_REALM: Final = 3
"""``admin``, ``realms`` and the realm's name."""

Located: TypeAlias = Mapping[str, Any]
"""What was located on the way to an endpoint, and the segments of the path by name."""


def _sent(_realm: RealmView, _values: Located, body: Any) -> Any:
    return body


def nothing(_realm: RealmView, _values: Located, _body: Any) -> None:
    """No representation, whatever was sent."""


def _created(result: Any, _body: Any) -> str | None:
    return result.id if isinstance(result, Created) else None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What admin events of an endpoint, or of all of a resource's, say. None in its place: there are none.

    The functions are called before the endpoint, with the view, what was located, and the body as it was sent.
    """

    type: str | Callable[[RealmView, Located], str]
    """Keycloak's ``ResourceType``."""
    operation: str | Callable[[Any], str] = ""
    """``OperationType``, or what finds it from the endpoint's result; by default that of the method."""
    shows: Callable[[RealmView, Located, Any], Any] = _sent
    """The representation; by default the body."""
    numbered: bool = False
    """Whether the representation has the id of what was made, too."""
    details: Callable[[RealmView, Located], Mapping[str, str]] | None = None
    below: Callable[[Any, Any], str | None] = _created
    """A segment to be added to the path, from the endpoint's result and the body: by default what was made."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An admin event of a call that is not done yet."""

    recorded: Recorded
    realm: RealmView
    method: str
    path: tuple[str, ...]
    type: str
    body: Any
    shown: Any
    details: Mapping[str, str]


def begin(
    recorded: Recorded | None, context: ServerView, values: Located, method: str, path: Sequence[str], body: Any
) -> Begun | None:
    """What is known before the endpoint is called; None where nothing is to be recorded.

    Args:
        path: the decoded segments of the request's.
        body: as it was sent.
    """
    if recorded is None or not isinstance(context, RealmView):
        return None
    try:
        type_ = recorded.type if isinstance(recorded.type, str) else recorded.type(context, values)
        below = tuple(path[_SEGMENTS_TO_REALM:])
        if context.realm.admin_events_enabled is not True and below != _CONFIG:  # that call may enable them
            return None
        shown = recorded.shows(context, values, body)
        details = {} if recorded.details is None else recorded.details(context, values)
    except AdminError:
        return None  # What the call is about is not there: the endpoint says so itself, when it comes to it.
    return Begun(recorded, context, method, below, type_, body, shown, details)


def finish(begun: Begun | None, tx: Transaction, result: Any) -> None:
    """Records what has been done, if the realm wants it, or wanted it before."""
    if begun is None or isinstance(result, Unchanged):
        return
    before = begun.realm.realm
    after = tx.get(REALMS, begun.realm.id, begun.realm.id) if begun.type == _REALM else before
    if after is None or True not in {before.admin_events_enabled, after.admin_events_enabled}:
        return
    recorded, shown = begun.recorded, begun.shown
    operation = recorded.operation if isinstance(recorded.operation, str) else recorded.operation(result)
    below = recorded.below(result, begun.body)
    if recorded.numbered and isinstance(result, Created):
        shown = replace(shown, id=result.id)
    path = "/".join((*begun.path, *(() if below is None else (below,))))
    event = AdminEventRepresentation(
        operation_type=operation or _OPERATIONS[begun.method],
        resource_type=begun.type,
        resource_path=path or UNSET,
        details=dict(begun.details) or UNSET,
    )
    write(begun.realm, tx, after, event, shown)


def write(
    context: ServerView, tx: Transaction, realm: RealmRepresentation, event: AdminEventRepresentation, shown: Any
) -> None:
    """Puts `event` into the log of `realm`, with who is calling, and with `shown` where the realm wants details."""
    administrator = context.administrator
    entry = replace(
        event,
        id=context.new_id(),
        time=context.now_milliseconds(),
        realm_id=realm.id,
        auth_details=AuthDetailsRepresentation(
            realm_id=administrator.realm_id,
            client_id=administrator.client.id,
            user_id=administrator.user.id,
            ip_address=context.address,
        ),
    )
    if shown is not None and realm.admin_events_details_enabled is True:
        entry = replace(entry, representation=encode(_stripped(shown)).decode())
    tx.append(ADMIN_EVENTS, [(given(realm.id, ""), entry)])


def _stripped(shown: Any) -> Any:
    if isinstance(shown, list):
        return [_stripped(each) for each in shown]
    return replace_secrets(shown, lambda _path, _text: MASKED) if isinstance(shown, Representation) else shown
