"""The policy ``trusted-hosts``, with a network that is as the test says."""

import pytest

from keyturn.admin.errors import InvalidRequest
from keyturn.admin.registration.trusted_hosts import Names, check_host, check_urls
from keyturn.representations import ClientRepresentation

NAMES = Names(
    _addresses={"ci.example.com": ("198.51.100.7", "198.51.100.8"), "198.51.100.9": ("198.51.100.9",), "gone": ()},
    _names={
        "198.51.100.7": "ci.example.com",
        "198.51.100.8": "ci.example.com",
        "198.51.100.9": None,
        "192.0.2.1": "elsewhere.org",
        "192.0.2.2": "evilexample.com",
    },
)


@pytest.mark.parametrize(
    ("trusted", "address", "is_trusted"),
    [
        (["ci.example.com"], "198.51.100.7", True),
        (["ci.example.com"], "198.51.100.8", True),
        (["gone", "198.51.100.9"], "198.51.100.9", True),
        (["*.example.com"], "198.51.100.7", True),
        (["*.example.com"], "192.0.2.1", False),
        (["*.example.com"], "192.0.2.2", False),
        (["ci.example.com"], "192.0.2.1", False),
        ([], "198.51.100.7", False),
    ],
)
def test_a_caller_is_trusted_by_address_or_name(trusted: list[str], address: str, is_trusted: bool) -> None:
    assert (check_host({"trusted-hosts": trusted}, address, NAMES) is None) is is_trusted


def test_nobody_is_asked_for_names_where_the_host_need_not_match() -> None:
    config = {"host-sending-registration-request-must-match": ["false"]}
    assert check_host(config, "203.0.113.1", Names()) is None


@pytest.mark.parametrize(
    ("client", "refusal"),
    [
        (ClientRepresentation(redirect_uris=["https://a.example.com/cb", "https://example.com:8443/*"]), None),
        (ClientRepresentation(redirect_uris=["https://user@a.example.com/cb"]), None),
        (ClientRepresentation(redirect_uris=["https://a.example.com@elsewhere.org/"]), "URI doesn't match"),
        (ClientRepresentation(redirect_uris=["https://evilexample.com/"]), "URI doesn't match"),
        (ClientRepresentation(root_url="https://a.example.com", redirect_uris=["/cb"], base_url="/b"), None),
        (ClientRepresentation(root_url="https://elsewhere.org", redirect_uris=["/cb"]), "URL doesn't match"),
        (ClientRepresentation(base_url="nonsense"), "URL is malformed"),
        (ClientRepresentation(admin_url="https://elsewhere.org"), "URL doesn't match"),
    ],
)
def test_every_url_of_a_client_is_looked_at(client: ClientRepresentation, refusal: str | None) -> None:
    found = check_urls({"trusted-hosts": ["*.example.com"]}, client)
    assert found is None if refusal is None else (found or "").startswith(refusal)


@pytest.mark.parametrize("uri", ["*", "custom:/cb", "https://*.example.com/cb"])
def test_a_redirect_uri_without_a_host_is_refused(uri: str) -> None:
    with pytest.raises(InvalidRequest):
        check_urls({"trusted-hosts": ["*.example.com"]}, ClientRepresentation(redirect_uris=[uri]))
