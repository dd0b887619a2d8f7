"""Everything of a realm but its token endpoint: keys, metadata, introspection, revocation, userinfo, logout."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import ReferenceType, ref

from anyio import to_thread

from keyturn.http import events
from keyturn.http.body import MAXIMUM_FORM, BodyTooLarge, Receive, Scope, Send, read_body
from keyturn.http.exchange import (
    BAD_HOST,
    HTTPS_REQUIRED,
    METHOD_NOT_ALLOWED,
    NO_REALM,
    TOO_LARGE,
    TURNS,
    request_of,
    respond,
    respond_from_outside,
)
from keyturn.http.headers import UNFRAMED_SECURITY
from keyturn.http.held import hold, moment
from keyturn.http.inquiries import Informed
from keyturn.http.origin import BadHost, ssl_required_violated
from keyturn.http.repeated import KINDS, Again, Kind
from keyturn.http.services import Services
from keyturn.model.realm import Realm
from keyturn.oauth2 import cors
from keyturn.oauth2.caching import cacheable
from keyturn.oauth2.certs import certs
from keyturn.oauth2.errors import OAuth2Error
from keyturn.oauth2.http_message import Request, Response, json_response
from keyturn.oauth2.introspection import introspect
from keyturn.oauth2.logout import logout
from keyturn.oauth2.metadata import openid_configuration, uma2_configuration
from keyturn.oauth2.public_realm import public_realm
from keyturn.oauth2.revocation import revoke
from keyturn.oauth2.spi import Answer, Asked, Clients, Facts, Miss, Pending, Rests
from keyturn.oauth2.trace import Trace
from keyturn.oauth2.userinfo import userinfo
from keyturn.registry.registry import RealmEntry
from keyturn.store.spi import Busy

if TYPE_CHECKING:
    from keyturn.http.registration import RegistrationService

Endpoint: TypeAlias = Callable[[Request, Realm, Clients, int, Facts | None], Answer | Pending]

_NO_TARGET: Final = json_response(404, {"error": "Unable to find matching target resource method"})
_NO_PROTOCOL: Final = json_response(404, {"error": "Protocol not found"})
_NOT_FOUND: Final = json_response(404, {"error": "HTTP 404 Not Found"})

_READ: Final = frozenset({"GET", "HEAD"})
_RFC_8414: Final = "/.well-known/oauth-authorization-server/realms/"
_PROTOCOL: Final = "/protocol/"
_REGISTRATION: Final = "/clients-registrations"
_WELL_KNOWN: Final = "/.well-known/"


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint below a realm.

    `preflight` is what ``OPTIONS`` allows pages to do; None where pages are not served, and `allow` is told instead.
    `event` is Keycloak's ``EventType``. `public`: any page may read the answer.
    """

    endpoint: Endpoint
    methods: frozenset[str]
    preflight: str | None
    allow: bytes = b""
    event: str | None = None
    public: bool = False
    needs_https: bool = True
    wrong_method: Response = METHOD_NOT_ALLOWED


def _document(make: Callable[[Realm, str], Response | Pending]) -> Endpoint:
    """The endpoint of a document that follows from the realm alone."""

    def endpoint(http: Request, realm: Realm, clients: Clients, now: int, facts: Facts | None) -> Answer | Pending:
        response = make(realm, http.base_url)
        return response if isinstance(response, Pending) else Answer(response, rests=Rests())

    return endpoint


def _cached(make: Callable[[Realm, Request], Response], *, tells_keys: bool = False) -> Endpoint:
    """As ``_document``, of one that may be cached where the realm says so; `tells_keys`: until these change."""

    def endpoint(http: Request, realm: Realm, clients: Clients, now: int, facts: Facts | None) -> Answer | Pending:
        response, max_age = make(realm, http), realm.strictness.max_age
        if max_age is None:
            return Answer(response, rests=Rests())
        return cacheable(response, http, max_age, realm.keys_change if tells_keys else None, now)

    return endpoint


def _openid_configuration(realm: Realm, http: Request) -> Response:
    return openid_configuration(realm, http.base_url, http.mtls_url)


def _uma2_configuration(realm: Realm, http: Request) -> Response:
    return uma2_configuration(realm, http.base_url, http.mtls_url)


def _nothing(http: Request, realm: Realm, clients: Clients, now: int, facts: Facts | None) -> Answer | Pending:
    """A token request has its own edge; what comes here is a preflight, or has a method that it does not know."""
    return Answer(_NOT_FOUND)


_well_known = partial(Route, methods=_READ, preflight="GET", public=True, wrong_method=_NOT_FOUND)

ROUTES: Final = {
    "": Route(_document(public_realm), _READ, "GET, HEAD, OPTIONS", public=True, needs_https=False),
    "/.well-known/openid-configuration": _well_known(_cached(_openid_configuration)),
    "/.well-known/oauth-authorization-server": _well_known(_cached(_openid_configuration)),
    "/.well-known/uma2-configuration": _well_known(_cached(_uma2_configuration)),
    "/protocol/openid-connect/certs": Route(
        _cached(lambda realm, _: certs(realm), tells_keys=True), _READ, "GET", public=True
    ),
    "/protocol/openid-connect/token": Route(_nothing, frozenset({"POST"}), "POST, OPTIONS"),
    "/protocol/openid-connect/token/introspect": Route(
        introspect, frozenset({"POST"}), None, b"HEAD, POST, OPTIONS", "INTROSPECT_TOKEN"
    ),
    "/protocol/openid-connect/revoke": Route(revoke, frozenset({"POST"}), "POST, OPTIONS", event="REVOKE_GRANT"),
    "/protocol/openid-connect/userinfo": Route(
        userinfo, _READ | {"POST"}, "GET, HEAD, OPTIONS", event="USER_INFO_REQUEST"
    ),
    "/protocol/openid-connect/logout": Route(logout, _READ | {"POST"}, "GET, HEAD, OPTIONS", event="LOGOUT"),
}


class RealmService:
    """Serves ``/realms/…``, and ``/.well-known/…`` in the form of RFC 8414 §3.1."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._registration: RegistrationService | None = None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises Disconnected."""
        path: str = scope["path"]
        name, below = _split(path)
        if not name:
            await respond_from_outside(send, _NO_TARGET)
            return
        entry = await self._entry(name)
        if entry is None:
            await respond(send, NO_REALM)
            return
        if below == _REGISTRATION or below.startswith(f"{_REGISTRATION}/"):
            await self._register(scope, receive, send, entry.realm)
            return
        route = ROUTES.get(below.removesuffix("/"))
        if route is None and scope["method"] == "OPTIONS" and below.startswith(_WELL_KNOWN):
            route = _well_known(_nothing)
        if route is None:
            await respond(send, _nowhere(below, scope["method"]))
            return
        try:
            origin = self._services.forwarding.origin(scope)
            body = await read_body(receive, MAXIMUM_FORM)
        except BadHost:
            await respond(send, BAD_HOST)
            return
        except BodyTooLarge:
            await respond(send, TOO_LARGE)
            return
        request = request_of(scope, origin, body, self._services.certificates)
        if request.method == "OPTIONS":
            await _respond_to_preflight(send, request, route)
        elif request.method not in route.methods:
            await respond(send, route.wrong_method)
        elif route.needs_https and ssl_required_violated(origin, entry.realm.ssl_required):
            await respond(send, HTTPS_REQUIRED)
        else:
            response = await self._answer(request, entry, route)
            await respond(send, response, sent_content=bool(request.content_type))

    async def _register(self, scope: Scope, receive: Receive, send: Send, realm: Realm) -> None:
        if self._registration is None:
            from keyturn.http.registration import RegistrationService  # most servers never need it

            self._registration = RegistrationService(self._services)
        await self._registration.handle(scope, receive, send, realm)

    def at_once(self, scope: Scope, name: str, below: str, body: bytes) -> tuple[Response, Again | None] | None:
        """The answer from memory alone; None where something must be waited for, and for refusals.

        With it comes how to answer the same bytes of the same sender again, where that is possible.
        """
        services, route = self._services, ROUTES[below]
        try:
            origin = services.forwarding.origin(scope)
            entry = services.registry.realm(name)
        except (BadHost, KeyError):
            return None
        if entry is None or (route.needs_https and ssl_required_violated(origin, entry.realm.ssl_required)):
            return None
        if body and entry.realm.throttle is not None:
            return None  # a failure is counted where it is looked at, and a refusal would be looked at twice
        request = request_of(scope, origin, body, self._services.certificates)
        if request.origin is not None or request.dpop is not None:
            return None
        try:
            answer = route.endpoint(request, entry.realm, entry, int(services.clock()), None)
        except (Asked, Miss, OAuth2Error):
            return None
        if isinstance(answer, Pending) or answer.effects:
            return None
        _record(self._services, request, entry, route, answer.trace)
        return answer.response, self._again(KINDS[below], request, entry, route, answer)

    def _again(self, kind: Kind, request: Request, entry: RealmEntry, route: Route, answer: Answer) -> Again | None:
        """How to answer `request` once more without looking at it (docs/adr/0011)."""
        rests = answer.rests
        if rests is None or (rests.clients and entry.realm.throttle is not None):
            return None  # whoever must wait may not get an answer before that
        bare = Request(request.base_url, request.address)  # without what proves who sent it
        repetition = _Repetition(kind, self._services, ref(entry), rests, bare, route, answer.trace, answer.response)
        return Again(repetition, entry, len(answer.response.body))

    async def _entry(self, name: str) -> RealmEntry | None:
        try:
            return self._services.registry.realm(name)
        except KeyError:
            return await to_thread.run_sync(self._services.registry.load_realm, name)

    async def _answer(self, request: Request, entry: RealmEntry, route: Route) -> Response:
        came = moment()
        try:
            answer = await self._decided(request, entry, route.endpoint)
        except cors.InvalidOrigin as error:
            return error.response
        except OAuth2Error as error:
            await hold(error, came)
            _record(self._services, request, entry, route, error.trace, error.log)
            document = error.document(entry.realm.strictness)
            response = json_response(error.http_status, document, error.headers)
        else:
            for effect in answer.effects:
                await to_thread.run_sync(self._services.facts.perform, entry.realm, effect)
            _record(self._services, request, entry, route, answer.trace)
            response = answer.response
        return replace(response, headers=(*response.headers, *_cors(request, route, response)))

    async def _decided(self, request: Request, entry: RealmEntry, endpoint: Endpoint) -> Answer:
        """The answer; whatever is missing is fetched, and the question put again. Raises OAuth2Error, InvalidOrigin."""
        services = self._services
        facts: Facts | None = None
        informed = Informed(entry)
        for _ in range(TURNS):
            informed = informed.within(entry)
            try:
                decided = endpoint(request, entry.realm, informed, int(services.clock()), facts)
            except Miss as miss:
                await to_thread.run_sync(services.registry.load_client, entry.realm.name, miss.client_id)
            except Asked as asked:
                informed = await services.inquiries.answer(asked, informed)
            else:
                if isinstance(decided, Answer):
                    return decided
                facts = await to_thread.run_sync(services.facts.resolve, entry.realm, decided.question)
            # What was loaded may have come with a change of the realm.
            entry = await self._entry(entry.realm.name) or entry
        raise Busy(f"realm {entry.realm.name} changes faster than a request can be answered")


@dataclass(frozen=True, slots=True)
class _Repetition:
    """Answers a request as it was answered before, and tells of it as an event anew."""

    kind: Kind
    services: Services
    entry: ReferenceType[RealmEntry]
    rests: Rests
    request: Request
    route: Route
    trace: Trace | None
    response: Response

    def __call__(self) -> Response | None:
        entry, services = self.entry(), self.services
        if entry is None or not services.registry.still_has(entry, self.rests, services.clock()):
            return None
        _record(services, self.request, entry, self.route, self.trace)
        return self.response


def _record(
    services: Services, request: Request, entry: RealmEntry, route: Route, trace: Trace | None, log: str = ""
) -> None:
    if route.event is not None and trace is not None:
        now = services.clock()
        services.events.record(events.told(route.event, entry.realm, request, trace, now, log))


def _split(path: str) -> tuple[str, str]:
    """The realm's name, and the path below it."""
    if path.startswith(_RFC_8414):
        return path.removeprefix(_RFC_8414).removesuffix("/"), "/.well-known/oauth-authorization-server"
    name, slash, below = path.removeprefix("/realms/").partition("/")
    return (name, slash + below) if path.startswith("/realms/") else ("", "")


def _nowhere(below: str, method: str) -> Response:
    """The answer to a path that leads nowhere; below an endpoint, the method is what Keycloak complains of first."""
    if not below.startswith(_PROTOCOL):
        return _NOT_FOUND
    protocol, _, endpoint = below.removeprefix(_PROTOCOL).partition("/")
    if protocol not in ("", "openid-connect"):
        return _NO_PROTOCOL
    above = ROUTES.get(f"{_PROTOCOL}openid-connect/{endpoint.rpartition('/')[0]}")
    if above is None or method in above.methods or method == "OPTIONS":
        return _NOT_FOUND
    return above.wrong_method


def _cors(request: Request, route: Route, response: Response) -> tuple[tuple[bytes, bytes], ...]:
    """What lets pages read the answer, unless the endpoint has said that itself, or serves no pages."""
    told = any(name == b"access-control-allow-origin" for name, _ in response.headers)
    if route.preflight is None or told:
        return ()
    return cors.headers(request, exposed=None if route.public else cors.EXPOSED)


async def _respond_to_preflight(send: Send, request: Request, route: Route) -> None:
    headers = ((b"allow", route.allow),) if route.preflight is None else cors.preflight(request, route.preflight)
    start = [*headers, *UNFRAMED_SECURITY, (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    await send({"type": "http.response.body", "body": b""})
