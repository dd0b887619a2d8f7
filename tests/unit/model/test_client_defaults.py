"""What a client gets where its protocol is named as it is made (Keycloak ``OIDCLoginProtocolFactory``)."""

from typing import Any

import pytest

from keyturn.model.client_defaults import with_defaults_of_protocol
from keyturn.model.new_documents import new_client
from keyturn.representations import UNSET
from keyturn.representations.client import ClientRepresentation


def made(**posted: Any) -> ClientRepresentation:
    document = ClientRepresentation(client_id="c21", **posted)
    client = new_client(document, new_id=lambda: "id", new_secret=lambda: "secret", now=1)
    return with_defaults_of_protocol(client, document)


def oidc(**posted: Any) -> ClientRepresentation:
    return made(protocol="openid-connect", **posted)


def test_a_client_that_names_its_protocol_is_public_unless_it_says_otherwise() -> None:
    client = oidc()
    assert (client.public_client, client.secret, client.direct_access_grants_enabled) == (True, UNSET, True)
    assert client.attributes == {
        "backchannel.logout.session.required": "true",
        "backchannel.logout.revoke.offline.tokens": "false",
        "realm_client": "false",
        "client.secret.creation.time": "1",
    }
    confidential = oidc(public_client=False, direct_access_grants_enabled=False)
    assert (confidential.secret, confidential.direct_access_grants_enabled) == ("secret", False)


def test_a_client_that_names_none_is_confidential() -> None:
    client = made(root_url="https://r")
    assert (client.public_client, client.secret, client.direct_access_grants_enabled) == (False, "secret", False)
    assert (client.redirect_uris, client.admin_url) == ([], UNSET)


@pytest.mark.parametrize(
    ("posted", "direct", "standard"),
    [({"direct_grants_only": True}, True, False), ({"direct_grants_only": False}, False, True)],
    ids=["only", "not only"],
)
def test_an_old_setting_of_direct_grants_counts(posted: dict[str, bool], direct: bool, standard: bool) -> None:
    client = oidc(**posted)
    assert (client.direct_access_grants_enabled, client.standard_flow_enabled) == (direct, standard)


@pytest.mark.parametrize(
    ("posted", "redirect_uris", "web_origins", "admin_url"),
    [
        ({"root_url": "https://r"}, ["https://r/*"], ["https://r"], "https://r"),
        ({"root_url": "https://r/a/"}, ["https://r/a/*"], ["https://r"], "https://r/a/"),
        ({"root_url": "https://r:1", "redirect_uris": ["/x"]}, ["/x"], [], "https://r:1"),
        ({"root_url": "https://r", "web_origins": ["https://w"]}, ["https://r/*"], ["https://r"], "https://r"),
        ({"root_url": "https://r", "admin_url": "https://m"}, ["https://r/*"], ["https://r"], "https://m"),
        ({"root_url": ""}, ["/*"], ["/*"], ""),
        ({}, [], [], UNSET),
    ],
    ids=["root", "root with a slash", "redirect URIs", "web origins", "admin URL", "empty root", "none"],
)
def test_a_root_url_stands_for_what_is_below_it(
    posted: Any, redirect_uris: list[str], web_origins: list[str], admin_url: Any
) -> None:
    client = oidc(**posted)
    assert (client.redirect_uris, client.web_origins, client.admin_url) == (redirect_uris, web_origins, admin_url)


def test_a_saml_client_gets_the_attributes_of_its_protocol() -> None:
    client = made(protocol="saml", attributes={"saml.client.signature": "false"})
    assert isinstance(client.attributes, dict)
    assert client.attributes["saml.client.signature"] == "false"
    assert client.attributes["saml.signature.algorithm"] == "RSA_SHA256"
    assert client.attributes["saml.artifact.binding.identifier"] == "COo/LjxlGf/o3/v4PCqTs2yq9lw="
    assert (client.frontchannel_logout, client.public_client) == (True, False)
