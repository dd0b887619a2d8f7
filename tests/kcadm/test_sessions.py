"""The session file: what it holds, who may read it, and what happens when a token ends."""

import json
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from kcadm.answering_server import AnsweringServer
from kcadm.conftest import Kcadm

LOG_IN = ("--realm", "m", "--user", "u", "--password", "p")
TOKEN_PATH = "/realms/m/protocol/openid-connect/token"


def _log_in(kcadm: Kcadm, server: AnsweringServer) -> None:
    assert kcadm("config", "credentials", "--server", server.url, *LOG_IN).status == 0
    server.taken()


def _config(home: Path) -> Path:
    return home / ".keycloak" / "kcadm.config"


def _session(home: Path, server: AnsweringServer) -> dict[str, Any]:
    session: dict[str, Any] = json.loads(_config(home).read_text())["endpoints"][server.url]["m"]
    return session


def _store_session(home: Path, server: AnsweringServer, **session: object) -> None:
    document = {"serverUrl": server.url, "realm": "m", "endpoints": {server.url: {"m": session}}}
    _config(home).parent.mkdir()
    _config(home).write_text(json.dumps(document))


def test_keeps_a_session_as_keycloaks_own_cli_does(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    before = time.time_ns() // 1_000_000
    _log_in(kcadm, server)
    session = _session(home, server)
    assert list(session) == [
        "clientId",
        "token",
        "refreshToken",
        "grantTypeForAuthentication",
        "expiresAt",
        "refreshExpiresAt",
    ]
    assert session["grantTypeForAuthentication"] == "password"
    assert 60_000 <= session["expiresAt"] - before < 90_000
    assert session["refreshExpiresAt"] - session["expiresAt"] == 1_740_000


def test_keeps_the_file_and_its_folder_from_others(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    before = os.umask(0o022)
    try:
        _log_in(kcadm, server)
    finally:
        os.umask(before)
    assert stat.S_IMODE(_config(home).stat().st_mode) == 0o600
    assert stat.S_IMODE(_config(home).parent.stat().st_mode) == 0o700


def test_takes_a_file_that_others_could_read_from_them(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    _config(home).parent.mkdir()
    _config(home).touch(mode=0o644)
    _log_in(kcadm, server)
    assert stat.S_IMODE(_config(home).stat().st_mode) == 0o600


def test_keeps_sessions_of_other_servers_and_realms(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    _log_in(kcadm, server)
    kcadm("config", "credentials", "--server", f"{server.url}/", "--realm", "n", "--client", "c", "--secret", "s")
    endpoints = json.loads(_config(home).read_text())["endpoints"]
    assert {url: list(realms) for url, realms in endpoints.items()} == {server.url: ["m"], f"{server.url}/": ["n"]}


def test_renews_a_token_that_ends_within_five_seconds(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    now = time.time_ns() // 1_000_000
    _store_session(
        home,
        server,
        clientId="c",
        token="OLD",
        refreshToken="R",
        secret="s",
        grantTypeForAuthentication="password",
        expiresAt=now + 4000,
        refreshExpiresAt=now + 60_000,
    )
    assert kcadm("get", "x").status == 0
    renewal, request = server.taken()
    assert renewal == [
        f"POST {TOKEN_PATH}",
        "content-type: application/x-www-form-urlencoded",
        "accept: application/json",
        "authorization: Basic Yzpz",
        "grant_type=refresh_token&refresh_token=R&client_id=c",
    ]
    assert "authorization: Bearer AT" in request
    assert _session(home, server)["token"] == "AT"


def test_uses_a_token_that_is_good_for_longer(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    now = time.time_ns() // 1_000_000
    _store_session(home, server, token="OLD", refreshToken="R", expiresAt=now + 30_000, refreshExpiresAt=now + 60_000)
    kcadm("get", "x")
    assert [request[2] for request in server.taken()] == ["authorization: Bearer OLD"]


def test_renews_a_service_accounts_session_with_its_secret(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    _store_session(
        home,
        server,
        clientId="c",
        token="OLD",
        secret="s",
        grantTypeForAuthentication="client_credentials",
        expiresAt=1,
    )
    assert kcadm("get", "x").status == 0
    assert server.taken()[0][3:] == ["authorization: Basic Yzpz", "grant_type=client_credentials&client_id=c"]


@pytest.mark.parametrize(
    "session",
    [
        {"refreshToken": "R", "expiresAt": 1, "refreshExpiresAt": 1},
        {"refreshToken": "R", "expiresAt": 1, "refreshExpiresAt": 2**62, "signingToken": "S", "sigExpiresAt": 1},
    ],
    ids=["refresh token", "client assertion"],
)
def test_asks_to_log_in_again_once_a_session_has_ended(
    session: dict[str, Any], kcadm: Kcadm, server: AnsweringServer, home: Path
) -> None:
    _store_session(home, server, token="T", **session)
    printed = kcadm("get", "x")
    assert (printed.status, printed.err) == (
        1,
        "Session has expired. Login again with 'kcadm.sh config credentials'\n",
    )
    assert server.taken() == []


def test_says_why_a_token_was_not_renewed(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    _store_session(home, server, token="T", refreshToken="R", expiresAt=1, refreshExpiresAt=2**62)
    server.prepared = {TOKEN_PATH: [400, "application/json", {"error": "e", "error_description": "d"}]}
    assert kcadm("get", "x").err == "Failed to refresh access token - d [e]\n"


def test_a_log_in_for_one_command_leaves_the_file_as_it_was(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    _log_in(kcadm, server)
    before = _config(home).read_bytes()
    printed = kcadm("get", "x", "--client", "d", "--secret", "s", "--realm", "n")
    assert printed.err == f"Logging into {server.url} as service-account-d of realm n\n\n"
    assert _config(home).read_bytes() == before


def test_without_a_config_file_nothing_is_written(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    assert kcadm("get", "x", "--no-config", "--server", server.url, *LOG_IN).status == 0
    assert not _config(home).exists()


def test_tells_whether_somebody_is_logged_in(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    assert kcadm("config", "credentials", "--status").out == "You are not logged in\n"
    _log_in(kcadm, server)
    told = kcadm("config", "credentials", "--status").out
    assert told.startswith(f"Logged in (server: {server.url}, realm: m, expired: false, timeToExpiry: ")


def test_finds_its_file_where_java_would(
    kcadm: Kcadm, server: AnsweringServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KC_OPTS", f"-Dx=y -Duser.home={home}/elsewhere -Xmx1g")
    _log_in(kcadm, server)
    assert (home / "elsewhere" / ".keycloak" / "kcadm.config").is_file()


@pytest.mark.parametrize(
    "content",
    ["garbage", "[]", '{"zz": 1}', '{"endpoints": {"u": {"m": {"expiresAt": "soon"}}}}', '{"endpoints": {"u": []}}'],
)
def test_leaves_a_file_that_it_cannot_read_alone(
    content: str, kcadm: Kcadm, server: AnsweringServer, home: Path
) -> None:
    path = home / "broken.config"
    path.write_text(content)
    for command in (("get", "x"), ("config", "credentials", "--server", server.url, *LOG_IN)):
        printed = kcadm(*command, "--config", str(path))
        assert (printed.status, printed.err.splitlines()[-1]) == (1, f"Failed to load {path}")
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("variable", "arguments", "sent"),
    [
        ("KC_CLI_PASSWORD", ("--user", "u"), "grant_type=password&username=u&password=from+env&client_id=admin-cli"),
        ("KC_CLI_CLIENT_SECRET", ("--client", "c"), "grant_type=client_credentials"),
    ],
)
def test_takes_secrets_from_the_environment(
    variable: str,
    arguments: tuple[str, ...],
    sent: str,
    kcadm: Kcadm,
    server: AnsweringServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, "from env")
    assert kcadm("config", "credentials", "--server", server.url, "--realm", "m", *arguments).status == 0
    assert server.taken()[0][-1] == sent


def test_a_password_is_in_no_message(kcadm: Kcadm, server: AnsweringServer, home: Path) -> None:
    server.prepared = {"/admin/realms/m/users/u/reset-password": [500, "text/plain", "no"]}
    common = ("set-password", "--userid", "u", "-p", "canary-7f3a", "--token", "t", "--realm", "m", "-x")
    refused = kcadm(*common, "--server", server.url)
    unreachable = kcadm(*common, "--server", "http://127.0.0.1:1")
    assert (refused.status, unreachable.status) == (1, 1)
    assert "HTTP request failed: PUT http://127.0.0.1:1/admin/realms/m/users/u/reset-password\n" in unreachable.err
    assert "canary-7f3a" not in refused.err + unreachable.err


def test_a_redirect_to_another_host_does_not_get_the_token(kcadm: Kcadm, server: AnsweringServer) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    given = ("--server", server.url, "--token", "t", "--realm", "m")
    assert kcadm("get", "x", "-q", "st=302", "-q", f"loc={server.url}/here", *given).status == 0
    assert kcadm("get", "x", "-q", "st=302", "-q", f"loc={elsewhere}/there", *given).status == 0
    told = {request[0].partition("?")[0]: "authorization: Bearer t" in request for request in server.taken()}
    assert told == {"GET /admin/realms/m/x": True, "GET /here": True, "GET /there": False}


def test_a_header_cannot_begin_another_one(kcadm: Kcadm, server: AnsweringServer) -> None:
    given = ("--server", server.url, "--token", "t", "--realm", "m")
    assert kcadm("get", "x", "-h", "Accept=a\r\nAuthorization: Bearer other", *given).status == 0
    assert server.taken()[0][1:3] == ["accept: a  Authorization: Bearer other", "authorization: Bearer t"]


def test_one_connection_serves_all_requests_of_a_command(
    kcadm: Kcadm, server: AnsweringServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    connect = socket.create_connection

    def counted(address: tuple[str, int], *more: Any, **named: Any) -> socket.socket:
        opened.append(address)
        return connect(address, *more, **named)

    monkeypatch.setattr(socket, "create_connection", counted)
    kcadm("update", "x", "-s", "a=1", "-q", "st=200", "--server", server.url, *LOG_IN)
    assert len(server.taken()) == 3
    assert len(opened) == 1
