"""What a realm tells of its events, and of attacks on its users."""

from typing import Any

import pytest

from admin_server import Server


def _config(server: Server) -> dict[str, Any]:
    body: dict[str, Any] = server.call("GET", "/demo/events/config").body
    return body


def test_the_configuration_is_stored_with_the_realm(server: Server) -> None:
    assert len(_config(server)["enabledEventTypes"]) > 100
    change = {"eventsEnabled": True, "eventsExpiration": 60, "enabledEventTypes": ["LOGIN"], "adminEventsEnabled": True}
    assert server.call("PUT", "/demo/events/config", change).status == 204
    assert _config(server) == {**change, "eventsListeners": ["jboss-logging"], "adminEventsDetailsEnabled": False}
    assert server.call("GET", "/demo").body["enabledEventTypes"] == ["LOGIN"]


def test_what_a_change_of_the_configuration_does_not_name(server: Server) -> None:
    server.call(
        "PUT", "/demo/events/config", {"eventsEnabled": True, "eventsExpiration": 60, "adminEventsEnabled": True}
    )
    assert server.call("PUT", "/demo/events/config", {}).status == 204
    config = _config(server)
    assert (config["eventsEnabled"], config["adminEventsEnabled"]) == (False, True)
    assert "eventsExpiration" not in config


@pytest.mark.parametrize(
    ("path", "query", "status", "body"),
    [
        ("events", "", 200, []),
        ("events", "dateFrom=2020-01-01&dateTo=1600000000000&direction=asc", 200, []),
        (
            "events",
            "dateFrom=2020-13-01",
            400,
            {"error": "Invalid value for 'dateFrom', expected format is yyyy-MM-dd or an Epoch timestamp"},
        ),
        (
            "admin-events",
            "direction=up",
            400,
            {"error": "Invalid value for sortDirection, expected value is asc or desc"},
        ),
    ],
)
def test_reads_what_is_looked_for(server: Server, path: str, query: str, status: int, body: Any) -> None:
    answer = server.call("GET", f"/demo/{path}", query=query)
    assert (answer.status, answer.body) == (status, body)


def test_refuses_listeners_that_are_not_there(server: Server) -> None:
    answer = server.call("PUT", "/demo/events/config", {"eventsListeners": ["nope"]})
    assert (answer.status, answer.body) == (400, {"error": "Unknown event listener"})


def test_nothing_is_known_of_failed_logins_at_first(server: Server) -> None:
    status = server.call("GET", "/demo/attack-detection/brute-force/users/anybody").body
    assert (status["numFailures"], status["disabled"], status["lastIPFailure"]) == (0, False, "n/a")
    assert server.call("DELETE", "/demo/attack-detection/brute-force/users").status == 204
