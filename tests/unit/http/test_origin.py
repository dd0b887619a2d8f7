"""The origin of a request. Every expectation was seen on Keycloak 26.7.3 unless its test's name says otherwise."""

import tracemalloc
from ipaddress import ip_network
from typing import Any

import pytest

from keyturn.http.origin import BadHost, Forwarding, InvalidHostname, MutualTls, ssl_required_violated


def scope(*headers: str, scheme: str = "http", peer: str = "127.0.0.1") -> dict[str, Any]:
    pairs = [header.split(": ", 1) for header in headers]
    return {
        "type": "http",
        "scheme": scheme,
        "client": (peer, 50000),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
    }


@pytest.mark.parametrize(
    ("scheme", "host", "base_url"),
    [
        ("http", "keycloak:8443", "http://keycloak:8443"),
        ("https", "keycloak:8443", "https://keycloak:8443"),
        ("https", "KeyCloak", "https://KeyCloak"),
        ("https", "KeyCloak:443", "https://KeyCloak"),
        ("https", "KeyCloak:80", "https://KeyCloak:80"),
        ("http", "KeyCloak:443", "http://KeyCloak:443"),
        ("http", "a:80", "http://a"),
        ("http", "a:08080", "http://a:8080"),
        ("http", "[::1]:8080", "http://[::1]:8080"),
        ("http", "a_b", "http://a_b"),
        ("http", "1.2.3.4", "http://1.2.3.4"),
    ],
)
def test_the_base_url_follows_the_host_header(scheme: str, host: str, base_url: str) -> None:
    origin = Forwarding().origin(scope(f"Host: {host}", scheme=scheme))
    assert (origin.base_url, origin.secure) == (base_url, scheme == "https")


@pytest.mark.parametrize(
    "host",
    ["a b", "a/b", 'a"b', "a:b", "a:99999", "user@a", "a?b", "a#b", "[::1", "::1", "a<script>", "\xe9", "a\\b", "a^b"],
)
def test_refuses_a_host_header_that_is_no_host_and_port(host: str) -> None:
    with pytest.raises(BadHost):
        Forwarding().origin(scope(f"Host: {host}"))


@pytest.mark.parametrize("host", ["", "a%20b", "a:0", "[:::]", "a" * 256, "a\r\nX: y", "a\n"])
def test_refuses_hosts_that_keycloak_writes_into_a_broken_issuer(host: str) -> None:
    with pytest.raises(BadHost):
        Forwarding().origin(scope(f"Host: {host}"))


def test_refuses_a_missing_and_a_repeated_host_header() -> None:
    with pytest.raises(BadHost):
        Forwarding().origin(scope())
    with pytest.raises(BadHost):
        Forwarding().origin(scope("Host: a", "Host: b"))


def test_ignores_proxy_headers_unless_they_are_switched_on() -> None:
    headers = ("Host: a", "X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "X-Forwarded-For: 8.8.8.8")
    origin = Forwarding().origin(scope(*headers, "Forwarded: host=evil;proto=https"))
    assert (origin.base_url, origin.address) == ("http://a", "127.0.0.1")


@pytest.mark.parametrize(
    ("headers", "base_url"),
    [
        ([], "http://a:8080"),
        (["X-Forwarded-Proto: https"], "https://a"),
        (["X-Forwarded-Proto: https, http"], "https://a"),
        (["X-Forwarded-Proto: http", "X-Forwarded-Proto: https"], "http://a"),
        (["X-Forwarded-Ssl: on"], "https://a"),
        (["X-Forwarded-Host: b"], "http://b"),
        (["X-Forwarded-Host: b, c"], "http://b"),
        (["X-Forwarded-Host: b:99"], "http://b:99"),
        (["X-Forwarded-Host: [::1]:8"], "http://[::1]:8"),
        (["X-Forwarded-Port: 99"], "http://a:99"),
        (["X-Forwarded-Port: xx"], "http://a:8080"),
        (["X-Forwarded-Port: 99, 98"], "http://a:99"),
        (["X-Forwarded-Port: 443", "X-Forwarded-Proto: https"], "https://a"),
        (["X-Forwarded-Proto: https", "X-Forwarded-Host: b:77", "X-Forwarded-Port: 88"], "https://b:88"),
        (["X-Forwarded-Prefix: /kc"], "http://a:8080/kc"),
        (["Forwarded: host=z;proto=https"], "http://a:8080"),
    ],
)
def test_x_forwarded_headers(headers: list[str], base_url: str) -> None:
    assert Forwarding("xforwarded").origin(scope("Host: a:8080", *headers)).base_url == base_url


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-Host: b c",
        "X-Forwarded-Host: b/c",
        'X-Forwarded-Host: "b"',
        "X-Forwarded-Proto: ftp",
        "X-Forwarded-Port: 99999",
        "X-Forwarded-Prefix: /a?b",
        "X-Forwarded-Prefix: /a/../b",
    ],
)
def test_refuses_proxy_headers_that_would_write_into_the_issuer_unlike_keycloak(header: str) -> None:
    with pytest.raises(BadHost):
        Forwarding("xforwarded").origin(scope("Host: a:8080", header))


@pytest.mark.parametrize(
    ("header", "base_url"),
    [
        ("host=b", "http://b"),
        ("proto=https", "https://a"),
        ('host="b:88";proto=https', "https://b:88"),
        ("Host=b;Proto=https", "https://b"),
        ("proto=https,proto=http", "https://a"),
        ("host=b, host=c", "http://b"),
        ("for=1.2.3.4;host=b;proto=https", "https://b"),
        ('proto=https;host="b:443"', "https://b"),
        ("for=1.2.3.4;proto=https, for=5.6.7.8;host=zz", "https://zz"),
        ("garbage", "http://a:8080"),
        ("host=", "http://a:8080"),
    ],
)
def test_forwarded_header(header: str, base_url: str) -> None:
    assert Forwarding("forwarded").origin(scope("Host: a:8080", f"Forwarded: {header}")).base_url == base_url


def test_the_clients_address_is_the_first_of_the_chain() -> None:
    x_forwarded = scope("Host: a", "X-Forwarded-For: 10.1.2.3, 8.8.8.8")
    assert Forwarding("xforwarded").origin(x_forwarded).address == "10.1.2.3"
    forwarded = scope("Host: a", 'Forwarded: for="[fd00::1]:5", for=8.8.8.8')
    assert Forwarding("forwarded").origin(forwarded).address == "fd00::1"
    assert Forwarding("xforwarded").origin(scope("Host: a", "X-Forwarded-For: ")).address == "127.0.0.1"


def test_a_client_cannot_write_its_own_address_in_front_of_what_trusted_proxies_append() -> None:
    forwarding = Forwarding("xforwarded", [ip_network("10.0.0.0/8")])
    headers = ("Host: a", "X-Forwarded-For: 127.0.0.1, 8.8.8.8", "X-Forwarded-For: 10.0.0.2")
    assert forwarding.origin(scope(*headers, peer="10.0.0.1")).address == "8.8.8.8"


def test_ignores_the_proxy_headers_of_an_untrusted_peer() -> None:
    forwarding = Forwarding("xforwarded", [ip_network("10.0.0.1")])
    headers = ("Host: a", "X-Forwarded-Host: b", "X-Forwarded-For: 8.8.8.8")
    assert forwarding.origin(scope(*headers, peer="10.0.0.1")).base_url == "http://b"
    stranger = forwarding.origin(scope(*headers, peer="10.0.0.2"))
    assert (stranger.base_url, stranger.address) == ("http://a", "10.0.0.2")


def test_a_host_name_pins_the_host_and_leaves_scheme_and_port_to_the_request() -> None:
    forwarding = Forwarding("xforwarded", hostname="My.Keycloak.org")
    assert forwarding.origin(scope("Host: a:8080")).base_url == "http://My.Keycloak.org:8080"
    assert forwarding.origin(scope("Host: a")).base_url == "http://My.Keycloak.org"
    proxied = scope("Host: a:8080", "X-Forwarded-Proto: https", "X-Forwarded-Port: 8443")
    assert forwarding.origin(proxied).base_url == "https://My.Keycloak.org:8443"


def test_a_full_url_pins_everything_and_makes_every_request_secure() -> None:
    forwarding = Forwarding("xforwarded", hostname="https://My.keycloak.org:123/auth/")
    for headers in ((), ("Host: a b",), ("Host: a", "X-Forwarded-Prefix: /x", "X-Forwarded-For: 8.8.8.8")):
        origin = forwarding.origin(scope(*headers))
        assert origin.base_url == "https://My.keycloak.org:123/auth"
        assert not ssl_required_violated(origin, "external")


@pytest.mark.parametrize(
    "hostname",
    [
        "my.org:8080",
        "my.org/auth",
        "?my.org",
        "ldap://my.org",
        "https://my.org?x",
        "https://my.org#x",
        "https://u@my.org",
        "",
    ],
)
def test_refuses_a_hostname_that_is_neither_name_nor_url(hostname: str) -> None:
    with pytest.raises(InvalidHostname):
        Forwarding(hostname=hostname)


@pytest.mark.parametrize(
    ("address", "external"),
    [
        *((private, False) for private in ("10.1.2.3", "172.16.0.1", "192.168.3.4", "127.9.9.9", "169.254.1.1")),
        *((private, False) for private in ("::1", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "fd12::1", "fec0::1")),
        *((public, True) for public in ("8.8.8.8", "172.32.0.1", "100.64.0.1", "0.0.0.0", "::ffff:8.8.8.8")),
        *((public, True) for public in ("2001:db8::1", "ff02::1", "224.0.0.1", "localhost", "unknown", "_hidden")),
    ],
)
def test_ssl_required_external_lets_private_addresses_use_plain_http(address: str, external: bool) -> None:
    plain = Forwarding().origin(scope("Host: a", peer=address))
    assert ssl_required_violated(plain, "external") is external
    assert ssl_required_violated(plain, "EXTERNAL") is external
    assert ssl_required_violated(plain, "all")
    assert not ssl_required_violated(plain, "none")
    over_tls = Forwarding().origin(scope("Host: a", scheme="https", peer=address))
    assert not ssl_required_violated(over_tls, "all")


def test_many_random_hosts_do_not_fill_the_memory() -> None:
    forwarding = Forwarding()
    for number in range(5000):
        forwarding.origin(scope(f"Host: h{number}"))
    assert len(forwarding._cache) <= 1024


def test_hosts_that_are_not_looked_at_do_not_fill_the_memory() -> None:
    forwarding = Forwarding(hostname="https://sso.example.org")
    tracemalloc.start()
    try:
        for number in range(100):
            assert forwarding.origin(scope(f"Host: {number}-{'x' * 60_000}")).base_url == "https://sso.example.org"
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 1_000_000


def test_a_port_for_certificates_has_the_issuer_of_the_other() -> None:
    forwarding = Forwarding(mutual_tls=MutualTls(8444, 8443))
    for host in ("sso.example.org:8444", "sso.example.org:8443"):
        origin = forwarding.origin(scope(f"Host: {host}", scheme="https"))
        assert (origin.base_url, origin.mtls_url) == ("https://sso.example.org:8443", "https://sso.example.org:8444")
    elsewhere = Forwarding(mutual_tls=MutualTls(8444, 443, "https://mtls.example.org/"))
    origin = elsewhere.origin(scope("Host: sso.example.org:8444", scheme="https"))
    assert (origin.base_url, origin.mtls_url) == ("https://sso.example.org", "https://mtls.example.org")
    pinned = Forwarding(hostname="https://sso.example.org/auth", mutual_tls=MutualTls(8444, 8443))
    origin = pinned.origin(scope("Host: a", scheme="https"))
    assert (origin.base_url, origin.mtls_url) == ("https://sso.example.org/auth", "https://sso.example.org:8444/auth")
    assert Forwarding(mutual_tls=MutualTls()).origin(scope("Host: a", scheme="https")).mtls_url == "https://a"
    assert Forwarding().origin(scope("Host: a")).mtls_url is None
    with pytest.raises(InvalidHostname):
        Forwarding(mutual_tls=MutualTls(8444, 8443, "mtls.example.org"))


def test_the_port_for_certificates_in_the_host_makes_no_plain_request_a_secure_one() -> None:
    forwarding = Forwarding("xforwarded", mutual_tls=MutualTls(8444, 8443))
    for origin in (
        Forwarding(mutual_tls=MutualTls(8444, 8443)).origin(scope("Host: sso.example.org:8444")),
        forwarding.origin(scope("Host: a", "X-Forwarded-Proto: http", "X-Forwarded-Port: 8444")),
    ):
        assert not origin.secure
        assert ssl_required_violated(origin, "all")
