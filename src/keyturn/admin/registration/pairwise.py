"""Pairwise subjects (OpenID Connect Core §8.1) of clients that register themselves.

Source: Keycloak ``OIDCClientRegistrationProvider.updatePairwiseSubMappers``, ``PairwiseSubMapperValidator``.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from keyturn.admin.client_validation import is_uri
from keyturn.admin.registration.refusal import invalid_metadata
from keyturn.representations import UNSET, ClientRepresentation, ProtocolMapperRepresentation, given

__all__ = ["check_sector", "pairwise_mapper", "with_subject"]

_PROVIDER: Final = "oidc-sha256-pairwise-sub-mapper"
_SUFFIX: Final = "-pairwise-sub-mapper"
_SECTOR: Final = "sectorIdentifierUri"


def _is_pairwise(mapper: ProtocolMapperRepresentation) -> bool:
    return str(mapper.protocol_mapper).endswith(_SUFFIX)


def pairwise_mapper(client: ClientRepresentation) -> ProtocolMapperRepresentation | None:
    """The mapper that gives each sector another ``sub``; None where everybody gets the same."""
    return next(filter(_is_pairwise, given(client.protocol_mappers, [])), None)


def with_subject(
    client: ClientRepresentation, subject_type: str, sector: str | None, new_id: Callable[[], str]
) -> ClientRepresentation:
    """`client` with the mapper that `subject_type` takes, or without it."""
    others = [mapper for mapper in given(client.protocol_mappers, []) if not _is_pairwise(mapper)]
    if subject_type == "public":
        return replace(client, protocol_mappers=others or UNSET)
    named = {} if sector is None else {_SECTOR: sector}
    known = pairwise_mapper(client)
    if known is None:
        config = {"pairwiseSubAlgorithmSalt": new_id(), **named}
        known = ProtocolMapperRepresentation(
            id=new_id(),
            name="pairwise subject identifier",
            protocol="openid-connect",
            protocol_mapper=_PROVIDER,
            consent_required=False,
            config=config,
        )
    else:
        kept = {name: value for name, value in given(known.config, {}).items() if name != _SECTOR}
        known = replace(known, config={**kept, **named})
    return replace(client, protocol_mappers=[*others, known])


def check_sector(client: ClientRepresentation, sector: str | None) -> None:
    """That the client's redirect URIs are of one sector.

    Does NOT fetch what a sector identifier URI names: nobody who registers makes this server call others.

    Raises:
        AdminError: they are not, or `sector` names a document.
    """
    if sector:
        known = is_uri(sector) and urlsplit(sector).scheme in {"http", "https"}
        raise invalid_metadata(
            "Failed to get redirect URIs from the Sector Identifier URI." if known else "Invalid Sector Identifier URI."
        )
    hosts = {host for uri in given(client.redirect_uris, []) if (host := _host(client, uri))}
    if not hosts:
        raise invalid_metadata("Client redirect URIs must contain a valid host component.")
    if len(hosts) > 1:
        raise invalid_metadata(
            "Without a configured Sector Identifier URI, "
            "client redirect URIs must not contain multiple host components."
        )


def _host(client: ClientRepresentation, uri: str) -> str | None:
    absolute = given(client.root_url, "") + uri if uri.startswith("/") else uri
    try:
        return urlsplit(absolute).hostname
    except ValueError:
        return None
