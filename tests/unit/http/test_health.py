"""The health endpoints, as their ASGI application."""

import asyncio
import json
from typing import Any

import pytest

from keyturn.http.health import HealthService


class Gone(Exception):
    pass


def up() -> None:
    pass


def down() -> None:
    raise Gone("canary")


def ask(health: HealthService, path: str, method: str = "GET") -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(health.handle({"type": "http", "path": path, "method": method}, receive, send))
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live", "/health/started", "/health/live/"])
def test_is_up(path: str) -> None:
    status, body = ask(HealthService(up), path)
    assert (status, json.loads(body)["status"]) == (200, "UP")


@pytest.mark.parametrize(("path", "expected"), [("/health", 503), ("/health/ready", 503), ("/health/live", 200)])
def test_a_store_that_cannot_be_read_makes_it_unready_but_not_dead(path: str, expected: int) -> None:
    status, body = ask(HealthService(down), path)
    assert status == expected
    assert b"canary" not in body


def test_is_not_ready_any_more_once_it_is_told_to_stop() -> None:
    health = HealthService(up)
    health.drain()
    status, body = ask(health, "/health/ready")
    assert (status, json.loads(body)["checks"][-1]) == (503, {"name": "Graceful Shutdown", "status": "DOWN"})
    assert ask(health, "/health/live")[0] == 200


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/healthy", "GET", 404), ("/health/x", "GET", 404), ("/health", "PUT", 405)]
)
def test_knows_no_other_path_and_method(path: str, method: str, status: int) -> None:
    assert ask(HealthService(up), path, method) == (status, b"")
