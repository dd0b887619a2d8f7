"""Client policies as requests meet them: what happens, whom it concerns, what is then demanded.

Source: Keycloak ``ClientPolicyContext``, ``ClientPolicyEvent``, ``DefaultClientPolicyManager``.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from keyturn.representations import ClientRepresentation


class PolicyEvent(Enum):
    """What happens: a client is about to change or has changed, or asks for something."""

    REGISTER = auto()
    REGISTERED = auto()
    UPDATE = auto()
    UPDATED = auto()
    VIEW = auto()
    UNREGISTER = auto()
    SERVICE_ACCOUNT_TOKEN_REQUEST = auto()
    SERVICE_ACCOUNT_TOKEN_RESPONSE = auto()
    RESOURCE_OWNER_PASSWORD_CREDENTIALS_REQUEST = auto()
    RESOURCE_OWNER_PASSWORD_CREDENTIALS_RESPONSE = auto()
    TOKEN_REFRESH = auto()
    TOKEN_REFRESH_RESPONSE = auto()
    TOKEN_EXCHANGE_REQUEST = auto()
    JWT_AUTHORIZATION_GRANT = auto()
    TOKEN_INTROSPECT = auto()
    TOKEN_REVOKE = auto()
    TOKEN_REVOKE_RESPONSE = auto()
    USERINFO_REQUEST = auto()
    LOGOUT_REQUEST = auto()


class Vote(Enum):
    """Whether a condition is met; ABSTAIN where it has nothing to say of such an event."""

    YES = auto()
    NO = auto()
    ABSTAIN = auto()


class PolicyRefused(Exception):
    """An executor refuses: `error` is its code, `detail` its public sentence, `status` the HTTP status."""

    def __init__(self, error: str, detail: str, status: int = 400) -> None:
        super().__init__(f"{error}: {detail}")
        self.error = error
        self.detail = detail
        self.status = status


@dataclass(frozen=True, slots=True)
class GovernedClient:
    """What conditions and executors look at of a client that there is. Sets of names are looked up when asked for."""

    public: bool
    bearer_only: bool
    protocol: str
    authenticator: str
    consent_required: bool
    full_scope: bool
    direct_access_grants: bool
    attributes: Mapping[str, str]
    roles: Callable[[], Collection[str]]
    """Names of the roles that the client owns."""
    default_scopes: Callable[[], Collection[str]]
    silent_scopes: Callable[[], Collection[str]]
    """Those of them that the ``scope`` of a token does not tell."""
    optional_scopes: Callable[[], Collection[str]]


@dataclass(frozen=True, slots=True)
class Updater:
    """Who changes a client. `source` is Keycloak's word for how the caller has proved who it is."""

    source: str
    address: str
    groups: Callable[[], Collection[str]]
    """Names of the groups that the user is a direct member of."""
    has_role: Callable[[str], bool]
    """Whether the user has the role of the realm, or of a client as ``client.role``."""
    address_of: Callable[[str], str | None]
    """The address of a host; None where there is none."""
    name_of: Callable[[str], str | None]
    """The host of an address; None where there is none."""


@dataclass(frozen=True, slots=True)
class GovernedRequest:
    """A request to an endpoint of the realm. `parameter` is one of its form."""

    parameter: Callable[[str], str | None]
    issuer: str
    proof: bool = False
    """Whether a DPoP proof came with it."""
    certificate: bool = False
    """Whether a client certificate was shown."""


@dataclass(slots=True, kw_only=True)
class Occasion:
    """One event, and what the executors make of it.

    Executors replace `proposed` (a client as it is asked to become) and `stored` (a client as it has become).
    """

    event: PolicyEvent
    client: GovernedClient | None = None
    proposed: ClientRepresentation | None = None
    stored: ClientRepresentation | None = None
    base_url: str = ""
    matches: Callable[[str, str], bool] = lambda pattern, text: pattern == text
    """Whether a regular expression is all of a text."""
    is_pattern: Callable[[str], bool] = bool
    """Whether it is a regular expression."""
    now: int = 0
    new_secret: Callable[[], str] | None = None
    replaced_secret: str | None = None
    """The secret that the client had until now, where it is given another one on purpose."""
    dynamic: bool = False
    """Whether the client changes itself, by dynamic registration."""
    scope: str | None = None
    """The ``scope`` that is or was asked for."""
    updater: Updater | None = None
    request: GovernedRequest | None = None
    lightweight: bool = False
    """Set where the access token is to be a lightweight one."""
    keeps_refresh_token: bool = False
    """Set where a refresh gives no new refresh token."""
    keeps_registration_token: bool = False
    """Set where a registration access token stays as it is."""
    rotates_secret: bool = False
    """Set where secrets expire and are followed by others."""
    needs_possession: bool = False
    """Set where the proof that came with a token must be of the key that the token is bound to."""
    only_scopes: frozenset[str] | None = None
    """Set where a token must have no other scopes."""


class Condition(Protocol):
    """What a policy depends on."""

    @property
    def negative(self) -> bool:
        """Whether it is met where its vote says NO."""
        ...

    def vote(self, occasion: Occasion) -> Vote:
        """Whether it is met, `negative` aside."""
        ...


class Executor(Protocol):
    """What a policy demands."""

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        ...


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """One policy that is enabled. `strict`: a condition that abstains counts as one that is not met."""

    name: str
    strict: bool
    conditions: tuple[Condition, ...]
    executors: tuple[Executor, ...] = field(default=())

    def applies(self, occasion: Occasion) -> bool:
        """Whether no condition is unmet, and one at least is met."""
        met = False
        for condition in self.conditions:
            vote = condition.vote(occasion)
            if vote is Vote.ABSTAIN:
                if self.strict:
                    return False
            elif (vote is Vote.YES) is condition.negative:
                return False
            else:
                met = True
        return met


def apply_policies(policies: Iterable[ClientPolicy], occasion: Occasion) -> None:
    """Lets every policy that applies act on `occasion`, in order. Raises PolicyRefused."""
    for policy in policies:
        if policy.executors and policy.applies(occasion):
            for executor in policy.executors:
                executor.execute(occasion)
