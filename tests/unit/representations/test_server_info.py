import json
from typing import Any

import pytest

from keyturn.representations import decode
from keyturn.representations.server_info import Detail, Running, server_info

RUNNING = Running(
    now=1_795_508_214.9,
    started=1_795_506_740.034,
    processors=2,
    memory_total=536_870_912,
    memory_used=127_659_704,
    os_name="Linux",
    os_architecture="amd64",
    os_version="6.18",
)


def info(detail: Detail = "all") -> dict[str, Any]:
    return decode(server_info(RUNNING, detail=detail), dict[str, Any])


def test_tells_the_running_server_as_keycloak_does() -> None:
    found = info()
    assert list(found)[:4] == ["systemInfo", "cpuInfo", "memoryInfo", "profileInfo"]
    assert found["systemInfo"] == {
        "version": "26.7.3",
        "serverTime": "Tue Nov 24 08:16:54 UTC 2026",
        "uptime": "0 days, 0 hours, 24 minutes, 34 seconds",
        "uptimeMillis": 1474866,
        "osName": "Linux",
        "osArchitecture": "amd64",
        "osVersion": "6.18",
        "fileEncoding": "UTF-8",
        "userTimezone": "UTC",
        "userLocale": "en",
    }
    assert found["cpuInfo"] == {"processorCount": 2}
    assert found["memoryInfo"] == {
        "total": 536870912,
        "totalFormated": "512 MB",
        "used": 127659704,
        "usedFormated": "121 MB",
        "free": 409211208,
        "freePercentage": 76,
        "freeFormated": "390 MB",
    }


@pytest.mark.parametrize(("detail", "expected"), [("none", None), ("version", {"version": "26.7.3"})])
def test_tells_others_than_the_administrator_less(detail: Detail, expected: Any) -> None:
    found = info(detail)
    assert found.get("systemInfo") == expected
    assert not {"cpuInfo", "memoryInfo"} & found.keys()
    assert set(info()) - set(found) <= {"systemInfo", "cpuInfo", "memoryInfo"}


def test_tells_what_tools_ask_for() -> None:
    found = info()
    assert found["profileInfo"]["name"] == "default"
    assert "org.keycloak.keys.KeyProvider" in found["componentTypes"]
    mappers = {mapper["id"] for mapper in found["protocolMapperTypes"]["openid-connect"]}
    assert {"oidc-audience-mapper", "oidc-usermodel-realm-role-mapper"} <= mappers
    assert any(mapper["name"] == "username" for mapper in found["builtinProtocolMappers"]["openid-connect"])
    assert found["cryptoInfo"]["clientSignatureAsymmetricAlgorithms"]


def test_tells_nothing_about_the_machine_it_was_taken_from() -> None:
    assert "operationalInfo" not in json.dumps(info())
