"""Generated requests to a realm's endpoints: no failure, no traceback, bounded time, and a sound store."""

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings

from fuzz.forms import FormRequest, form_requests
from fuzz.target import Loud, faults
from harness.deployment import Deployment
from harness.invariants import violations
from keyturn.admin.http_message import AdminResponse

pytestmark = pytest.mark.slow

_SLOWEST = 20.0
_TOKENS = ("access", "refresh", "id")


class Endpoints:
    """A server, and genuine tokens that are made anew before they have been hurt too often."""

    def __init__(self, directory: Path) -> None:
        self.server = Deployment.new(directory)
        for name in ("first", "second"):
            attributes = {"client_credentials.use_refresh_token": "true"}
            self.server.client(name, "s", directAccessGrantsEnabled=True, attributes=attributes)
        self.server.person("ada", "password")
        self._loop = asyncio.new_event_loop()
        self._asked = 0
        self._tokens: dict[str, str] = {}

    def close(self) -> None:
        """Closes the store and the loop."""
        self.server.close()
        self._loop.close()

    def ask(self, request: FormRequest) -> AdminResponse:
        """The answer, with genuine tokens where they are asked for."""
        if self._asked % 50 == 0:
            form = {"client_id": "first", "client_secret": "s", "scope": "openid"}
            answer = self.server.tokens(grant_type="client_credentials", **form)
            self._tokens = {f"@{name}": str(answer[f"{name}_token"]) for name in _TOKENS}
        self._asked += 1
        headers = [(name, self._with_tokens(value)) for name, value in request.headers]
        if all(name != b"host" for name, _ in headers):
            headers.append((b"host", b"keyturn.test"))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": "https",
            "path": unquote_to_bytes(request.path).decode(errors="replace"),
            "raw_path": request.path,
            "query_string": self._with_tokens(request.query),
            "headers": headers,
            "client": ("192.0.2.7", 40000),
        }
        return self._loop.run_until_complete(self._answer(scope, self._with_tokens(request.body)))

    def _with_tokens(self, content: bytes) -> bytes:
        for name, token in self._tokens.items():
            content = content.replace(name.encode(), token.encode())
        return content

    async def _answer(self, scope: dict[str, Any], body: bytes) -> AdminResponse:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.server.app(scope, receive, send)
        start, *rest = sent
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
        return AdminResponse(start["status"], headers, b"".join(message["body"] for message in rest))


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    made = Endpoints(tmp_path_factory.mktemp("forms"))
    yield made
    made.close()


def _hold(endpoints: Endpoints, request: FormRequest) -> None:
    log = Loud()
    logger = logging.getLogger("keyturn")
    logger.addHandler(log)
    try:
        begun = time.monotonic()
        response = endpoints.ask(request)
        taken = time.monotonic() - begun
    finally:
        logger.removeHandler(log)
    assert not list(faults(response)), response
    assert not log.records
    assert taken < _SLOWEST
    assert response.status != 501


def _settings(examples: int, *, again: bool) -> settings:
    """The same examples each time, or others."""
    return settings(
        max_examples=examples,
        derandomize=again,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@_settings(600, again=True)
@given(request=form_requests())
def test_no_request_to_a_realms_endpoints_fails(endpoints: Endpoints, request: FormRequest) -> None:
    _hold(endpoints, request)


@pytest.mark.full
@pytest.mark.timeout(900)
@_settings(25_000, again=False)
@given(request=form_requests())
def test_no_request_to_a_realms_endpoints_fails_at_length(endpoints: Endpoints, request: FormRequest) -> None:
    _hold(endpoints, request)


def test_the_store_is_sound_after_all_of_them(endpoints: Endpoints) -> None:
    assert violations(endpoints.server.store) == []
