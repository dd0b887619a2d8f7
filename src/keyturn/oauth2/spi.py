"""What the parts of the protocol say to each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import ClassVar, Protocol, TypeAlias

from keyturn.model.client import Client
from keyturn.model.realm import Realm
from keyturn.model.subject import Subject
from keyturn.model.user_session import UserSession
from keyturn.oauth2.errors import OAuth2Error
from keyturn.oauth2.failures import Failures
from keyturn.oauth2.form import Form
from keyturn.oauth2.http_message import Request, Response
from keyturn.oauth2.inquiries import Inquiry, Reply
from keyturn.oauth2.scope import GrantedScopes
from keyturn.oauth2.trace import Trace


class Miss(Exception):
    """A client is not in memory. The edge loads it in a worker thread and asks again."""

    def __init__(self, client_id: str) -> None:
        super().__init__(client_id)
        self.client_id = client_id


class Asked(Exception):
    """A client's credentials cannot be judged from memory alone. The edge finds out, and puts the request again.

    `inquiry` None: nobody can be asked in this turn. `proved` is the client if the reply is that all is well: so that
    nothing need be verified twice.
    """

    def __init__(self, inquiry: Inquiry | None, proved: "AuthenticatedClient | None" = None) -> None:
        super().__init__(inquiry)
        self.inquiry = inquiry
        self.proved = proved


class Clients(Protocol):
    """The clients of one realm that are in memory, and what has been found out for this request."""

    @property
    def replies(self) -> Mapping[Inquiry, Reply] | None:
        """What was asked for this request, with the replies; None where nobody can be asked."""
        ...

    @property
    def proved(self) -> "AuthenticatedClient | None":
        """Who has proved in an earlier turn of this request who it is."""
        ...

    @property
    def failures(self) -> Failures:
        """Who has failed to prove who it is."""
        ...

    def by_client_id(self, client_id: str) -> Client | None:
        """The client, or None where it is known that there is none. Raises Miss."""
        ...

    def known_of(self, question: "CheckToken") -> "TokenChecked | None":
        """What is in memory about a token; None where it has to be found out."""
        ...


# What a grant may have to ask; the edge finds it out in a worker thread.


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Is there a person of this user name or e-mail address, with this password?"""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasswordChecked:
    """`subject` None: no such user. `locked`: too many failures, whatever the password. `failed_before`: not so many.

    `profile_complete`: the user has what the realm's user profile requires.
    """

    subject: Subject | None
    valid: bool
    locked: bool = False
    failed_before: bool = False
    profile_complete: bool = True


@dataclass(frozen=True, slots=True)
class FindSession:
    """Which session is this, and who is its user?"""

    session_id: str


@dataclass(frozen=True, slots=True)
class SessionFound:
    """`session` None: there is none, or it has ended."""

    session: UserSession | None
    subject: Subject | None


@dataclass(frozen=True, slots=True)
class CheckToken:
    """Is this access token revoked, and does the session that it belongs to, if any, still live?"""

    token_id: str
    session_id: str | None
    user_id: str | None = None
    """Of a token without a session that speaks of this user, who may be gone or disabled."""


@dataclass(frozen=True, slots=True)
class CheckSubjectToken:
    """What `token` asks of the token that is to be exchanged, and which of the clients `audience` there are."""

    token: CheckToken
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenChecked:
    """`session` and `subject` None: there is no such session, or it has ended."""

    revoked: bool
    session: UserSession | None = None
    subject: Subject | None = None


@dataclass(frozen=True, slots=True)
class SubjectTokenChecked:
    """`audience` says of each client that there is whether it is enabled."""

    token: TokenChecked
    audience: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class MakeKey:
    """The realm needs a key that signs with this algorithm (Keycloak's fallback keys)."""

    algorithm: str


Question: TypeAlias = CheckPassword | FindSession | CheckToken | CheckSubjectToken | MakeKey
Facts: TypeAlias = PasswordChecked | SessionFound | TokenChecked | SubjectTokenChecked


@dataclass(frozen=True, slots=True)
class Pending:
    """The answer depends on something that is not in memory: find it out and ask again."""

    question: Question


# What must be written before the token is signed; the edge does it.


@dataclass(frozen=True, slots=True)
class SaveSession:
    """Create this session, or put it in the place of the one that the decision was made on (`replaces`).

    Vetoed by Overtaken where that one has changed or ended since.
    """

    session: UserSession
    replaces: UserSession | None = None


@dataclass(frozen=True, slots=True)
class EndClientSession:
    """Take one client out of a session: a refresh token was used once too often."""

    session_id: str
    client_id: str


@dataclass(frozen=True, slots=True)
class EndSession:
    """End a session: all that was issued in it is worth nothing any more."""

    session_id: str


@dataclass(frozen=True, slots=True)
class CountFailure:
    """A wrong password for this user from this address: it may lock the user out."""

    user_id: str
    address: str


@dataclass(frozen=True, slots=True)
class ForgetFailures:
    """A right password for this user: earlier wrong ones do not count any more."""

    user_id: str


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """Remember until `until` (epoch seconds), when it expires anyway, that this access token is revoked."""

    token_id: str
    until: int


Effect: TypeAlias = SaveSession | EndClientSession | EndSession | CountFailure | ForgetFailures | RevokeToken


@dataclass(frozen=True, slots=True)
class Rests:
    """What an answer rests on beside the realm. While it all is as it was, the same request gets the same answer."""

    clients: tuple[Client, ...] = ()
    until: float = inf
    """Epoch seconds."""
    token_id: str | None = None
    """Of an access token that is not revoked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answers. Perform the `effects` first; where there is no `trace`, there is no event.

    `rests` is None where each request has to be decided for itself.
    """

    response: Response
    effects: tuple[Effect, ...] = ()
    trace: Trace | None = None
    rests: Rests | None = None


class Overtaken(Exception):
    """An effect came too late: something it rests on has changed. Decide again, from what is true now."""


class Refused(Exception):
    """An error that has effects as well."""

    def __init__(self, error: OAuth2Error, effects: tuple[Effect, ...]) -> None:
        super().__init__(error.description)
        self.error = error
        self.effects = effects

    @property
    def trace(self) -> Trace:
        """What the event of the error tells."""
        return self.error.trace


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """What a token says of its session. Times are epoch seconds."""

    sid: str
    session_expires: int
    """When the session ends at the latest: no token of it lives longer."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token to be issued; ``jti`` is known ahead because the session keeps it. `lifespan` None: no end."""

    jti: str
    lifespan: int | None
    scope: str
    """Names of the scopes that it can give: all of the login, whatever this access token is narrowed to."""
    offline: bool = False
    audience: tuple[str, ...] = ()
    """The clients that it was asked for in a token exchange; told in it alone, as Keycloak does."""
    resources: tuple[str, ...] = ()
    """The resources that it gives access tokens for, at most (RFC 8707 §2.2); all where there are none."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """A grant's decision: what to mint. ``lifespan`` in seconds."""

    subject: Subject
    scopes: GrantedScopes
    lifespan: int
    token_id_prefix: str
    """What ``jti`` begins with, by session type and grant (Keycloak ``TokenContextEncoderProvider``)."""
    notes: Mapping[str, str]
    """Session notes, for the mappers that show them."""
    session: SessionClaims | None = None
    refresh: Refresh | None = None
    effects: tuple[Effect, ...] = ()
    told: Mapping[str, str] | None = None
    """Details of the event that are the grant's own (Keycloak ``Details``)."""
    audience: tuple[str, ...] = ()
    """The clients that the access token is narrowed to; all that the mappers give where there are none."""
    resources: tuple[str, ...] = ()
    """The resources that the access token is narrowed to (RFC 8707)."""
    issued_token_type: str | None = None
    """What a token exchange gives (RFC 8693 §2.2.1)."""
    client: Client | None = None
    """The client as the realm's policies have it issued tokens, where they have a say."""
    answered: GrantedScopes | None = None
    """The scopes that the answer tells of, where they are others than the access token's."""
    id_token: bool = False
    """Whether an ID token is given though ``openid`` is none of the access token's scopes."""

    def told_scope(self) -> str:
        """The ``scope`` of the answer (RFC 6749 §5.1)."""
        return (self.answered or self.scopes).claim()


Random: TypeAlias = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that has proved who it is. Made by ``client_authentication.authenticate`` alone."""

    client: Client
    method: str
    """``clientAuthenticatorType``, or ``none`` for a public client."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What events tell of the proof (Keycloak ``Details``)."""
    credential: str = ""
    """The name of the credential that it was proved by (``model.client_credential``)."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What the tokens of a request are bound to (RFC 7800): only who shows it again may use them."""

    confirmation: Mapping[str, str]
    """``cnf``."""
    token_type: str
    """``token_type``, and ``typ`` of the access token."""
    of_refresh_token: bool = False
    """Whether every refresh token is bound to it, and not only those of public clients."""
    nonce: str | None = None
    """What the next proof should have as its nonce, where that is another one."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a grant decides on. `now` in epoch seconds; `random` gives so many random bytes."""

    realm: Realm
    form: Form
    http: Request
    issuer: str
    now: int
    random: Random
    clients: Clients
    binding: Binding | None = None


class Grant(Protocol):
    """A grant type. One object, no state."""

    grant_type: ClassVar[str]
    parameters: ClassVar[frozenset[str]]
    repeatable: ClassVar[frozenset[str]]
    """Parameters that may come more than once (RFC 8693 §2.1)."""

    def question(self, request: TokenRequest, client: AuthenticatedClient) -> Question | None:
        """What must be found out first; None where memory is enough. Raises OAuth2Error."""
        ...

    def authorize(self, request: TokenRequest, client: AuthenticatedClient, facts: Facts | None) -> Authorization:
        """Decides what the client gets. Raises OAuth2Error."""
        ...
