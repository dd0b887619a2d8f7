"""What is counted, and that callers cannot make it grow."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from harness.realm import make_realm
from keyturn.config import Settings
from keyturn.events.event import Event
from keyturn.events.recorder import Recorder
from keyturn.http.gauges import Watched, process
from keyturn.http.metric_families import FAMILIES
from keyturn.http.metrics import Metrics, Sinks, endpoint_of
from keyturn.http.protocol import Connections
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.tls import open_tls


def event(realm: str = "r", error: str | None = None) -> Event:
    return Event(
        type="CLIENT_LOGIN" if error is None else "CLIENT_LOGIN_ERROR",
        realm=realm,
        realm_id=realm,
        time=0,
        address="",
        error=error,
    )


def call(metrics: Metrics, path: str, status: int, method: str = "GET") -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status})
        await send({"type": "http.response.body", "body": b""})

    async def nothing(*_: Any) -> Any:
        return None

    asyncio.run(_awaited(metrics, app, {"path": path, "method": method}, nothing))


async def _awaited(metrics: Metrics, app: Any, scope: Any, nothing: Any) -> None:
    await metrics.watching(app)(scope, nothing, nothing)


def test_counts_requests_by_endpoint_method_and_status() -> None:
    metrics = Metrics()
    for _ in range(3):
        call(metrics, "/realms/r/protocol/openid-connect/certs", 200)
    call(metrics, "/admin/realms", 401)
    text = metrics.text().decode()
    assert 'keyturn_http_requests_total{endpoint="certs",method="GET",status="200"} 3\n' in text
    assert 'keyturn_http_requests_total{endpoint="admin",method="GET",status="401"} 1\n' in text


def test_times_requests_in_cumulative_buckets() -> None:
    moments = iter([0.0, 0.003, 0.0, 9.0])
    metrics = Metrics(clock=lambda: next(moments))
    call(metrics, "/admin/realms", 200)
    call(metrics, "/admin/realms", 200)
    text = metrics.text().decode()
    name = "keyturn_http_request_duration_seconds"
    assert f'{name}_bucket{{endpoint="admin",le="0.0025"}} 0\n' in text
    assert f'{name}_bucket{{endpoint="admin",le="0.005"}} 1\n' in text
    assert f'{name}_bucket{{endpoint="admin",le="5.0"}} 1\n' in text
    assert f'{name}_bucket{{endpoint="admin",le="+Inf"}} 2\n' in text
    assert f'{name}_sum{{endpoint="admin"}} 9.003\n' in text


def test_counts_events_by_type_realm_and_error() -> None:
    metrics = Metrics()
    sinks = Sinks(metrics, metrics)
    sinks.record(event())
    sinks.record(event(error="invalid_client"))
    text = metrics.text().decode()
    assert 'keyturn_events_total{type="CLIENT_LOGIN",realm="r",error=""} 2\n' in text
    assert 'keyturn_events_total{type="CLIENT_LOGIN_ERROR",realm="r",error="invalid_client"} 2\n' in text


def test_many_realms_do_not_fill_the_memory() -> None:
    metrics = Metrics()
    for number in range(3000):
        metrics.record(event(realm=f"r{number}"))
    text = metrics.text().decode()
    assert text.count("keyturn_events_total{") <= 1001
    assert 'keyturn_events_total{type="CLIENT_LOGIN",realm="other",error=""} 2000\n' in text


def test_random_methods_and_paths_make_no_series() -> None:
    metrics = Metrics()
    for number in range(50):
        call(metrics, f"/x{number}", 404, method=f"M{number}")
    assert 'keyturn_http_requests_total{endpoint="other",method="other",status="404"} 50\n' in metrics.text().decode()


def test_labels_are_escaped() -> None:
    metrics = Metrics()
    metrics.record(event(realm='a"\n\\b'))
    assert b'realm="a\\"\\n\\\\b"' in metrics.text()


def test_the_text_is_well_formed() -> None:
    metrics = Metrics(gauges=process)
    call(metrics, "/admin/realms", 200)
    metrics.record(event())
    sample = re.compile(r'[a-z_]+(\{([a-z]+="([^"\\\n]|\\.)*",?)*\})? [0-9.e+-]+')
    families = set()
    for line in metrics.text().decode().splitlines():
        if line.startswith("# TYPE "):
            families.add(line.split()[2])
        elif not line.startswith("#"):
            assert sample.fullmatch(line), line
            assert re.sub(r"_(bucket|sum|count)$", "", line.split("{")[0].split(" ")[0]) in families
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= families


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/realms/r/protocol/openid-connect/token", "token"),
        ("/realms/r/protocol/openid-connect/token/", "token"),
        ("/realms/r/protocol/openid-connect/token/introspect", "introspect"),
        ("/realms/r/protocol/openid-connect/nonsense", "protocol"),
        ("/realms/r/.well-known/openid-configuration", "realm"),
        ("/admin/realms", "admin"),
        ("/health/live", "health"),
        ("/", "other"),
    ],
)
def test_paths_lead_to_few_endpoints(path: str, endpoint: str) -> None:
    assert endpoint_of(path) == endpoint


def test_tokens_are_counted_by_grant_and_algorithm_and_failures_by_cause() -> None:
    metrics = Metrics()
    issued = Event(type="CLIENT_LOGIN", realm="r", realm_id="r", time=0, address="", algorithm="ES256")
    for each in (issued, replace(issued, realm="s"), event(error="invalid_client_credentials")):
        metrics.record(each)
    metrics.record(replace(issued, type="TOKEN_EXCHANGE", algorithm="RS256"))
    text = metrics.text().decode()
    assert 'keyturn_tokens_issued_total{grant="client_credentials",algorithm="ES256"} 2\n' in text
    assert 'keyturn_tokens_issued_total{grant="token-exchange",algorithm="RS256"} 1\n' in text
    cause = 'grant="client_credentials",cause="invalid_client_credentials"'
    assert f"keyturn_token_failures_total{{{cause}}} 1\n" in text


def test_every_family_is_declared_and_told(tmp_path: Path) -> None:
    realm = make_realm(tmp_path)
    realm.add_client(client_id="robot", secret="s", service_accounts_enabled=True)
    realm.registry.load_client(realm.name, "robot")
    tls = open_tls(Settings(), tmp_path, 1_800_000_000)
    watched = Watched(realm.registry, RepeatedRequests(bytes(32)), Connections(1000), tls)
    metrics = Metrics(Recorder(lambda _events, _uses: None), gauges=watched.gauges)
    realm.store.tell_times(metrics.count_store)
    realm.registry.load_client(realm.name, "nobody")
    text = metrics.text().decode()
    told = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    assert told == [(family.name, family.kind) for family in FAMILIES]
    assert 'keyturn_cache_entries{cache="clients"} 1\n' in text
    assert 'keyturn_cache_misses_total{cache="clients"} 2\n' in text
    assert 'keyturn_store_duration_seconds_count{operation="read"} 1\n' in text
    assert f"keyturn_tls_certificate_expiry_timestamp_seconds {tls.expires}\n" in text
    assert tls.expires > 1_800_000_000
    signing = re.findall(r'^keyturn_signing_key_created_timestamp_seconds\{algorithm="(.*)"\} \d+$', text, re.MULTILINE)
    assert signing == ["HS512", "RS256"]


def test_the_admin_api_is_counted_by_the_kind_of_thing() -> None:
    assert endpoint_of("/admin/realms/r/users/0b1e/role-mappings") == "admin/users"
    assert endpoint_of("/admin/realms/r/whatever-somebody-makes-up") == "admin"
    assert endpoint_of("/admin/realms/clients") == "admin"
