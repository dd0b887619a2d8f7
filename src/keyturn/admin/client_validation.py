"""What a client may look like: Keycloak's checks, in its words.

Source: Keycloak ``DefaultClientValidationProvider``, ``ValidationMessages``.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from keyturn.admin.errors import AdminError, Conflict, DuplicateResource, InvalidRequest, OAuthError
from keyturn.model.pairwise import SECTOR, is_pairwise, sector_problem
from keyturn.representations import given, present
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.protocol_mapper import ProtocolMapperRepresentation

__all__ = [
    "check_client",
    "check_imported_mappers",
    "check_lengths",
    "check_mapper_ids",
    "is_uri",
    "is_url",
]

_ILLEGAL_SCHEMES: Final = frozenset({"javascript", "data"})
_URL_SCHEMES: Final = frozenset({"http", "https", "ftp", "file", "jar", "mailto", "jrt", "jmod"})
"""What Java makes a ``URL`` of."""
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_NOT_IN_URI: Final = re.compile(r"[\x00-\x20\x7f-\xa0\"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})")
_PROTOCOLS: Final = frozenset({"openid-connect", "saml"})
_LONGEST: Final = 255
"""Characters in a column of Keycloak's database."""
_LONGEST_ID: Final = 36
_JWKS_TWICE: Final = 'The "Use JWKS" switch and the switch "Use JWKS URL" cannot be ON at the same time.'
_ATTRIBUTE_URLS: Final = {
    "backchannel.logout.url": "Backchannel logout URL",
    "frontchannel.logout.url": "Front-channel logout URL",
    "jwks.url": "JWKS URL",
    "policyUri": "Policy URL",
    "tosUri": "Terms of service URL",
}


def check_lengths(client: ClientRepresentation) -> None:
    """That every text fits where Keycloak keeps it.

    Raises:
        InvalidRequest: a text is longer.
    """
    texts = [client.client_id, client.name, client.description, client.secret]
    texts += [client.root_url, client.base_url, client.admin_url, client.client_authenticator_type]
    texts += [*given(client.redirect_uris, []), *given(client.web_origins, []), *given(client.attributes, {})]
    if any(isinstance(text, str) and len(text) > _LONGEST for text in texts):
        raise InvalidRequest(f"A text is longer than {_LONGEST} characters")


def check_client(client: ClientRepresentation) -> None:
    """That the stored `client` is one that Keycloak takes.

    Raises:
        AdminError: all that is wrong, as ``invalid_input``.
    """
    if len(str(client.id)) > _LONGEST_ID:
        raise _invalid(f"Client ID must not exceed {_LONGEST_ID} characters")
    if not str(client.client_id).strip():
        raise _invalid("Client ID cannot be blank")
    if client.protocol not in _PROTOCOLS:
        raise _invalid(f"Invalid protocol: {client.protocol}")
    _check_mapper_names(given(client.protocol_mappers, []))
    check_mapper_ids(given(client.protocol_mappers, []))
    wrong = list(dict.fromkeys((*_sector_problems(client), *_problems(client))))
    if wrong:
        raise _invalid("; ".join(wrong))


def _invalid(description: str) -> AdminError:
    return OAuthError(400, "invalid_input", description)


def check_mapper_ids(mappers: Iterable[ProtocolMapperRepresentation]) -> None:
    """Raises OAuthError where two of the mappers of one owner have the same id."""
    ids = [mapper.id for mapper in mappers if present(mapper.id)]
    if len(set(ids)) < len(ids):
        raise DuplicateResource


def check_imported_mappers(mappers: Iterable[ProtocolMapperRepresentation]) -> None:
    """That the mappers of a client in a partial import have names of their own.

    Raises:
        AdminError: one has no name or type, or two have the same.
    """
    mappers = list(mappers)
    if not all(present(text) for mapper in mappers for text in (mapper.name, mapper.protocol, mapper.protocol_mapper)):
        raise InvalidRequest("A protocol mapper needs a name, a protocol and a type")
    if len({(mapper.protocol, mapper.name) for mapper in mappers}) < len(mappers):
        raise Conflict("Protocol mapper name must be unique per protocol")


def _check_mapper_names(mappers: Iterable[ProtocolMapperRepresentation]) -> None:
    seen = set()
    for mapper in mappers:
        if not all(map(present, (mapper.name, mapper.protocol, mapper.protocol_mapper))):
            raise DuplicateResource
        key = mapper.protocol, mapper.name
        if key in seen:
            text = f"Cannot add protocol mapper '{mapper.name}'. Protocol mapper name must be unique per protocol"
            raise _invalid(text)
        seen.add(key)


def _problems(client: ClientRepresentation) -> Iterator[str]:
    attributes = given(client.attributes, {})
    yield from _redirect_problems("A redirect URI", given(client.redirect_uris, []))
    yield from _url_problems("Root URL", given(client.root_url, ""), absolute=True, fragment=False)
    yield from _url_problems("Base URL", given(client.base_url, ""))
    admin = "Master SAML Processing URL" if client.protocol == "saml" else "Admin URL"
    yield from _url_problems(admin, given(client.admin_url, ""))
    yield from _uri_problems("Logo URL", attributes.get("logoUri", ""))
    for name, text in _ATTRIBUTE_URLS.items():
        yield from _url_problems(text, attributes.get(name, ""))
    logout_uris = [uri for uri in attributes.get("post.logout.redirect.uris", "").split("##") if uri not in {"+", "-"}]
    yield from _redirect_problems("A post-logout redirect URI", logout_uris)
    for uri in attributes.get("request.uris", "").split("##"):
        if not is_uri(uri):
            yield "Valid request URIs has an invalid value"
        elif _scheme(uri) in _ILLEGAL_SCHEMES:
            yield "Valid request URIs has a value with illegal scheme"
    if attributes.get("use.jwks.url") == "true" and attributes.get("use.jwks.string") == "true":
        yield _JWKS_TWICE


def _sector_problems(client: ClientRepresentation) -> Iterator[str]:
    """Why the client's mappers for pairwise subjects could not tell its sector.

    Of a sector that a document tells of, nothing is said: nobody fetches it, and imports have them.
    """
    for mapper in filter(is_pairwise, given(client.protocol_mappers, [])):
        named = given(mapper.config, {}).get(SECTOR, "")
        problem = None if is_url(named) else sector_problem(client, named)
        if problem is not None:
            yield problem.replace("Invalid", "Malformed")


def _redirect_problems(text: str, uris: Iterable[str]) -> Iterator[str]:
    found: dict[str, bool] = {}
    for uri in uris:
        if uri.startswith("/"):
            continue
        if not is_uri(uri):
            found[f"{text} is not a valid URI"] = True
        elif _scheme(uri) in _ILLEGAL_SCHEMES:
            found[f"{text} uses an illegal scheme"] = True
        elif "#" in uri:
            found[f"{text} must not contain an URL fragment"] = True
    yield from sorted(found, key=lambda problem: ("fragment" not in problem, problem))


def _url_problems(text: str, url: str, *, absolute: bool = False, fragment: bool = True) -> Iterator[str]:
    """Problems of a URL, or where that will do, a path below the root URL."""
    if not url or (absolute and url.startswith("${")):
        return
    if not is_uri(url):
        yield f"{text} is not a valid URL"
    elif _scheme(url) in _ILLEGAL_SCHEMES:
        yield f"{text} uses an illegal scheme"
    elif _scheme(url) not in _URL_SCHEMES and (absolute or not url.startswith("/")):
        yield f"{text} is not a valid URL"
    elif not fragment and "#" in url:
        yield f"{text} must not contain an URL fragment"


def _uri_problems(text: str, uri: str) -> Iterator[str]:
    if not is_uri(uri):
        yield f"{text} is not a valid URL"
    elif _scheme(uri) in _ILLEGAL_SCHEMES:
        yield f"{text} uses an illegal scheme"


def _scheme(uri: str) -> str:
    match = _SCHEME.match(uri)
    return match.group(1).lower() if match else ""


def is_url(url: str) -> bool:
    """Whether Java makes a ``URL`` of it: it looks at the scheme alone."""
    return _scheme(url) in _URL_SCHEMES


def is_uri(uri: str) -> bool:
    """Whether Java's ``URI`` takes it."""
    if _NOT_IN_URI.search(uri) or uri.count("#") > 1:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return not (uri.partition("#")[0].endswith("://") and not parts.netloc)
