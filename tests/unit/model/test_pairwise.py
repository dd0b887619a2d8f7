"""Pairwise subjects (OpenID Connect Core §8.1)."""

import pytest

from keyturn.model.pairwise import PROVIDER, SALT, SECTOR, PairwiseSubjects, sector_problem, subjects_of
from keyturn.representations import ClientRepresentation, ProtocolMapperRepresentation


def test_a_user_is_called_as_keycloak_calls_them() -> None:
    """What Keycloak 26.7.3 answered."""
    pairwise = PairwiseSubjects("a.example.com", "ec75bfda-516d-48da-bde4-949e6bd56d3b")
    assert pairwise.subject("a93f591a-e4ba-4975-9d37-c7c676727886") == "1c0cf6aa-4178-37f5-bd8a-a120427edbe0"


def client(*uris: str, root_url: str = "", **config: str) -> ClientRepresentation:
    mapper = ProtocolMapperRepresentation(protocol_mapper=PROVIDER, config={SALT: "salt", **config})
    return ClientRepresentation(redirect_uris=list(uris), root_url=root_url, protocol_mappers=[mapper])


@pytest.mark.parametrize(
    ("described", "sector"),
    [
        (client("https://a.example.com/cb", "http://a.example.com:8080/*"), "a.example.com"),
        (client("/cb", root_url="https://a.example.com"), "a.example.com"),
        (client("https://a.example.com", "https://b.example.com"), None),
        (client("custom:/cb"), None),
        (client(), None),
        (client("https://b.example.com", **{SECTOR: "https://a.example.com/sector"}), "a.example.com"),
    ],
)
def test_a_sector_is_the_one_host_of_the_redirect_uris_or_that_of_its_document(
    described: ClientRepresentation, sector: str | None
) -> None:
    pairwise = subjects_of(described)
    assert pairwise is not None
    assert pairwise.sector == sector
    assert (pairwise.subject("user") is None) is (sector is None)


def test_without_the_mapper_everybody_calls_a_user_the_same() -> None:
    assert subjects_of(ClientRepresentation(redirect_uris=["https://a.example.com"])) is None


@pytest.mark.parametrize("uri", ["https://a.example.com/sector", "nonsense", "file:///etc/passwd"])
def test_a_document_that_names_the_sector_is_never_taken(uri: str) -> None:
    assert sector_problem(client("https://a.example.com"), uri) is not None
