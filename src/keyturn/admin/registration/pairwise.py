"""Pairwise subjects (OpenID Connect Core §8.1) of clients that register themselves.

Source: Keycloak ``OIDCClientRegistrationProvider.updatePairwiseSubMappers``.
"""

from collections.abc import Callable

from msgspec.structs import replace

from keyturn.model.pairwise import PROVIDER, SALT, SECTOR, is_pairwise
from keyturn.representations import UNSET, ClientRepresentation, ProtocolMapperRepresentation, given

__all__ = ["pairwise_mapper", "with_subject"]


def pairwise_mapper(client: ClientRepresentation) -> ProtocolMapperRepresentation | None:
    """The mapper that gives each sector another ``sub``; None where everybody gets the same."""
    return next(filter(is_pairwise, given(client.protocol_mappers, [])), None)


def with_subject(
    client: ClientRepresentation, subject_type: str, sector: str | None, new_id: Callable[[], str]
) -> ClientRepresentation:
    """`client` with the mapper that `subject_type` takes, or without it."""
    others = [mapper for mapper in given(client.protocol_mappers, []) if not is_pairwise(mapper)]
    if subject_type == "public":
        return replace(client, protocol_mappers=others or UNSET)
    named = {} if sector is None else {SECTOR: sector}
    known = pairwise_mapper(client)
    if known is None:
        config = {SALT: new_id(), **named}
        known = ProtocolMapperRepresentation(
            id=new_id(),
            name="pairwise subject identifier",
            protocol="openid-connect",
            protocol_mapper=PROVIDER,
            consent_required=False,
            config=config,
        )
    else:
        kept = {name: value for name, value in given(known.config, {}).items() if name != SECTOR}
        known = replace(known, config={**kept, **named})
    return replace(client, protocol_mappers=[*others, known])
