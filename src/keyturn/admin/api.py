"""The admin API as one synchronous call: a request in, an answer out."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from keyturn.admin import admin_events, authentication
from keyturn.admin.administrator import Administrator
from keyturn.admin.answers import Content, Created, NoContent
from keyturn.admin.body import read_body
from keyturn.admin.context import Clock, Environment, RealmAdmin, RealmView, ServerView
from keyturn.admin.errors import (
    AdminError,
    Forbidden,
    HttpError,
    NoSuchService,
    NotFound,
    Unauthorized,
    unavailable,
    unknown_error,
)
from keyturn.admin.http_message import AdminRequest, AdminResponse
from keyturn.admin.media_types import accepted
from keyturn.admin.path import segments_of
from keyturn.admin.permissions import MASTER
from keyturn.admin.query import Query, convert
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.resource import JSON, Endpoint
from keyturn.admin.resources import RESOURCES
from keyturn.admin.routing import Route, Router
from keyturn.jose.jwt import VerifiedClaims
from keyturn.oauth2.inquiries import UseOnce
from keyturn.registry.registry import Registry
from keyturn.representations import encode
from keyturn.store.collections import REALMS
from keyturn.store.retrying import retried
from keyturn.store.spi import Reader, Store, StoreError, Transaction

__all__ = ["AdminApi"]

_JSON_UTF8: Final = "application/json;charset=UTF-8"
_SERVED: Final = {("realms",), ("serverinfo",)}
_NO_CACHE: Final = ("cache-control", "no-cache")
_PREFLIGHT: Final = (
    ("access-control-allow-methods", "DELETE, POST, GET, PUT"),
    ("access-control-allow-credentials", "true"),
    (
        "access-control-allow-headers",
        "Origin, Accept, Access-Control-Request-Method, X-Requested-With, Access-Control-Request-Headers, DPoP, "
        "Content-Type, Authorization",
    ),
    ("access-control-max-age", "3600"),
)
_EXPOSED: Final = "Location"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request whose token was verified and whose place is known."""

    request: AdminRequest
    claims: VerifiedClaims
    route: Route


class AdminApi:
    """Keycloak's admin REST API on a store."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        *,
        new_id: Callable[[], str] = random_id,
        new_secret: Callable[[], str] = random_secret,
        random: Callable[[int], bytes] = os.urandom,
        flush_events: Callable[[], None] = lambda: None,
    ) -> None:
        self._environment: Final = Environment(store, registry, clock, new_id, new_secret, random, flush_events)
        self.router: Final = Router(RESOURCES)

    def handle(self, request: AdminRequest) -> AdminResponse:
        """The answer to `request`; never raises. Synchronous: it reads and writes the store."""
        try:
            if request.method == "OPTIONS":
                return _preflight(request)
            return self._answer(request)
        except AdminError as error:
            return _failed(error)
        except StoreError as error:
            return _failed(unavailable(error))
        except Exception as error:  # the last resort: nothing of it reaches the wire
            return _failed(unknown_error(error, self._environment.new_id()))

    def _answer(self, request: AdminRequest) -> AdminResponse:
        segments = segments_of(request.path)
        if segments[1:2] not in _SERVED and segments[2:3] != ("console",):
            raise NoSuchService
        now = self._environment.clock()
        url = (request.mtls_url or request.base_url) + request.path
        headers, certificate = request.headers, request.certificate
        shown = authentication.Shown(
            headers.get("authorization"), headers.get("dpop"), request.method, url, certificate
        )
        credentials = authentication.verified(shown, request.base_url, self._environment.registry, now)
        if credentials.once is not None:
            self._use(credentials.once)
        call = _Call(request, credentials.claims, self.router.find(request.method, segments))
        if call.route.endpoint is not None and call.route.endpoint.after_events:
            self._environment.flush_events()
        return retried(lambda: self._call(call, segments))

    def _call(self, call: _Call, segments: Sequence[str]) -> AdminResponse:
        request = call.request
        with self._environment.store.read() as reader:
            context, values = self._located(call, reader)
            seen = reader.revision
            origin = _allowed_origin(request, context.administrator)
            endpoint = _endpoint(call.route)
            if endpoint.rights_first:
                self._check(endpoint, context)
            query, sent = _converted(endpoint, request)
            self._check(endpoint, context)
            body = sent if endpoint.prepare is None else endpoint.prepare(context, values, sent)
            if not endpoint.parameters.writes:
                result = endpoint.parameters.call(context, values, query, body)
                begun = admin_events.begin(endpoint.event, context, values, request.method, segments, sent)
        if endpoint.parameters.writes:
            with self._environment.store.write() as tx:
                context, values = self._located(call, tx)
                self._check(endpoint, context)
                if endpoint.prepare is not None and endpoint.merges and tx.revision != seen:
                    body = endpoint.prepare(context, values, sent)
                begun = admin_events.begin(endpoint.event, context, values, request.method, segments, sent)
                result = endpoint.parameters.call(_writing(context, tx), values, query, body)
                admin_events.finish(begun, tx, result)
        elif begun is not None:
            with self._environment.store.write() as tx:
                admin_events.finish(begun, tx, result)
        return _response(request, endpoint, result, origin)

    def _use(self, once: UseOnce) -> None:
        with self._environment.store.write(shared=True) as transaction:
            if not transaction.use_once(once.namespace, once.key, once.until):
                raise Unauthorized("its proof was shown before")

    def _located(self, call: _Call, reader: Reader) -> tuple[ServerView, dict[str, Any]]:
        """The context, and the values on the way to the endpoint, as they are in this view of the store."""
        request, route = call.request, call.route
        administrator = authentication.admit(reader, call.claims, request.base_url, self._environment.clock())
        master = reader.find(REALMS, None, realm=MASTER)
        if master is None:
            raise NotFound("Realm not found.")
        context = ServerView(
            environment=self._environment,
            reader=reader,
            administrator=administrator,
            master=master,
            base_url=request.base_url,
            address=request.address,
        )
        values: dict[str, Any] = dict(route.values)
        if "realm" in values:
            context = _in_realm(context, values["realm"])
        for name, locate in route.locators:
            values[name] = locate.call(context, values, None, None)
        return context, values

    def _check(self, endpoint: Endpoint, context: ServerView) -> None:
        if isinstance(context, RealmView):
            context.require(endpoint.needs)


def _in_realm(context: ServerView, name: str) -> RealmView:
    """The context in the realm of this name, if the token may count there (Keycloak ``RealmsAdminResource``)."""
    realm = context.reader.find(REALMS, None, realm=name)
    if realm is None:
        raise NotFound("Realm not found.")
    if context.administrator.realm_id not in {context.master.id, realm.id}:
        raise Forbidden
    return RealmView(
        environment=context.environment,
        reader=context.reader,
        administrator=context.administrator,
        master=context.master,
        base_url=context.base_url,
        address=context.address,
        realm=realm,
        rights=context.rights_in(realm),
    )


def _writing(context: ServerView, tx: Transaction) -> RealmAdmin:
    assert isinstance(context, RealmView)
    return RealmAdmin(
        environment=context.environment,
        reader=tx,
        administrator=context.administrator,
        master=context.master,
        base_url=context.base_url,
        address=context.address,
        realm=context.realm,
        rights=context.rights,
        tx=tx,
    )


def _endpoint(route: Route) -> Endpoint:
    if route.endpoint is None:
        raise route.refusal or NotFound()
    return route.endpoint


def _converted(endpoint: Endpoint, request: AdminRequest) -> tuple[Query | None, Any]:
    """Query and body; both are refused before any right is looked at."""
    if endpoint.produces is not None and not accepted(endpoint.produces, request.headers.get("accept")):
        raise HttpError(406)
    body = read_body(endpoint, request)
    query = endpoint.parameters.query
    return (None if query is None else convert(query[1], request.query)), body


def _allowed_origin(request: AdminRequest, administrator: Administrator) -> str | None:
    """The other web origin that the call comes from. Raises Forbidden where the token's client does not allow it."""
    origin = request.headers.get("origin")
    if origin is None or origin == request.base_url:
        return None
    if not {"*", origin} & administrator.web_origins:
        raise Forbidden("Invalid origin")
    return origin


def _preflight(request: AdminRequest) -> AdminResponse:
    """Any origin may ask; whether it may call is decided at the call (Keycloak ``AdminCorsPreflightService``)."""
    origin = request.headers.get("origin")
    if origin is None:
        return AdminResponse(200)
    return AdminResponse(200, (("access-control-allow-origin", origin), *_PREFLIGHT))


def _failed(error: AdminError) -> AdminResponse:
    return AdminResponse(error.status, (("content-type", JSON),), encode(error.document), error.secured)


def _response(request: AdminRequest, endpoint: Endpoint, result: Any, origin: str | None) -> AdminResponse:
    headers = [_NO_CACHE] if endpoint.no_cache else []
    if origin is not None:
        headers += [
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", _EXPOSED),
        ]
    match result:
        case NoContent(media_type):
            if media_type is not None:
                headers.append(("content-type", media_type))
            return AdminResponse(204, tuple(headers))
        case Content(body, media_type):
            return AdminResponse(200, (*headers, ("content-type", media_type)), body)
        case Created(identifier, under, document):
            path = request.path.rstrip("/") if under is None else under
            headers.append(("location", f"{request.base_url}{path}/{quote(identifier, safe=_UNQUOTED)}"))
            if document is None:
                return AdminResponse(201, tuple(headers))
            return AdminResponse(201, (*headers, ("content-type", endpoint.produces or _JSON_UTF8)), encode(document))
        case _:
            return AdminResponse(200, (*headers, ("content-type", _JSON_UTF8)), encode(result))


_UNQUOTED: Final = "!$&'()*+,;=:@"
"""Characters of a path segment that stand for themselves (RFC 3986 §3.3), beside the unreserved ones."""
