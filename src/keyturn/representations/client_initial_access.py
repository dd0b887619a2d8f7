"""Initial access tokens: what is asked for, and what is kept and answered."""

from typing import Annotated

from keyturn.representations.base import UNSET, Integer, Maybe, Representation
from keyturn.representations.secrecy import SECRET

__all__ = ["ClientInitialAccessCreatePresentation", "ClientInitialAccessPresentation"]


class ClientInitialAccessCreatePresentation(Representation):
    """An initial access token that is asked for. ``expiration`` is in seconds, 0 for never."""

    expiration: Maybe[Integer] = UNSET
    count: Maybe[Integer] = UNSET
    web_origins: Maybe[list[str]] = UNSET


class ClientInitialAccessPresentation(Representation):
    """An initial access token. ``timestamp`` is when it was made, in epoch seconds, ``expiration`` its lifespan."""

    id: Maybe[str] = UNSET
    token: Annotated[Maybe[str], SECRET] = UNSET
    timestamp: Maybe[Integer] = UNSET
    expiration: Maybe[Integer] = UNSET
    count: Maybe[Integer] = UNSET
    remaining_count: Maybe[Integer] = UNSET
