from keyturn.representations import decode, encode
from keyturn.representations.server_info import Running, memory_info, system_info

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


def test_tells_the_running_server_as_keycloak_does() -> None:
    assert decode(encode(system_info(RUNNING)), dict) == {
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


def test_tells_its_memory_as_keycloak_does() -> None:
    assert decode(encode(memory_info(RUNNING)), dict) == {
        "total": 536870912,
        "totalFormated": "512 MB",
        "used": 127659704,
        "usedFormated": "121 MB",
        "free": 409211208,
        "freePercentage": 76,
        "freeFormated": "390 MB",
    }
