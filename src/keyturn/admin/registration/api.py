"""Dynamic client registration as one synchronous call: a request in, an answer out, and an event of it.

Source: Keycloak ``DefaultClientRegistrationProvider``, ``OIDCClientRegistrationProvider``,
``AdapterInstallationClientRegistrationProvider``.
"""

from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import quote

from keyturn.admin.body import unreadable
from keyturn.admin.context import Environment
from keyturn.admin.errors import AdminError, Forbidden, HttpError, NotFound, unavailable, unknown_error
from keyturn.admin.http_message import AdminRequest, AdminResponse
from keyturn.admin.media_types import essence
from keyturn.admin.path import segments_of
from keyturn.admin.registration import metadata, pairwise
from keyturn.admin.registration.checks import check_metadata
from keyturn.admin.registration.metadata_answer import metadata_of
from keyturn.admin.registration.providers import DEFAULT, INSTALL, OPENID_CONNECT, Route, route_of
from keyturn.admin.registration.refusal import Refusal, invalid_metadata
from keyturn.admin.registration.registrar import Finish, Registered, Registrar
from keyturn.admin.registration.trusted_hosts import Names
from keyturn.events.event import NO_DETAILS, Event, Sink
from keyturn.model.pairwise import sector_problem
from keyturn.model.realm import Realm
from keyturn.representations import UNSET, ClientRepresentation, encode, given, present, replace
from keyturn.representations.oidc_client import OIDCClientRepresentation
from keyturn.representations.reading import UnreadableDocument, read
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.retrying import retried
from keyturn.store.spi import StoreError

__all__ = ["RegistrationApi"]

D = TypeVar("D", ClientRepresentation, OIDCClientRepresentation)

_JSON: Final = ("content-type", "application/json")
_JSON_UTF8: Final = ("content-type", "application/json;charset=UTF-8")
_SEGMENTS_TO_PROVIDER: Final = 3
"""``realms``, the realm's name and ``clients-registrations``."""
_UNQUOTED: Final = "!$&'()*+,;=:@"
"""Characters of a path segment that stand for themselves (RFC 3986 §3.3), beside the unreserved ones."""
_ANY: Final = "*"
_TAKEN: Final = frozenset({"application/json", "application/*", "*/*"})
_KINDS: Final = {"POST": "CLIENT_REGISTER", "GET": "CLIENT_INFO", "PUT": "CLIENT_UPDATE", "DELETE": "CLIENT_DELETE"}
"""Keycloak's ``EventType`` by method."""
_PREFLIGHT: Final = (
    ("access-control-allow-credentials", "true"),
    ("access-control-allow-methods", "DELETE, GET, OPTIONS, POST, PUT"),
    (
        "access-control-allow-headers",
        "Origin, Accept, Access-Control-Request-Method, X-Requested-With, Access-Control-Request-Headers, DPoP, "
        "Content-Type, Authorization",
    ),
    ("access-control-max-age", "3600"),
)
_SUBJECT_TYPES: Final = frozenset({"public", "pairwise"})


@dataclass(slots=True)
class _Call:
    """A request to a provider. `client_id` is of whom its event tells, as soon as that is known."""

    request: AdminRequest
    realm: Realm
    route: Route
    client_id: str | None = None
    names: Names = field(default_factory=Names)


class RegistrationApi:
    """The endpoints below ``clients-registrations`` of all realms; what happens there is told to `events`."""

    def __init__(self, environment: Environment, events: Sink) -> None:
        self._environment: Final = environment
        self._events: Final = events

    def handle(self, request: AdminRequest, realm: Realm) -> AdminResponse:
        """The answer to `request`, which is below `realm`; never raises. Synchronous: it reads and writes the store."""
        try:
            route = route_of(request.method, segments_of(request.path)[_SEGMENTS_TO_PROVIDER:])
            if route.method == "OPTIONS":
                return _options(request, route)
            call = _Call(request, realm, route)
            try:
                response = retried(lambda: self._serve(call))
            except Refusal as refusal:
                self._tell(call, refusal)
                raise
            self._tell(call)
            return response
        except AdminError as error:
            return AdminResponse(error.status, (_JSON,), encode(error.document))
        except StoreError as error:
            refused = unavailable(error)
            return AdminResponse(refused.status, (_JSON,), encode(refused.document))
        except Exception as error:  # the last resort: nothing of it reaches the wire
            unknown = unknown_error(error, self._environment.new_id())
            return AdminResponse(unknown.status, (_JSON,), encode(unknown.document))

    def _tell(self, call: _Call, refusal: Refusal | None = None) -> None:
        kind = _KINDS[call.route.method] if refusal is None else f"{_KINDS[call.route.method]}_ERROR"
        event = Event(
            type=kind,
            realm=call.realm.name,
            realm_id=call.realm.id,
            time=self._environment.clock(),
            address=call.request.address,
            client_id=call.client_id,
            error=None if refusal is None else refusal.event_error,
            details=NO_DETAILS if refusal is None else refusal.details,
            kept=kind in call.realm.kept_events,
        )
        self._events.record(event)

    def _serve(self, call: _Call) -> AdminResponse:
        registrar = Registrar(self._environment, call.realm, call.request, call.route.provider, call.names)
        if call.route.provider == DEFAULT:
            return self._default(call, registrar)
        if call.route.provider == OPENID_CONNECT:
            return self._openid_connect(call, registrar)
        if call.route.provider == INSTALL:
            settings = registrar.installation(_client_id(call))
            call.client_id = _client_id(call)
            return AdminResponse(200, (_JSON_UTF8,), encode(settings))
        if essence(call.request.headers.get("content-type")) == "application/json":
            raise HttpError(415)
        raise HttpError(400)  # nobody here reads SAML's descriptors

    def _default(self, call: _Call, registrar: Registrar) -> AdminResponse:
        if call.route.method == "POST":
            made = registrar.create(_document(call, ClientRepresentation), _as_it_is).client
            call.client_id = given(made.client_id, "")
            path = call.request.path.rstrip("/")
            location = f"{call.request.base_url}{path}/{quote(call.client_id, safe=_UNQUOTED + '/')}"
            return AdminResponse(201, (("location", location), _JSON_UTF8), encode(made))
        if call.route.method == "GET":
            found = registrar.view(_client_id(call)).client
            call.client_id = _client_id(call)
            return AdminResponse(200, (_JSON_UTF8,), encode(found))
        sent = _document(call, ClientRepresentation) if call.route.method == "PUT" else None
        call.client_id = _client_id(call)
        if sent is None:
            registrar.remove(call.client_id)
            return AdminResponse(204)
        return AdminResponse(200, (_JSON_UTF8,), encode(registrar.change(call.client_id, sent, _as_it_is).client))

    def _openid_connect(self, call: _Call, registrar: Registrar) -> AdminResponse:
        writes = call.route.method in {"POST", "PUT"}
        sent = _document(call, OIDCClientRepresentation) if writes else None
        cors = _cors(call.request, registrar.origins())
        if call.route.method == "GET":
            found = registrar.view(_client_id(call))
            call.client_id = _client_id(call)
            return AdminResponse(200, (*cors, _JSON_UTF8), encode(self._metadata(call, found)))
        if sent is None:
            call.client_id = _client_id(call)
            registrar.remove(call.client_id)
            return AdminResponse(204, cors)
        if call.route.method == "PUT":
            client = _client_of(sent)
            call.client_id = _client_id(call)
            changed = registrar.change(call.client_id, client, self._finish(sent))
            return AdminResponse(200, (*cors, _JSON_UTF8), encode(self._metadata(call, changed)))
        if present(sent.client_id):
            raise invalid_metadata("Client Identifier included")
        made = registrar.create(_client_of(sent), self._finish(sent))
        call.client_id = given(made.client.client_id, "")
        answer = self._metadata(call, made, issued_at=int(self._environment.clock()))
        location = ("location", given(answer.registration_client_uri, ""))
        return AdminResponse(201, (location, *cors, _JSON_UTF8), encode(answer))

    def _finish(self, sent: OIDCClientRepresentation) -> Finish:
        """Gives the client the subjects that `sent` wants, and checks what only OpenID Connect's metadata have."""
        subject_type = given(sent.subject_type, "public").lower()
        if subject_type not in _SUBJECT_TYPES:
            raise invalid_metadata()
        sector = given(sent.sector_identifier_uri, "") or None

        def finish(realm: RealmRepresentation, client: ClientRepresentation) -> ClientRepresentation:
            if subject_type == "pairwise" or sector is not None:
                problem = sector_problem(client, sector)
                if problem is not None:
                    raise invalid_metadata(problem)
            check_metadata(client, realm)
            return pairwise.with_subject(client, subject_type, sector, self._environment.new_id)

        return finish

    def _metadata(
        self, call: _Call, registered: Registered, *, issued_at: int | None = None
    ) -> OIDCClientRepresentation:
        name = quote(given(registered.client.client_id, ""), safe=_UNQUOTED)
        base = f"{call.request.base_url}{call.realm.path}/clients-registrations/{OPENID_CONNECT}"
        return metadata_of(registered.client, registered.realm, f"{base}/{name}", issued_at=issued_at)


def _as_it_is(_realm: RealmRepresentation, client: ClientRepresentation) -> ClientRepresentation:
    return client


def _client_of(sent: OIDCClientRepresentation) -> ClientRepresentation:
    """Raises AdminError. What is off is not said of authorization services."""
    client = metadata.client_of(sent)
    wanted = client.authorization_services_enabled is True
    return replace(client, authorization_services_enabled=True if wanted else UNSET)


def _client_id(call: _Call) -> str:
    if call.route.client_id is None:
        raise NotFound
    return call.route.client_id


def _document(call: _Call, kind: type[D]) -> D:
    """The body. Raises AdminError: another media type, or what cannot be read."""
    media_type = call.request.headers.get("content-type")
    if media_type is not None and essence(media_type) not in _TAKEN:
        raise HttpError(415)
    try:
        return read(call.request.body, kind)
    except UnreadableDocument as error:
        raise unreadable(error) from None


def _cors(request: AdminRequest, allowed: list[str]) -> tuple[tuple[str, str], ...]:
    """What lets the asking page read the answer. Raises Forbidden where its origin is none of those `allowed`."""
    origin = request.headers.get("origin")
    if origin is None or origin == request.base_url:
        return ()
    if not {_ANY, origin} & set(allowed):
        raise Forbidden("Invalid origin")
    return (("access-control-allow-origin", origin), ("access-control-allow-credentials", "true"))


def _options(request: AdminRequest, route: Route) -> AdminResponse:
    """Any page may ask whether it may register; only OpenID Connect's registration is for pages."""
    if route.provider != OPENID_CONNECT:
        return AdminResponse(200, (("allow", route.allow),))
    origin = request.headers.get("origin")
    if origin is None or origin == request.base_url:
        return AdminResponse(200)
    return AdminResponse(200, (("access-control-allow-origin", origin), *_PREFLIGHT))
