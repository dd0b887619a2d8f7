"""What tokens of a client would say, without a login. Source: Keycloak ``ClientScopeEvaluateResource``."""

from dataclasses import dataclass
from typing import Any

from keyturn.admin.context import RealmView
from keyturn.admin.errors import NotFound
from keyturn.model.client import Client
from keyturn.model.realm import Realm, realm_path
from keyturn.model.subject import Subject
from keyturn.oauth2.claims import (
    access_token_claims,
    access_token_target,
    id_token_claims,
    roles_in_scope,
    roles_within,
)
from keyturn.oauth2.identifiers import new_id, new_session_id
from keyturn.oauth2.lifespan import access_token_lifespan, session_lifespan
from keyturn.oauth2.protocol_mappers import apply_mappers
from keyturn.oauth2.protocol_mappers.claim import audiences
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target
from keyturn.oauth2.scope import GrantedScopes, restore_scopes
from keyturn.registry.compile import compile_subject
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS

__all__ = ["Evaluation"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A client of a realm with the client scopes that somebody asks for."""

    realm: Realm
    client: Client
    scopes: GrantedScopes
    view: RealmView
    audience: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, view: RealmView, client: ClientRepresentation, scope: str | None, audience: str | None = None
    ) -> "Evaluation":
        """Of `client` with the scopes in `scope`, narrowed to the clients in `audience`.

        Names that are not the client's or nobody's count for nothing.

        Raises:
            NotFound: the client was removed meanwhile.
        """
        entry = view.environment.registry.load_realm(view.name)
        compiled = view.environment.registry.load_client(view.name, str(client.client_id))
        if entry is None or compiled is None:
            raise NotFound("Could not find client")
        named = dict.fromkeys((audience or "").split())
        known = tuple(name for name in named if view.reader.find(CLIENTS, view.id, client_id=name) is not None)
        return cls(entry.realm, compiled, restore_scopes(compiled, scope or ""), view, known)

    def access_token(self, user: UserRepresentation) -> dict[str, Any]:
        """The claims of an access token for `user`. Raises NotFound where it is not for all of the audience."""
        lightweight = access_token_target(self.client) is Target.LIGHTWEIGHT_ACCESS_TOKEN
        token_id = f"on{'lt' if lightweight else 'rt'}na:{new_id(self.view.environment.random)}"
        claims = access_token_claims(self._context(user), sid=self._session_id())
        there = set(audiences(claims))
        if missing := [name for name in self.audience if name not in there]:
            raise NotFound(f"Requested audience not available: {', '.join(missing)}")
        return self._times() | {"jti": token_id} | claims

    def id_token(self, user: UserRepresentation) -> dict[str, Any]:
        """The claims of an ID token for `user`."""
        claims = id_token_claims(self._context(user), sid=self._session_id(), at_hash=None)
        return self._times() | {"jti": new_id(self.view.environment.random)} | claims

    def userinfo(self, user: UserRepresentation) -> dict[str, Any]:
        """What the userinfo endpoint would tell of `user`."""
        claims = Claims({"sub": str(user.id)})
        apply_mappers(claims, self._context(user), Target.USERINFO)
        return claims.members

    def granted_roles(self) -> frozenset[str] | None:
        """Ids of the roles that tokens may have; None where it is all."""
        if self.client.full_scope:
            return None
        return self.client.own_roles.union(*(scope.roles for scope in self.scopes.scopes))

    def _times(self) -> dict[str, Any]:
        now = self.view.now()
        remaining = session_lifespan(self.realm, self.client)
        lifespan = access_token_lifespan(self.realm, self.client, session_remaining=remaining)
        return {"exp": now + lifespan, "iat": now}

    def _session_id(self) -> str:
        return new_session_id(self.view.environment.random)

    def _context(self, user: UserRepresentation) -> ClaimsContext:
        subject: Subject = compile_subject(self.view.reader, self.realm, user)
        scopes = self.scopes.permitted_by(roles_within(self.realm, subject, self.audience))
        roles = roles_in_scope(self.client, scopes, subject)
        issuer = self.view.base_url + realm_path(self.view.name)
        audience = frozenset(self.audience)
        return ClaimsContext(self.realm, self.client, subject, scopes, {}, issuer, roles, audience)
