"""Who may register, read, change and remove a client. Source: Keycloak ``ClientRegistrationAuth``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin import authentication
from keyturn.admin.errors import OAuthError, Unauthorized
from keyturn.admin.permissions import MASTER, REALM_MANAGEMENT, rights_in
from keyturn.admin.registration.refusal import client_not_found, forbidden, unauthorized
from keyturn.admin.registration.tokens import Kind, RegistrationAuth, Shown, is_current
from keyturn.representations import ClientRepresentation, given
from keyturn.representations.client_initial_access import ClientInitialAccessPresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import CLIENTS, INITIAL_ACCESS, REALMS
from keyturn.store.spi import Reader

__all__ = ["Access"]

_CREATES: Final = ("manage-clients", "create-client")
_VIEWS: Final = ("manage-clients", "view-clients")
_MANAGES: Final = ("manage-clients",)
_OF_ONE_PROTOCOL: Final = frozenset({"openid-connect", "saml2-entity-descriptor"})
_LIGHTWEIGHT: Final = "lt"
"""The kind of token in a ``jti``: what follows the two letters of the session's."""


@dataclass(frozen=True, slots=True)
class Access:
    """A request's token in one view of the store, and what it opens there."""

    reader: Reader
    realm: RealmRepresentation
    shown: Shown
    provider: str
    base_url: str
    now: int
    """Epoch seconds."""

    @property
    def _realm_id(self) -> str:
        return given(self.realm.id, "")

    def check_initial(self) -> None:
        """Raises Refusal for an initial access token that has been removed."""
        if self.shown.kind is Kind.INITIAL and self.initial() is None:
            raise unauthorized("Initial Access Token not found")

    def initial(self) -> ClientInitialAccessPresentation | None:
        """What is left of the initial access token."""
        return self.reader.get(INITIAL_ACCESS, self._realm_id, self.shown.id)

    def to_create(self) -> RegistrationAuth:
        """Which policies a new client is for. Raises Refusal."""
        if self.shown.kind is Kind.BEARER:
            if not self._has_role(_CREATES):
                raise forbidden()
            return RegistrationAuth.AUTHENTICATED
        if self.shown.kind is not Kind.INITIAL:
            return RegistrationAuth.ANONYMOUS
        access = self.initial()
        if access is None:
            raise unauthorized("Initial Access Token not found")
        if given(access.remaining_count, 0) <= 0:
            raise unauthorized("No remaining count on initial access token")
        lifespan = given(access.expiration, 0)
        if lifespan and given(access.timestamp, 0) + lifespan <= self.now:
            raise unauthorized("Expired initial access token")
        return RegistrationAuth.AUTHENTICATED

    def to_view(self, client: ClientRepresentation | None) -> ClientRepresentation:
        """The client that may be read. Raises Refusal, and OAuthError for a client of another protocol."""
        if self.shown.kind is Kind.BEARER:
            return self._by_role(client, _VIEWS)
        if self.shown.kind is Kind.INITIAL:
            raise unauthorized("Not initial access token allowed")
        if client is None or self.shown.kind is not Kind.REGISTRATION or not is_current(self.shown, client):
            raise unauthorized("Not authorized to view client. Not valid token or client credentials provided.")
        self._check_protocol(client)
        return client

    def to_change(self, client: ClientRepresentation | None) -> ClientRepresentation:
        """The client that may be changed or removed. Raises Refusal, OAuthError."""
        if self.shown.kind is Kind.BEARER:
            return self._by_role(client, _MANAGES)
        if client is None or self.shown.kind is not Kind.REGISTRATION or not is_current(self.shown, client):
            raise unauthorized("Not authorized to update client. Maybe missing token or bad token type.")
        return client

    def _by_role(self, client: ClientRepresentation | None, roles: tuple[str, ...]) -> ClientRepresentation:
        claims = self._claims()
        self._check_protocol(self.reader.find(CLIENTS, self._realm_id, client_id=str(claims.get("azp", ""))))
        if not self._has_role(roles):
            raise forbidden()
        if client is None:
            raise client_not_found()
        return client

    def _check_protocol(self, client: ClientRepresentation | None) -> None:
        if client is not None and self.provider in _OF_ONE_PROTOCOL and str(client.protocol) not in self.provider:
            raise OAuthError(400, "invalid_client", "Wrong client protocol.")

    def _claims(self) -> Mapping[str, Any]:
        return {} if self.shown.claims is None else self.shown.claims

    def _has_role(self, roles: tuple[str, ...]) -> bool:
        """Whether the token says one of the realm's management roles, and its user holds it now.

        A lightweight token says none, and has those that its client has in scope.
        """
        claims = self.shown.claims
        master = self.reader.find(REALMS, None, realm=MASTER)
        if claims is None or master is None:
            return False
        try:
            administrator = authentication.admit(self.reader, claims, self.base_url, self.now)
        except Unauthorized:
            return False
        management = rights_in(self.reader, administrator, master, self.realm).client
        lightweight = _is_lightweight(claims)
        said = set(roles) if lightweight else _roles_said(claims, self.realm) & set(roles)
        holds = administrator.has if lightweight else administrator.holds
        if management is None or administrator.realm_id != self.realm.id:
            return False
        return any(name in said and holds(self.reader, role_id) for name, role_id in management.roles.items())


def _roles_said(claims: Mapping[str, Any], realm: RealmRepresentation) -> set[str]:
    management = f"{MASTER}-realm" if realm.realm == MASTER else REALM_MANAGEMENT
    try:
        return set(claims["resource_access"][management]["roles"])
    except (KeyError, TypeError):
        return set()


def _is_lightweight(claims: Mapping[str, Any]) -> bool:
    """Source: Keycloak ``AuthenticationManager.resolveLightweightAccessTokenRoles``."""
    if str(claims.get("jti", ""))[2:4] == _LIGHTWEIGHT or "sub" not in claims:
        return True
    return not {"sid", "resource_access", "realm_access"} & claims.keys()
