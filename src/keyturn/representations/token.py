"""The token endpoint's answer."""

from typing import Annotated

from msgspec import field

from keyturn.representations.base import UNSET, Maybe, Representation
from keyturn.representations.secrecy import SECRET

__all__ = ["AccessTokenResponse"]


class AccessTokenResponse(Representation, rename=None):
    """A successful token response (RFC 6749 §5.1). Lifespans are in seconds."""

    access_token: Annotated[Maybe[str], SECRET] = UNSET
    expires_in: Maybe[int] = UNSET
    refresh_expires_in: Maybe[int] = UNSET
    refresh_token: Annotated[Maybe[str], SECRET] = UNSET
    token_type: Maybe[str] = UNSET
    id_token: Annotated[Maybe[str], SECRET] = UNSET
    not_before_policy: Maybe[int] = field(name="not-before-policy", default=UNSET)
    session_state: Maybe[str] = UNSET
    scope: Maybe[str] = UNSET
