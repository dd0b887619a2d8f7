"""The token endpoint's edge: bytes in, bytes out, and all that blocks in a worker thread.

``client_credentials`` with a secret takes none of the slow turns: it awaits nothing once its body has arrived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final
from weakref import ReferenceType, ref

from anyio import CapacityLimiter, to_thread

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
)
from keyturn.http.held import hold, moment
from keyturn.http.inquiries import Informed
from keyturn.http.origin import BadHost, ssl_required_violated
from keyturn.http.repeated import KINDS, TOKEN, Again
from keyturn.http.services import Services
from keyturn.jose.jwk import PrivateKey
from keyturn.model.client import Client
from keyturn.oauth2 import cors
from keyturn.oauth2 import form as forms
from keyturn.oauth2.access_token import Prepared, Unsigned
from keyturn.oauth2.client_authentication.client_secret import ClientSecret
from keyturn.oauth2.errors import MalformedRequest, OAuth2Error, UnsupportedGrantType
from keyturn.oauth2.grants.client_credentials import ClientCredentials
from keyturn.oauth2.http_message import NO_STORE, Request, Response, json_response
from keyturn.oauth2.identifiers import new_id
from keyturn.oauth2.spi import Asked, CheckPassword, Facts, Miss, Overtaken, Pending, Refused
from keyturn.oauth2.token_endpoint import Decision, TokenEndpoint
from keyturn.registry.registry import RealmEntry
from keyturn.store.spi import Busy

_INVALID_ORIGIN: Final = replace(cors.INVALID_ORIGIN, headers=(*NO_STORE, *cors.INVALID_ORIGIN.headers))
_HTTPS_REQUIRED: Final = replace(HTTPS_REQUIRED, headers=(*NO_STORE, *HTTPS_REQUIRED.headers))

_ASSERTION: Final = b"client_assertion"

_PASSWORDS_AT_ONCE: Final = 4
"""Passwords that are hashed at the same time: whoever guesses many must not take all worker threads and cores."""


class TokenService:
    """Serves the token endpoint of every realm. `gathers` is ``TokenEndpoint``'s."""

    def __init__(self, services: Services, gathers: Callable[[PrivateKey], bool] | None = None) -> None:
        self._services = services
        self._endpoint = TokenEndpoint(services.clock, services.random, gathers)
        self._passwords = CapacityLimiter(_PASSWORDS_AT_ONCE)

    async def handle(self, scope: Scope, receive: Receive, send: Send, realm_name: str) -> None:
        """One request. Raises Disconnected."""
        if scope["method"] != "POST":
            await respond(send, METHOD_NOT_ALLOWED)
            return
        try:
            body = await read_body(receive, MAXIMUM_FORM)
        except BodyTooLarge:
            await respond(send, TOO_LARGE)
            return
        answered = self.at_once(scope, realm_name, body)
        if answered is None:
            await respond(send, await self._in_turns(scope, realm_name, body))
            return
        answer, _ = answered
        await respond(send, answer.sign() if isinstance(answer, Unsigned) else answer)

    def at_once(self, scope: Scope, realm_name: str, body: bytes) -> tuple[Response | Unsigned, Again | None] | None:
        """The answer to a POST with this `body`, from memory alone; None where something must be waited for.

        It lacks a signature where that costs less when it is made together with others. With it comes how to answer the
        same bytes of the same sender again, where that is possible.
        """
        if _ASSERTION in body:
            return None  # it must be written down before it counts: reading it here would be for nothing
        services = self._services
        try:
            origin = services.forwarding.origin(scope)
            entry = services.registry.realm(realm_name)
        except BadHost:
            return BAD_HOST, None
        except KeyError:
            return None
        if entry is None:
            return NO_REALM, None
        if ssl_required_violated(origin, entry.realm.ssl_required):
            return _HTTPS_REQUIRED, None
        request = request_of(scope, origin, body, services.certificates)
        if request.dpop is not None:
            return None  # a proof that is shown for the first time is written down
        try:
            decision = self._endpoint.decide(request, entry.realm, entry)
            if isinstance(decision, Pending) or decision.effects:
                return None
            response = self._endpoint.begin(decision)
        except (Asked, Miss, Refused):
            return None
        except cors.InvalidOrigin:
            return _INVALID_ORIGIN, None
        except OAuth2Error as error:
            return self._failed(request, entry, error), None
        if isinstance(response, Pending):
            return None
        self._issued(request, decision)
        if request.origin is None:
            return response, self._again(request, entry, decision)
        return _readable(request, response.sign() if isinstance(response, Unsigned) else response), None

    def _again(self, request: Request, entry: RealmEntry, decision: Decision) -> Again | None:
        """How to answer `request` once more without looking at it; None where its answer rests on more than its bytes.

        What it rests on is the realm and the client as they are compiled, which never change: whatever is written drops
        them from the registry. Only secrets end by themselves.
        """
        client, authorization = decision.client, decision.authorization
        if decision.grant_type != ClientCredentials.grant_type or client.authenticator != ClientSecret.authenticator:
            return None
        if authorization.session is not None or authorization.scopes.openid or decision.binding is not None:
            return None
        details = events.details(decision) if events.is_kept(decision) else None
        again = _Repetition(
            self._services,
            ref(entry),
            client,
            self._endpoint.prepared(decision),
            authorization.token_id_prefix,
            request.address,
            details,
            decision.credential,
            client.secrets_until(decision.now),
        )
        return Again(again, entry)

    async def _in_turns(self, scope: Scope, realm_name: str, body: bytes) -> Response:
        """The answer, with whatever must be looked up or written on the way done in worker threads."""
        came = moment()
        try:
            entry = self._services.registry.realm(realm_name)
        except KeyError:
            entry = await to_thread.run_sync(self._services.registry.load_realm, realm_name)
        if entry is None:
            return NO_REALM
        try:
            origin = self._services.forwarding.origin(scope)
        except BadHost:
            return BAD_HOST
        if ssl_required_violated(origin, entry.realm.ssl_required):
            return _HTTPS_REQUIRED
        request = request_of(scope, origin, body, self._services.certificates)
        try:
            return _readable(request, await self._decided(request, entry))
        except cors.InvalidOrigin:
            return _INVALID_ORIGIN
        except Refused as refused:
            for effect in refused.effects:
                await to_thread.run_sync(self._services.facts.perform, entry.realm, effect)
            return self._failed(request, entry, refused.error)
        except OAuth2Error as error:
            await hold(error, came)
            return self._failed(request, entry, error)

    async def _decided(self, request: Request, entry: RealmEntry) -> Response:
        """The answer; whatever is missing is fetched, and the question put again. Raises OAuth2Error, Refused."""
        services = self._services
        facts: Facts | None = None
        informed = Informed(entry)
        form = forms.parse(request.content_type, request.body)
        for _ in range(TURNS):
            informed = informed.within(entry)
            try:
                decision = self._endpoint.decide(request, entry.realm, informed, facts, form)
            except Miss as miss:
                await to_thread.run_sync(services.registry.load_client, entry.realm.name, miss.client_id)
                entry = await self._now(entry)
                continue
            except Asked as asked:
                informed = await services.inquiries.answer(asked, informed)
                entry = await self._now(entry)
                continue
            if isinstance(decision, Pending):
                limiter = self._passwords if isinstance(decision.question, CheckPassword) else None
                facts = await to_thread.run_sync(
                    services.facts.resolve, entry.realm, decision.question, limiter=limiter
                )
                entry = await self._now(entry)
                continue
            response = self._endpoint.mint(decision)
            if isinstance(response, Pending):
                await to_thread.run_sync(services.facts.resolve, entry.realm, response.question)
                entry = await self._now(entry)
                continue
            # What the tokens rest on is written before they leave.
            try:
                for effect in decision.effects:
                    await to_thread.run_sync(services.facts.perform, entry.realm, effect)
            except Overtaken:
                facts = None
                continue
            self._issued(request, decision)
            binding = decision.binding
            if binding is None or binding.nonce is None:
                return response
            return replace(response, headers=(*response.headers, (b"dpop-nonce", binding.nonce.encode())))
        raise Busy(f"realm {entry.realm.name} changes faster than a request can be answered")

    async def _now(self, entry: RealmEntry) -> RealmEntry:
        """The realm as it is now: what was loaded may have come with a change."""
        name = entry.realm.name
        try:
            return self._services.registry.realm(name) or entry
        except KeyError:
            return await to_thread.run_sync(self._services.registry.load_realm, name) or entry

    def _issued(self, request: Request, decision: Decision) -> None:
        self._services.events.record(events.issued(decision, request, self._services.clock()))

    def _failed(self, request: Request, entry: RealmEntry, error: OAuth2Error) -> Response:
        now = self._services.clock()
        self._services.events.record(events.refused(entry.realm, request, error.trace, now, error.log))
        document = error.document(entry.realm.strictness)
        response = json_response(error.http_status, document, (*NO_STORE, *error.headers))
        early = isinstance(error, MalformedRequest | UnsupportedGrantType)
        return response if early else _readable(request, response)


@dataclass(frozen=True, slots=True)
class _Repetition:
    """Answers a client's request for a token for itself once more. There are thousands: it keeps little."""

    kind: ClassVar = KINDS[TOKEN]

    services: Services
    entry: ReferenceType[RealmEntry]
    client: Client
    prepared: Prepared
    token_id_prefix: str
    address: str
    details: Mapping[str, str] | None
    """Of the event, where it is kept."""
    credential: str
    until: float
    """When the first of the client's secrets ends, in epoch seconds."""

    def __call__(self) -> Response | Unsigned | None:
        services, client, address = self.services, self.client, self.address
        now, entry = services.clock(), self.entry()
        if entry is None or not services.registry.still_holds(entry, client) or now >= self.until:
            return None
        realm = entry.realm
        if realm.throttle is not None and entry.failures.wait(realm.id, client.client_id, address, int(now)):
            return None
        token_id = self.token_id_prefix + new_id(services.random)
        answer = self.prepared.answer(int(now), token_id)
        told = events.issued_again(realm, client, address, self.details, token_id, now, self.credential)
        services.events.record(told)
        return answer


def _readable(request: Request, response: Response) -> Response:
    """`response` with what lets the asking page read it."""
    more = cors.headers(request)
    return replace(response, headers=(*response.headers, *more)) if more else response
