"""Pairwise subjects (OpenID Connect Core §8.1): clients of one sector know a user by a name of their own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import md5, sha256
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from keyturn.representations import ClientRepresentation, ProtocolMapperRepresentation, given

__all__ = ["PROVIDER", "SALT", "SECTOR", "PairwiseSubjects", "is_pairwise", "sector_problem", "subjects_of"]

PROVIDER: Final = "oidc-sha256-pairwise-sub-mapper"
SALT: Final = "pairwiseSubAlgorithmSalt"
SECTOR: Final = "sectorIdentifierUri"
_SUFFIX: Final = "-pairwise-sub-mapper"


@dataclass(frozen=True, slots=True)
class PairwiseSubjects:
    """How users are called in one sector. `sector` is a host; None where the client has none, or several."""

    sector: str | None
    salt: str = field(repr=False)

    def subject(self, user_id: str) -> str | None:
        """What the user of this id is called; None where nobody can say. Source: ``SHA256PairwiseSubMapper``."""
        if self.sector is None:
            return None
        digest = sha256(f"{self.sector}{user_id}{self.salt}".encode()).digest()
        return str(UUID(bytes=md5(digest, usedforsecurity=False).digest(), version=3))  # Java's nameUUIDFromBytes


def is_pairwise(mapper: ProtocolMapperRepresentation) -> bool:
    """Whether the mapper gives each sector another ``sub``."""
    return given(mapper.protocol_mapper, "").endswith(_SUFFIX)


def subjects_of(client: ClientRepresentation) -> PairwiseSubjects | None:
    """How `client` calls users; None where everybody calls them the same."""
    mapper = next(filter(is_pairwise, given(client.protocol_mappers, [])), None)
    if mapper is None:
        return None
    config = given(mapper.config, {})
    return PairwiseSubjects(_sector(client, config), config.get(SALT, ""))


def _sector(client: ClientRepresentation, config: Mapping[str, str]) -> str | None:
    named = config.get(SECTOR)
    hosts = _hosts([named] if named else given(client.redirect_uris, []), given(client.root_url, ""))
    return (hosts.pop() or None) if len(hosts) == 1 else None


def sector_problem(client: ClientRepresentation, sector_identifier_uri: str | None) -> str | None:
    """Why a client is of no one sector, in Keycloak's words; None where it is.

    Does NOT fetch what a sector identifier URI names, and so takes none: nobody makes this server call others.

    Source: Keycloak ``PairwiseSubMapperValidator``.
    """
    if sector_identifier_uri:
        if sector_identifier_uri.startswith(("https://", "http://")):
            return "Failed to get redirect URIs from the Sector Identifier URI."
        return "Invalid Sector Identifier URI."
    root_url = given(client.root_url, "")
    placed = [uri for uri in given(client.redirect_uris, []) if root_url or not uri.startswith("/")]
    hosts = _hosts(placed, root_url)
    if not hosts:
        return "Client redirect URIs must contain a valid host component."
    if len(hosts) > 1:
        return (
            "Without a configured Sector Identifier URI, "
            "client redirect URIs must not contain multiple host components."
        )
    return None


def _hosts(uris: Iterable[str], root_url: str) -> set[str]:
    """The hosts of `uris`, of which a path is below `root_url`; an empty one for those of no host."""
    hosts = set()
    for uri in uris:
        try:
            hosts.add(urlsplit(root_url + uri if uri.startswith("/") else uri).hostname or "")
        except ValueError:
            continue
    return hosts
