"""A login, as it is stored: durable, so that it survives a restart and ends at once on logout."""

from keyturn.representations import UNSET, Maybe, Representation


class ClientSession(Representation, kw_only=True):
    """What one client holds of a login. Times are epoch seconds."""

    started: int
    refreshed: int
    scope: str = ""
    """The ``scope`` parameter of the login, as sent."""
    newest_refresh_token: str = ""
    """``jti`` of the refresh token that was issued last."""
    used_refresh_token: str = ""
    """``jti`` of the refresh token that was used last."""
    refresh_token_uses: int = 0
    """How often that one was used."""


class UserSession(Representation, kw_only=True):
    """A login in a realm (Keycloak ``UserSessionModel``). Times are epoch seconds.

    A person's, or a client's own where it asks for refresh tokens.
    """

    id: str
    user_id: str
    username: str
    address: str
    started: int
    refreshed: int
    expires: int
    """When it may be forgotten: the end of its idle time or of its longest life, whichever comes first."""
    offline: bool = False
    notes: Maybe[dict[str, str]] = UNSET
    """What mappers may show of it, as the address of a client that logged in for itself."""
    clients: dict[str, ClientSession]
    """By the client's ``id``, not its ``client_id``."""
