"""The token endpoint (RFC 6749 §3.2): parse, authenticate the client, let the grant decide, mint.

The phases are here, once, so that no grant can forget one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from keyturn.jose.jwk import PrivateKey
from keyturn.model.client import Client
from keyturn.model.realm import Realm
from keyturn.oauth2 import access_token, bound_tokens, cors, dpop, resource_indicators
from keyturn.oauth2 import form as forms
from keyturn.oauth2.access_token import Prepared, Unsigned
from keyturn.oauth2.client_authentication import authenticate, tell_of, usable
from keyturn.oauth2.errors import InvalidClient, MalformedRequest, OAuth2Error, UnsupportedGrantType
from keyturn.oauth2.grants import GRANTS, UNAVAILABLE
from keyturn.oauth2.http_message import Request, Response
from keyturn.oauth2.identifiers import new_id
from keyturn.oauth2.prepared_tokens import PreparedTokens
from keyturn.oauth2.spi import (
    AuthenticatedClient,
    Authorization,
    Binding,
    Clients,
    Effect,
    Facts,
    Grant,
    Pending,
    Random,
    Refused,
    TokenRequest,
)

_GRANTS: Final = {grant.grant_type: grant for grant in (*GRANTS, *UNAVAILABLE)}

Clock = Callable[[], float]
"""Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the endpoint has decided. Perform the `effects`, then ``mint``."""

    realm: Realm
    client: Client
    grant_type: str
    authorization: Authorization
    issuer: str
    now: int
    token_id: str
    """The ``jti`` of the access token."""
    binding: Binding | None = None
    proof: Mapping[str, str] | None = None
    """What events tell of the proof of the client (Keycloak ``Details``)."""
    credential: str = ""
    """The name of the credential that the client has proved itself by."""

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What must be written before a token leaves."""
        return self.authorization.effects


class TokenEndpoint:
    """The endpoint of all realms. `clock` and `random` are its only sources of time and chance.

    `gathers` says of a key whether its signatures cost less when several are made together.
    """

    def __init__(self, clock: Clock, random: Random, gathers: Callable[[PrivateKey], bool] | None = None) -> None:
        self._clock = clock
        self._random = random
        self._gathers = gathers
        self._prepared = PreparedTokens()

    def decide(
        self,
        http: Request,
        realm: Realm,
        clients: Clients,
        facts: Facts | None = None,
        form: forms.Form | None = None,
    ) -> Decision | Pending:
        """What the request gets, or what must be found out first; `facts` is the answer to an earlier question.

        `form` is the request's, where it has been read.

        Raises:
            OAuth2Error: the request is refused.
            InvalidOrigin: it comes from a page that may not use the client.
            Refused: it is refused, and something must be written all the same.
            Miss: the client is not in memory.
            Asked: the client's credentials or its proof cannot be judged yet.
        """
        if form is None:
            form = forms.parse(http.content_type, http.body)
        grant = _select(form, realm)
        now = int(self._clock())
        try:
            client = authenticate(http, form, clients, realm, now)
        except OAuth2Error as error:
            error.trace.details["grant_type"] = grant.grant_type
            raise
        try:
            return self._decide(http, realm, clients, form, grant, client, now, facts)
        except (OAuth2Error, Refused) as error:
            if realm.strictness.one_error and isinstance(error, OAuth2Error):
                _blame_no_credentials(error)
            error.trace.details["grant_type"] = grant.grant_type
            tell_of(client, error.trace)
            raise

    def _decide(
        self,
        http: Request,
        realm: Realm,
        clients: Clients,
        form: forms.Form,
        grant: Grant,
        client: AuthenticatedClient,
        now: int,
        facts: Facts | None,
    ) -> Decision | Pending:
        cors.check(http, client.client)
        usable(client.client)
        try:
            binding = dpop.binding(http, realm, client, clients, now)
        except access_token.NoKey as error:
            return error.pending
        issuer = f"{http.base_url}{realm.path}"
        request = TokenRequest(realm, form, http, issuer, now, self._random, clients, binding)
        if facts is None:
            question = grant.question(request, client)
            if question is not None:
                return Pending(question)
        authorization = grant.authorize(request, client, facts)
        if realm.strictness.resources or authorization.resources:
            authorization = resource_indicators.named(form, authorization)
        binding = bound_tokens.to_certificate(http, client.client, binding)
        token_id = authorization.token_id_prefix + new_id(self._random)
        own = authorization.client or client.client
        proof, credential = client.told, client.credential
        decision = Decision(
            realm, own, grant.grant_type, authorization, issuer, now, token_id, binding, proof, credential
        )
        if authorization.resources:
            try:
                self._prepare(decision) if _has_more(authorization) else self.prepared(decision)
            except access_token.NoKey as error:
                return error.pending
        return decision

    def mint(self, decision: Decision) -> Response | Pending:
        """The answer with the tokens; Pending where the realm must get a key first. Raises Misconfigured."""
        answer = self.begin(decision)
        return answer.sign() if isinstance(answer, Unsigned) else answer

    def begin(self, decision: Decision) -> Response | Unsigned | Pending:
        """As ``mint``, but what is better signed together with others is left to be signed."""
        try:
            return self._mint(decision)
        except access_token.NoKey as error:
            return error.pending

    def _mint(self, decision: Decision) -> Response | Unsigned:
        realm, client, authorization = decision.realm, decision.client, decision.authorization
        binding = decision.binding
        if _has_more(authorization):
            ids = decision.token_id, self._random
            return access_token.issue(realm, client, authorization, decision.issuer, decision.now, *ids, binding)
        return self.prepared(decision).answer(decision.now, decision.token_id, binding)

    def _prepare(self, decision: Decision) -> Prepared:
        token_type = access_token.BEARER if decision.binding is None else decision.binding.token_type
        return access_token.prepare(
            decision.realm, decision.client, decision.authorization, decision.issuer, token_type
        )

    def prepared(self, decision: Decision) -> Prepared:
        """All of the token of a `decision` without a session that is not its own.

        Raises NoKey, Misconfigured, InvalidTarget.
        """
        realm, client, authorization = decision.realm, decision.client, decision.authorization
        binding = decision.binding
        notes, scopes, resources = authorization.notes.values(), authorization.scopes, authorization.resources
        token_type = access_token.BEARER if binding is None else binding.token_type
        what = scopes.own, scopes.others, scopes.openid, authorization.lifespan, token_type, resources
        prepared = self._prepared.get(client, (realm, decision.issuer, *notes, *what))
        if prepared is None:
            prepared = self._prepare(decision)
            if self._gathers is not None and self._gathers(prepared.key):
                prepared = replace(prepared, gathered=True)
            self._prepared.keep(client, (realm, _kept_once(decision.issuer), *notes, *what), prepared)
        return prepared


@lru_cache(maxsize=64)
def _kept_once(issuer: str) -> str:
    """`issuer`, the same object for all clients. It follows the Host header, and Python 3.12 never forgets what is
    interned.
    """
    return issuer


def _blame_no_credentials(error: OAuth2Error) -> None:
    """Leaves status 401 to those who have not proved who they are (RFC 6749 §5.2)."""
    if error.http_status == InvalidClient.status:
        error.http_status = OAuth2Error.status


def _has_more(authorization: Authorization) -> bool:
    """Whether the answer has more than an access token that stands for itself."""
    return (
        authorization.session is not None or authorization.scopes.openid or authorization.issued_token_type is not None
    )


def _select(form: forms.Form, realm: Realm) -> Grant:
    """The grant asked for. Keycloak checks it before the client."""
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise MalformedRequest("Missing form parameter: grant_type")
    grant = _GRANTS.get(grant_type)
    if grant is None:
        raise UnsupportedGrantType("Unsupported grant_type")
    if form.repeated and not form.repeated.keys() <= _repeatable(grant, realm):
        raise MalformedRequest("duplicated parameter")
    return grant


def _repeatable(grant: Grant, realm: Realm) -> frozenset[str]:
    return grant.repeatable | {resource_indicators.PARAMETER} if realm.strictness.resources else grant.repeatable
