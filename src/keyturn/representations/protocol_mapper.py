"""A protocol mapper: what it adds to tokens, in the words of its type."""

from keyturn.representations.base import UNSET, Maybe, Representation

__all__ = ["ProtocolMapperRepresentation"]


class ProtocolMapperRepresentation(Representation):
    """A protocol mapper of a client or client scope."""

    id: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    protocol: Maybe[str] = UNSET
    protocol_mapper: Maybe[str] = UNSET
    consent_required: Maybe[bool] = UNSET
    consent_text: Maybe[str] = UNSET
    config: Maybe[dict[str, str]] = UNSET
