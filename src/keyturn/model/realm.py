"""A realm as the token path sees it: what all its clients share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from keyturn.jose.jwk import PrivateKey, PublicKey
from keyturn.model.alike import Alike
from keyturn.model.client_policy import ClientPolicy
from keyturn.model.client_scope import ClientScope
from keyturn.model.roles import RoleGraph
from keyturn.model.strictness import COMPATIBLE, Strictness
from keyturn.model.trusted_issuer import TrustedIssuer
from keyturn.representations.realm import RealmRepresentation

_UNQUOTED: Final = "!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class RealmKey:
    """A key of the realm and the component that provides it. ``status`` is ACTIVE, PASSIVE or DISABLED."""

    key: PrivateKey
    provider_id: str
    priority: int
    status: str
    made: int | None = None
    """The second in which it was made, where no certificate tells."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The realm's keys: the one that signs for each algorithm, and all that verify, by ``kid``."""

    keys: tuple[RealmKey, ...]
    signing: Mapping[str, PrivateKey]
    """The active key of the highest priority, by algorithm."""

    def verifying(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key that verifies; None where there is none of this ``kid`` that is made for `algorithm`."""
        for realm_key in self.keys:
            key = realm_key.key
            if key.kid == kid and key.algorithm == algorithm and realm_key.status != "DISABLED":
                return key.public
        return None


@dataclass(frozen=True, slots=True)
class Throttle:
    """How those who guess clients' credentials are slowed: `after` so many failures, for `longest` seconds at most."""

    after: int
    longest: int


@dataclass(frozen=True, slots=True, eq=False)
class Realm:
    """What a token request needs to know of the realm. Made by ``registry.compile``, never changed."""

    id: str
    name: str
    enabled: bool
    ssl_required: str
    not_before: int
    access_token_lifespan: int
    sso_session_idle_timeout: int
    sso_session_max_lifespan: int
    client_session_idle_timeout: int
    client_session_max_lifespan: int
    offline_session_idle_timeout: int
    offline_session_max_lifespan: int | None
    """None where ``offlineSessionMaxLifespanEnabled`` is off."""
    default_signature_algorithm: str
    revoke_refresh_token: bool
    refresh_token_max_reuse: int
    roles: RoleGraph
    scopes: Mapping[str, ClientScope]
    """Client scopes by id."""
    client_ids: Mapping[str, str]
    """``client_id`` of every client that owns roles, by its ``id``."""
    keys: KeyRing
    document: RealmRepresentation
    """For what is asked rarely: brute-force settings, display name."""
    throttle: Throttle | None = None
    """None where those who guess credentials are not slowed down."""
    client_policies: tuple[ClientPolicy, ...] = ()
    """Those that are enabled; where there are none, no request pays for them."""
    kept_events: frozenset[str] = frozenset()
    """Types of events that are stored: none where ``eventsEnabled`` is off."""
    issuers: Mapping[str, TrustedIssuer] = field(default_factory=dict)
    """Those whose tokens authenticate clients, by issuer."""
    trust_domains: Mapping[str, tuple[TrustedIssuer, ...]] = field(default_factory=dict)
    """The same of SPIFFE, by trust domain."""
    strictness: Strictness = COMPATIBLE
    keys_change: int | None = None
    """The second in which other keys are published or sign, where that is known ahead."""
    alike: Alike = field(default_factory=Alike, repr=False)
    """What its clients have alike."""
    path: str = field(init=False)
    """Where its endpoints are, and with the server's address before it its issuer: ``/realms/my%20realm``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", realm_path(self.name))


def realm_path(name: str) -> str:
    """The path of the realm of this name: one segment of a URL below ``/realms`` (RFC 3986 §3.3)."""
    return f"/realms/{quote(name, safe=_UNQUOTED)}"
