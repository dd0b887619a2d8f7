"""Executors about the addresses that a client names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from keyturn.model.client_policy import Occasion, PolicyEvent, PolicyRefused
from keyturn.oauth2.client_policies.client_settings import attribute, proposed_client
from keyturn.oauth2.client_policies.configuration import Configuration, configuration
from keyturn.representations import ClientRepresentation, Maybe, given, replace

_METADATA: Final = "invalid_client_metadata"
_ORIGIN: Final = re.compile(r"https?://[^/?#]*")
_SEVERAL: Final = frozenset({"request.uris", "post.logout.redirect.uris"})
_SINGLE: Final = {
    "jwksUri": "jwks.url",
    "requestUris": "request.uris",
    "backchannelLogoutUrl": "backchannel.logout.url",
    "postLogoutRedirectUris": "post.logout.redirect.uris",
    "cibaClientNotificationEndpoint": "ciba.backchannel.client.notification.endpoint",
    "logoUri": "logoUri",
    "policyUri": "policyUri",
    "tosUri": "tosUri",
    "sectorIdentifierUri": "sectorIdentifierUri",
    "saml_assertion_consumer_url_post": "saml_assertion_consumer_url_post",
    "saml_assertion_consumer_url_redirect": "saml_assertion_consumer_url_redirect",
    "saml_artifact_binding_url": "saml_artifact_binding_url",
    "saml_single_logout_service_url_post": "saml_single_logout_service_url_post",
    "saml_single_logout_service_url_artifact": "saml_single_logout_service_url_artifact",
    "saml_single_logout_service_url_redirect": "saml_single_logout_service_url_redirect",
    "saml_single_logout_service_url_soap": "saml_single_logout_service_url_soap",
    "saml_artifact_resolution_service_url": "saml_artifact_resolution_service_url",
    "saml.metadataDescriptorUrl": "saml.metadataDescriptorUrl",
}
"""Attributes that are addresses, by what executors call them."""
_FIELDS: Final = ("rootUrl", "adminUrl", "baseUrl", "redirectUris", "webOrigins", *_SINGLE)


def absolute(uris: Iterable[str], root_url: str, base_url: str) -> list[str]:
    """`uris`, those that are paths below the root URL or the server (Keycloak ``RedirectUtils``), the longest first."""
    root = root_url.replace("${authBaseUrl}", base_url).replace("${authAdminUrl}", base_url) or base_url
    found = {root + uri if uri.startswith("/") else uri for uri in uris}
    return sorted(found, key=lambda uri: (-len(uri), uri))


def listed(client: ClientRepresentation, name: str) -> list[str]:
    """An attribute that holds several addresses."""
    return (attribute(client, name) or "").split("##")


@dataclass(frozen=True, slots=True)
class SecureClientUris:
    """All addresses are https and without wildcards. Source: Keycloak ``SecureClientUrisExecutor``."""

    id: ClassVar = "secure-client-uris"

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor; its configuration must be an object. Raises InvalidConfiguration."""
        configuration(document, Configuration)
        return cls()

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None:
            return
        for name, uris in _named(client, occasion.base_url):
            if any(uri and (not uri.startswith("https://") or "*" in uri) for uri in uris):
                raise PolicyRefused(_METADATA, f"Invalid {name}")
        if occasion.event is PolicyEvent.REGISTER and client.root_url and not given(client.redirect_uris, []):
            occasion.proposed = replace(client, redirect_uris=[given(client.root_url, "")])


def _named(client: ClientRepresentation, base_url: str) -> Iterator[tuple[str, list[str]]]:
    redirects, root = given(client.redirect_uris, []), given(client.root_url, "")
    yield "rootUrl", [root]
    yield "adminUrl", [given(client.admin_url, "")]
    yield "baseUrl", [given(client.base_url, "")]
    yield "logoutUrl", [attribute(client, "backchannel.logout.url") or ""]
    yield "redirectUris", redirects
    yield "webOrigins", _resolved(given(client.web_origins, []), redirects, root, base_url, origins=True)
    yield "jwksUri", [attribute(client, "jwks.url") or ""]
    yield "requestUris", listed(client, "request.uris")
    yield "cibaClientNotificationEndpoint", [attribute(client, "ciba.backchannel.client.notification.endpoint") or ""]
    after = listed(client, "post.logout.redirect.uris")
    yield "postLogoutUris", _resolved(after, redirects, root, base_url, origins=False)
    for name in ("logoUri", "tosUri", "policyUri"):
        yield name, [attribute(client, name) or ""]


def _resolved(uris: list[str], redirects: list[str], root: str, base_url: str, *, origins: bool) -> list[str]:
    """``+`` stands for the redirect URIs, or their origins."""
    found = [uri for uri in uris if uri != "+"]
    if len(found) < len(uris):
        for uri in absolute(redirects, root, base_url):
            origin = _ORIGIN.match(uri)
            if origin is not None:
                found.append(origin[0] if origins else uri)
    return found


class _Patterns(Configuration):
    allowed_patterns: Maybe[list[str]] = None
    client_uri_fields: Maybe[list[str]] = None


@dataclass(frozen=True, slots=True)
class SecureClientUrisPattern:
    """All addresses match a pattern. Source: Keycloak ``SecureClientUrisPatternExecutor``."""

    id: ClassVar = "secure-client-uris-pattern"
    patterns: tuple[str, ...]
    fields: tuple[str, ...]

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration; fields that nobody knows are none. Raises InvalidConfiguration."""
        found = configuration(document, _Patterns)
        fields = given(found.client_uri_fields, []) or _FIELDS
        return cls(tuple(given(found.allowed_patterns, [])), tuple(name for name in fields if name in _FIELDS))

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None:
            return
        for name in self.fields:
            uris = _of_field(client, name)
            if uris and not any(map(occasion.is_pattern, self.patterns)):
                raise PolicyRefused(_METADATA, f"Invalid {name}: No valid allowed patterns configured")
            if not all(any(occasion.matches(pattern, uri) for pattern in self.patterns) for uri in uris if uri):
                raise PolicyRefused(_METADATA, f"Invalid {name}")


def _of_field(client: ClientRepresentation, name: str) -> list[str]:
    match name:
        case "rootUrl":
            values = [given(client.root_url, "")]
        case "adminUrl":
            values = [given(client.admin_url, "")]
        case "baseUrl":
            values = [given(client.base_url, "")]
        case "redirectUris":
            return given(client.redirect_uris, [])
        case "webOrigins":
            return given(client.web_origins, [])
        case _:
            own = _SINGLE[name]
            value = attribute(client, own) or ""
            values = value.split("##") if own in _SEVERAL else [value]
    return values if values != [""] else []
