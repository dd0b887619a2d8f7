"""Keys and metadata that may be cached, in a realm that says for how long (RFC 9111, RFC 9110 §13.1.2)."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.connection import Port
from harness.realm import NOW, RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from keyturn.model.key_rotation import OVERLAP, PERIOD
from keyturn.model.strictness import MAX_AGE, STRICT
from keyturn.registry.key_rotation import rotate_keys
from keyturn.representations import RealmRepresentation

CERTS = "/protocol/openid-connect/certs"
DISCOVERY = "/.well-known/openid-configuration"
RFC_8414 = "//.well-known/oauth-authorization-server/realms/machines"
DOCUMENTS = (CERTS, DISCOVERY, RFC_8414, "/.well-known/oauth-authorization-server", "/.well-known/uma2-configuration")


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmUnderTest]:
    made = make_realm(tmp_path_factory.mktemp("cached"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def server(realm: RealmUnderTest) -> RealmServer:
    return RealmServer(realm)


def set_attributes(realm: RealmUnderTest, **attributes: str) -> None:
    def change(document: RealmRepresentation) -> None:
        document.attributes = attributes

    realm.change_realm(change)


def get(server: RealmServer, path: str, **headers: str) -> httpx.Response:
    return server.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("path", DOCUMENTS)
def test_other_realms_answer_as_keycloak_does(server: RealmServer, path: str) -> None:
    set_attributes(server.realm)
    answer = get(server, path, If_None_Match="*")
    assert answer.status_code == 200
    assert "etag" not in answer.headers
    expected = "no-cache" if path == CERTS else "no-cache, must-revalidate, no-transform, no-store"
    assert answer.headers["cache-control"] == expected


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_copy_counts_for_a_while_and_is_renewed_for_little(server: RealmServer, path: str) -> None:
    set_attributes(server.realm, **{MAX_AGE: "600"})
    first = get(server, path)
    assert (first.status_code, first.headers["cache-control"]) == (200, "public, max-age=600")
    tag = first.headers["etag"]
    for shown in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = get(server, path, If_None_Match=shown)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert "content-length" not in again.headers
    for shown in ('"other"', tag.strip('"'), tag[:-2] + '"', ""):
        assert get(server, path, If_None_Match=shown).content == first.content


def test_metadata_of_rfc_8414_says_what_discovery_says(server: RealmServer) -> None:
    """RFC 8414 §3.1: the well-known part stands before the issuer's path."""
    assert get(server, RFC_8414).json() == get(server, DISCOVERY).json()
    assert get(server, RFC_8414).json()["issuer"] == server.issuer


def test_a_strict_realm_has_its_keys_cached_for_five_minutes(server: RealmServer) -> None:
    set_attributes(server.realm, **{STRICT: "true"})
    assert get(server, CERTS).headers["cache-control"] == "public, max-age=300"
    set_attributes(server.realm, **{STRICT: "true", MAX_AGE: "0"})
    answer = get(server, CERTS)
    assert answer.headers["cache-control"] == "no-cache"
    assert get(server, CERTS, If_None_Match=answer.headers["etag"]).status_code == 304


def test_pages_of_any_origin_read_a_copy_that_is_for_them(server: RealmServer) -> None:
    set_attributes(server.realm, **{MAX_AGE: "600"})
    answer = get(server, CERTS, Origin="https://page.example")
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    assert answer.headers["vary"] == "Origin"
    assert get(server, CERTS).headers["vary"] == "Origin"


@pytest.mark.sqlite
def test_no_copy_reaches_beyond_the_change_of_a_key(tmp_path: Path) -> None:
    """From long before a key is announced until it signs, no answer promises more than the time that is left."""
    realm = make_realm(tmp_path, attributes={MAX_AGE: "600", PERIOD: "8000", OVERLAP: "2000"})
    server = RealmServer(realm)
    rotate_keys(realm.store, NOW, os.urandom)

    def promised(second: int) -> int:
        realm.clock.now = NOW + second
        told = get(server, CERTS).headers["cache-control"]
        return 0 if told == "no-cache" else int(told.removeprefix("public, max-age="))

    assert promised(0) == promised(5399) == 600
    shrinking = [promised(second) for second in range(5400, 6000, 20)]
    assert shrinking == sorted(shrinking, reverse=True)
    assert all(0 <= seconds <= 600 - 20 * number for number, seconds in enumerate(shrinking))
    assert shrinking[-1] == promised(6000) == 0
    before = get(server, CERTS).headers["etag"]
    rotate_keys(realm.store, NOW + 6000, os.urandom)
    assert get(server, CERTS, If_None_Match=before).status_code == 200
    assert promised(6000) == 600
    assert promised(7990) < 10
    realm.store.close()


@pytest.mark.sqlite
def test_what_is_answered_again_promises_no_more_than_the_first_time(tmp_path: Path) -> None:
    """Requests that came before are not looked at again; the time that is left shrinks all the same."""
    realm = make_realm(tmp_path, attributes={MAX_AGE: "600", PERIOD: "8000", OVERLAP: "2000"})
    rotate_keys(realm.store, NOW, os.urandom)
    port = Port(realm)
    connection = port.connect()
    request = f"GET /realms/{realm.name}{CERTS} HTTP/1.1\r\nhost: keyturn.test\r\n\r\n".encode()
    connection.exchange(request)
    for second in (0, 5399, 5400, 5480, 5700, 5990, 6001):
        realm.clock.now = NOW + second
        head = connection.receive(request).partition(b"\r\n\r\n")[0].decode()
        told = head.partition("cache-control: ")[2].partition("\r\n")[0]
        seconds = 0 if told == "no-cache" else int(told.removeprefix("public, max-age="))
        assert seconds <= max(6000 - second, 0)
        assert seconds > 6000 - second - 150 or seconds == 600
    port.close()
    realm.store.close()


def test_nothing_follows_a_304_on_the_wire(server: RealmServer) -> None:
    set_attributes(server.realm, **{MAX_AGE: "600"})
    port = Port(server.realm)
    connection = port.connect()
    tag = get(server, CERTS).headers["etag"]
    path = f"/realms/machines{CERTS}"
    request = f"GET {path} HTTP/1.1\r\nhost: keyturn.test:8443\r\nif-none-match: {tag}\r\n\r\n".encode()
    connection.exchange(request)
    answers = [connection.receive(request) for _ in range(2)]
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 304 Not Modified\r\n")
        assert answer.endswith(b"\r\n\r\n")
        assert answer.count(b"\r\n\r\n") == 1
        assert b"content-length" not in answer
    assert ("certs", 304) in port.counted
    port.close()
