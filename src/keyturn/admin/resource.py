"""An endpoint is a typed function: its signature says what it is given, its return value what is answered.

    @roles.post("", needs=MANAGE_REALM)
    def create_role(realm: RealmAdmin, role: RoleRepresentation) -> Created: …

A parameter is, by its annotation or name:

- the context: ``ServerView``, ``RealmView`` (reads) or ``RealmAdmin`` (writes, in one transaction);
- a value that the mount locates, by its name (`Mount.locates` in ``admin/routing.py``);
- a segment of the path, by its name, a ``str``;
- the query: a subclass of ``Query``;
- the body: a Representation or a list of them, with ``| None`` if it may be missing, ``bytes`` as they came, ``Form``
  for an HTML form, ``Multipart`` for one with files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Final, TypeVar, get_type_hints

from keyturn.admin.admin_events import Recorded
from keyturn.admin.context import RealmAdmin, ServerView
from keyturn.admin.errors import AdminError
from keyturn.admin.permissions import Needs
from keyturn.admin.query import Query
from keyturn.representations.reading import UnreadableDocument

__all__ = ["JSON", "Endpoint", "Form", "Multipart", "Parameters", "Resource"]

F = TypeVar("F", bound=Callable[..., Any])
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


class Inherited:
    """Stands for what the resource declares."""


class Form(dict[str, str]):
    """An HTML form as a body; of a repeated name the first value counts."""


class Multipart(dict[str, bytes]):
    """A form with files as a body (RFC 7578); of a repeated name the first value counts.

    `meaning` is what its endpoint has made of it, where that takes too long for a transaction.
    """

    meaning: Any = None


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a function takes, found from its signature once.

    `named` are those that are looked up by name: located values and segments of the path.
    """

    function: Callable[..., Any]
    context: tuple[str, type[ServerView]]
    named: tuple[str, ...]
    query: tuple[str, type[Query]] | None
    body: tuple[str, Any] | None

    @classmethod
    def of(cls, function: Callable[..., Any], located: Sequence[str] = ()) -> "Parameters":
        """Raises TypeError where the signature is none that an endpoint may have."""
        hints = get_type_hints(function)
        context: tuple[str, type[ServerView]] | None = None
        query: tuple[str, type[Query]] | None = None
        named: list[str] = []
        others: list[tuple[str, Any]] = []
        for name in signature(function).parameters:
            kind = hints[name]
            if isinstance(kind, type) and issubclass(kind, ServerView):
                context = name, kind
            elif isinstance(kind, type) and issubclass(kind, Query):
                query = name, kind
            elif kind is str or name in located:
                named.append(name)
            else:
                others.append((name, kind))
        if context is None:
            raise TypeError(f"{function.__qualname__} takes no context")
        if len(others) > 1:
            raise TypeError(f"{function.__qualname__} takes several bodies: {[name for name, _ in others]}")
        return cls(function, context, tuple(named), query, others[0] if others else None)

    @property
    def writes(self) -> bool:
        """Whether the function takes a transaction."""
        return issubclass(self.context[1], RealmAdmin)

    def call(self, context: ServerView, values: Mapping[str, Any], query: Query | None, body: Any) -> Any:
        """The function's answer."""
        arguments = {name: values[name] for name in self.named}
        arguments[self.context[0]] = context
        if self.query is not None:
            arguments[self.query[0]] = query
        if self.body is not None:
            arguments[self.body[0]] = body
        return self.function(**arguments)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A function at a method and path of a resource."""

    method: str
    path: tuple[str, ...]
    """Segments below the resource; ``{name}`` takes any, ``{name...}`` at the end any number of them."""
    needs: Needs
    parameters: Parameters
    prepare: Callable[..., Any] | None
    """Called with context, located values and body, when rights are checked and before the transaction begins.

    Gives the body that the endpoint takes. For what takes long, as making keys.
    """
    merges: bool
    """Whether what it gives rests on what is stored: where that has changed since, it is called in the transaction."""
    consumes: str | None
    produces: str | None
    no_cache: bool
    unreadable: Callable[[UnreadableDocument], AdminError] | None
    """What a body that cannot be read becomes, where it is not Keycloak's usual answer."""
    ignore_unknown: bool
    """Whether fields that the document does not have are skipped."""
    rights_first: bool
    """Whether the body is read only when rights are checked, unlike Keycloak's usual way."""
    event: Recorded | None
    """What the admin event of a call says; None where there is none."""
    after_events: bool
    """Whether the events that were recorded so far must be in the store when it is called."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The endpoints of one noun, as one class of Keycloak's: that is what 404 and 405 are decided by.

    `located` names the values that its mounts locate, beside segments of the path. `event` is what admin events of its
    endpoints say, unless an endpoint declares its own; what reads has none.
    """

    name: str
    located: tuple[str, ...] = ()
    event: Recorded | None = None
    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, path: str, *, needs: Needs, **more: Any) -> Callable[[F], F]:
        """An endpoint that reads; its answer is not to be cached unless ``no_cache=False``."""
        return self._endpoint("GET", path, needs, **{"produces": JSON, "no_cache": True, "event": None, **more})

    def post(self, path: str, *, needs: Needs, **more: Any) -> Callable[[F], F]:
        """An endpoint that creates or acts."""
        return self._endpoint("POST", path, needs, **more)

    def put(self, path: str, *, needs: Needs, **more: Any) -> Callable[[F], F]:
        """An endpoint that replaces."""
        return self._endpoint("PUT", path, needs, **more)

    def delete(self, path: str, *, needs: Needs, **more: Any) -> Callable[[F], F]:
        """An endpoint that removes."""
        return self._endpoint("DELETE", path, needs, **more)

    def _endpoint(
        self,
        method: str,
        path: str,
        needs: Needs,
        *,
        prepare: Callable[..., Any] | None = None,
        merges: bool = False,
        consumes: str | None = None,
        produces: str | None = None,
        no_cache: bool = False,
        unreadable: Callable[[UnreadableDocument], AdminError] | None = None,
        ignore_unknown: bool = False,
        rights_first: bool = False,
        event: Recorded | type[Inherited] | None = Inherited,
        after_events: bool = False,
    ) -> Callable[[F], F]:
        segments = tuple(segment for segment in path.split("/") if segment)

        def add(function: F) -> F:
            parameters = Parameters.of(function, self.located)
            media_type = consumes
            if media_type is None and parameters.body is not None:
                media_type = FORM if parameters.body[1] is Form else JSON
            self.endpoints.append(
                Endpoint(
                    method,
                    segments,
                    needs,
                    parameters,
                    prepare,
                    merges,
                    media_type,
                    produces,
                    no_cache,
                    unreadable,
                    ignore_unknown,
                    rights_first,
                    self.event if isinstance(event, type) else event,
                    after_events,
                )
            )
            return function

        return add


def names_in(path: Sequence[str]) -> tuple[str, ...]:
    """The names of the segments that take any text."""
    return tuple(segment[1:-1] for segment in path if segment.startswith("{"))
