"""Which client scopes a request gets (RFC 6749 §3.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.model.client import Client
from keyturn.model.client_scope import OPENID, ClientScope
from keyturn.model.subject import Subject
from keyturn.oauth2.errors import InvalidScope

_ORGANIZATION: Final = "organization"
"""Keycloak's scope of that name is in a token only for a member of an organization, and keyturn has none."""


@dataclass(frozen=True, slots=True)
class GrantedScopes:
    """The scopes of a token: the client's `own`, and the `others`, which are its default ones and those asked for."""

    own: ClientScope
    others: tuple[ClientScope, ...]
    openid: bool

    @property
    def scopes(self) -> tuple[ClientScope, ...]:
        """All of them, the client's own first."""
        return (self.own, *self.others)

    def claim(self) -> str:
        """The ``scope`` claim and the ``scope`` of the answer: only what is to be shown there."""
        names = [s.token_scope_name for s in self.scopes if s.include_in_token_scope and s.name != _ORGANIZATION]
        return " ".join([OPENID, *names] if self.openid else names)

    def names(self) -> str:
        """The names of all scopes, as a refresh token keeps them."""
        names = [s.name for s in self.others]
        return " ".join([OPENID, *names] if self.openid else names)

    def permitted(self, subject: Subject) -> "GrantedScopes":
        """Without the scopes that are made for roles of which `subject` holds none.

        Source: Keycloak ``DefaultClientSessionContext.isClientScopePermittedForUser``.
        """
        return self.permitted_by(subject.roles)

    def permitted_by(self, roles: frozenset[str]) -> "GrantedScopes":
        """Without the scopes that are made for roles of which none is among `roles` (ids)."""
        kept = [scope for scope in self.others if not scope.roles or not scope.roles.isdisjoint(roles)]
        return self if len(kept) == len(self.others) else GrantedScopes(self.own, tuple(kept), self.openid)


def grant_scopes(client: Client, requested: str | None) -> GrantedScopes:
    """What `client` gets for the ``scope`` parameter: its default scopes always, optional ones where asked for.

    Raises:
        InvalidScope: a requested scope is neither the client's nor ``openid``; also an empty one between two spaces.

    Source: Keycloak ``TokenManager.isValidScope``, ``getRequestedClientScopes``.
    """
    if requested is None:
        return GrantedScopes(client.own_scope, client.default_scopes, openid=False)
    names = _split(requested)
    defaults = {scope.name for scope in client.default_scopes}
    if not names <= defaults | client.optional_scopes.keys() | {OPENID}:
        raise InvalidScope(f"Invalid scopes: {requested}")
    return _granted(client, names, client.optional_scopes)


def restore_scopes(client: Client, names: str, requested: str | None = None) -> GrantedScopes:
    """The scopes named in a refresh token, as far as the client still has them, and no others than are `requested`."""
    restored = _split(names)
    return _granted(client, restored if requested is None else restored & _split(requested), client.optional_scopes)


def _granted(client: Client, names: set[str], optional: Mapping[str, ClientScope]) -> GrantedScopes:
    asked = [scope for scope in optional.values() if scope.name in names and scope not in client.default_scopes]
    ordered = sorted((*client.default_scopes, *asked), key=lambda scope: scope.order)
    return GrantedScopes(client.own_scope, tuple(ordered), openid=OPENID in names)


def _split(scope: str) -> set[str]:
    # As Java's split: an empty name at the end does not count, one elsewhere does, and is nobody's scope.
    return set(scope.rstrip(" ").split(" ")) if scope.strip(" ") or not scope else set()
