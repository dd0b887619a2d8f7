"""The executor about redirect URIs: which of the kinds of OAuth 2.1 (§2.3, RFC 8252 §7) a client may have."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, ClassVar, Final, Self
from urllib.parse import SplitResult, urlsplit

from keyturn.model.client_policy import Occasion, PolicyRefused
from keyturn.oauth2.client_policies.client_settings import attribute, proposed_client
from keyturn.oauth2.client_policies.client_uris import absolute
from keyturn.oauth2.client_policies.configuration import Configuration, configuration
from keyturn.representations import Maybe, given

_INVALID: Final = "Invalid Redirect Uri: invalid uri"
_LOOPBACK: Final = "Invalid Redirect Uri: invalid loopback address"
_PRIVATE: Final = "Invalid Redirect Uri: invalid private use scheme"
_NOT_IN_URI: Final = re.compile(r"[\x00-\x20\x7f-\xa0\"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]")


class RedirectRules(Configuration):
    """What the executor is configured with."""

    allow_private_use_uri_scheme: Maybe[bool] = False
    allow_ipv4_loopback_address: Maybe[bool] = False
    allow_ipv6_loopback_address: Maybe[bool] = False
    allow_http_scheme: Maybe[bool] = False
    allow_wildcard_context_path: Maybe[bool] = False
    allow_permitted_domains: Maybe[list[str]] = None
    oauth_2_0_compliant: Maybe[bool] = False
    oauth_2_1_compliant: Maybe[bool] = False
    allow_open_redirect: Maybe[bool] = False


@dataclass(frozen=True, slots=True)
class SecureRedirectUrisEnforcer:
    """Source: Keycloak ``SecureRedirectUrisEnforcerExecutor``. Host names are not looked up but for ``localhost``."""

    id: ClassVar = "secure-redirect-uris-enforcer"
    rules: RedirectRules

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        return cls(configuration(document, RedirectRules))

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None or (client.standard_flow_enabled is False and client.implicit_flow_enabled is not True):
            return
        redirects = given(client.redirect_uris, [])
        if not redirects:
            raise PolicyRefused("invalid_request", _INVALID)
        if given(self.rules.allow_open_redirect, False):
            return
        after = attribute(client, "post.logout.redirect.uris")
        for uris in (redirects, after.split("##") if after else []):
            for uri in absolute(uris, given(client.root_url, ""), occasion.base_url):
                _check(uri, self.rules, occasion)


def _check(text: str, rules: RedirectRules, occasion: Occasion) -> None:
    try:
        uri = urlsplit(text)
        host, port = _host(uri), uri.port
    except ValueError:
        raise PolicyRefused("invalid_request", _INVALID) from None
    if _NOT_IN_URI.search(text):
        raise PolicyRefused("invalid_request", _INVALID)
    loopback = _loopback(host)
    web = uri.scheme in {"http", "https"}
    if loopback is not None:
        ipv4 = isinstance(loopback, IPv4Address)
        allowed = rules.allow_ipv4_loopback_address if ipv4 else rules.allow_ipv6_loopback_address
        right, problem = given(allowed, False) and _loopback_allowed(text, uri, host, port, rules, ipv4=ipv4), _LOOPBACK
    elif uri.scheme and not web:
        right = given(rules.allow_private_use_uri_scheme, False) and _plain(text, uri, rules)
        right = right and (not given(rules.oauth_2_1_compliant, False) or "." in uri.scheme)
        problem = _PRIVATE
    else:
        domains = given(rules.allow_permitted_domains, [])
        right = web and _scheme_allowed(uri, rules) and _plain(text, uri, rules)
        right = right and (not domains or any(occasion.matches(each, host or "") for each in domains if host))
        right = right and (not given(rules.oauth_2_1_compliant, False) or uri.scheme == "https")
        problem = _INVALID
    if not right:
        raise PolicyRefused("invalid_request", problem)


def _loopback_allowed(
    text: str, uri: SplitResult, host: str | None, port: int | None, rules: RedirectRules, *, ipv4: bool
) -> bool:
    if not _scheme_allowed(uri, rules) or not _plain(text, uri, rules):
        return False
    if not given(rules.oauth_2_1_compliant, False):
        return True
    # The port is known only when the application runs (RFC 8252 §7.3).
    return (host or "").lower() != "localhost" and port is None and (ipv4 or host == "[::1]")


def _scheme_allowed(uri: SplitResult, rules: RedirectRules) -> bool:
    return given(rules.allow_http_scheme, False) or uri.scheme != "http"


def _plain(text: str, uri: SplitResult, rules: RedirectRules) -> bool:
    """Whether there are no wildcards and fragments but those that the rules allow."""
    if given(rules.allow_wildcard_context_path, False):
        if uri.path.startswith(("/*", "*")) and text.count("*") != 1:
            return False
    elif "*" in text:
        return False
    compliant = given(rules.oauth_2_0_compliant, False) or given(rules.oauth_2_1_compliant, False)
    return not (compliant and ("#" in text or "*" in text))


def _host(uri: SplitResult) -> str | None:
    """The host as Java has it: brackets included, and none where it is no name of a host. Raises ValueError."""
    authority = uri.netloc.rpartition("@")[2]
    host = authority if authority.endswith("]") else authority.rpartition(":")[0] or authority
    return host if _HOST.fullmatch(host) else None


def _loopback(host: str | None) -> IPv4Address | IPv6Address | None:
    if host is None:
        return None
    if host.lower() == "localhost":
        return IPv4Address("127.0.0.1")
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return None
    return address if address.is_loopback else None
