"""What a client gets beside what everyone gets, where its protocol is named when it is made.

Imports do not: they bring their clients as they are. Source: Keycloak ``OIDCLoginProtocolFactory.setupClientDefaults``,
``SamlProtocolFactory.setupClientDefaults``; asked of Keycloak.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from keyturn.representations import UNSET, given, present, replace
from keyturn.representations.client import ClientRepresentation

__all__ = ["with_defaults_of_protocol"]

_LOGOUT: Final[Mapping[str, str]] = MappingProxyType(
    {"backchannel.logout.session.required": "true", "backchannel.logout.revoke.offline.tokens": "false"}
)
_SAML: Final[Mapping[str, str]] = MappingProxyType(
    {
        "saml.authnstatement": "true",
        "saml.server.signature": "true",
        "saml.signature.algorithm": "RSA_SHA256",
        "saml.client.signature": "true",
        "saml_signature_canonicalization_method": "http://www.w3.org/2001/10/xml-exc-c14n#",
        "saml.force.post.binding": "true",
        "saml_name_id_format": "username",
        "saml_force_name_id_format": "false",
        "saml.allow.ecp.flow": "false",
    }
)


def with_defaults_of_protocol(client: ClientRepresentation, posted: ClientRepresentation) -> ClientRepresentation:
    """`client`, which was made of `posted`, with what the protocol that `posted` names gives it."""
    if posted.protocol == "openid-connect":
        return _with_origins(_openid_connect(client, posted), posted)
    if posted.protocol == "saml":
        return _saml(client, posted)
    return client


def _openid_connect(client: ClientRepresentation, posted: ClientRepresentation) -> ClientRepresentation:
    public = given(posted.public_client, True)
    return replace(
        client,
        public_client=public,
        secret=UNSET if public else client.secret,
        direct_access_grants_enabled=given(posted.direct_access_grants_enabled, given(posted.direct_grants_only, True)),
        attributes={**_LOGOUT, **given(client.attributes, {})},
    )


def _with_origins(client: ClientRepresentation, posted: ClientRepresentation) -> ClientRepresentation:
    """Where a root is given, what stands below it and nowhere else."""
    if not present(posted.root_url):
        return client
    root = given(posted.root_url, "")
    client = replace(client, admin_url=given(posted.admin_url, root))
    if given(posted.redirect_uris, []):
        return client
    below = f"{root}*" if root.endswith("/") else f"{root}/*"
    parts = urlsplit(below)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else below
    return replace(client, redirect_uris=[below], web_origins=[origin])


def _saml(client: ClientRepresentation, posted: ClientRepresentation) -> ClientRepresentation:
    identifier = b64encode(hashlib.sha1(given(client.client_id, "").encode(), usedforsecurity=False).digest())
    usual = {**_SAML, "saml.artifact.binding.identifier": identifier.decode()}
    return replace(
        client,
        frontchannel_logout=given(posted.frontchannel_logout, True),
        attributes={**usual, **given(client.attributes, {})},
    )
