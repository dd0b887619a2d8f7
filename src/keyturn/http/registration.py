"""The edge of dynamic client registration: bytes in, bytes out; the work is done in a worker thread."""

from typing import Final

from anyio import CapacityLimiter, to_thread

from keyturn.admin.context import Environment
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.registration.api import RegistrationApi
from keyturn.http.admin import HEADERS, admin_request, certificate_of, send_answer
from keyturn.http.body import MAXIMUM_FORM, BodyTooLarge, Receive, Scope, Send, read_body
from keyturn.http.exchange import BAD_HOST, HTTPS_REQUIRED, TOO_LARGE, respond
from keyturn.http.origin import BadHost, ssl_required_violated
from keyturn.http.services import Services
from keyturn.model.realm import Realm

_AT_ONCE: Final = 8
"""Requests that are looked at at the same time: a policy asks for the caller's name, which the caller's own servers may
take their time to tell, and all else must not run out of threads meanwhile."""


class RegistrationService:
    """Serves ``clients-registrations`` of every realm. Imported and made for the first request to it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._threads = CapacityLimiter(_AT_ONCE)
        environment = Environment(
            services.store,
            services.registry,
            services.clock,
            random_id,
            random_secret,
            services.random,
            services.flush_events,
        )
        self._api = RegistrationApi(environment, services.events)

    async def handle(self, scope: Scope, receive: Receive, send: Send, realm: Realm) -> None:
        """One request. Raises Disconnected."""
        try:
            origin = self._services.forwarding.origin(scope)
            body = await read_body(receive, MAXIMUM_FORM)
        except BadHost:
            await respond(send, BAD_HOST)
            return
        except BodyTooLarge:
            await respond(send, TOO_LARGE)
            return
        if ssl_required_violated(origin, realm.ssl_required):
            await respond(send, HTTPS_REQUIRED)
            return
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            if name in HEADERS:
                headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        request = admin_request(scope, origin, headers, body, certificate_of(scope, self._services))
        response = await to_thread.run_sync(self._api.handle, request, realm, limiter=self._threads)
        await send_answer(send, scope["method"], response, sent_content="content-type" in headers)
