"""A client as the token path sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from keyturn.model.client_credential import OWN, MoreCredentials
from keyturn.model.client_keys import NO_KEYS, KeySource
from keyturn.model.client_scope import ClientScope
from keyturn.model.pairwise import PairwiseSubjects
from keyturn.model.subject import Subject


@dataclass(frozen=True, slots=True)
class SecretDigest:
    """A client secret that may be used, as its SHA-256.

    ``expires`` is the last second in which it counts, since the epoch; None for ever. ``name`` is what its use is
    counted under.
    """

    digest: bytes = field(repr=False)
    expires: int | None = None
    name: str = OWN


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A client secret as it is: for clients that sign with it. The rest is as for ``SecretDigest``."""

    secret: bytes = field(repr=False)
    expires: int | None = None
    name: str = OWN


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Client:
    """Everything that a token request needs to know of a client. Made by ``registry.compile``, never changed."""

    id: str
    client_id: str
    enabled: bool
    protocol: str
    public: bool
    bearer_only: bool
    authenticator: str
    """``clientAuthenticatorType``."""
    secrets: tuple[SecretDigest, ...]
    service_account: Subject | None
    """The user that stands for the client, None without ``serviceAccountsEnabled`` or where it is gone."""
    direct_access_grants: bool
    consent_required: bool
    full_scope: bool
    not_before: int
    own_scope: ClientScope
    """The client's own mappers and scope mappings."""
    default_scopes: tuple[ClientScope, ...]
    optional_scopes: Mapping[str, ClientScope]
    own_roles: frozenset[str]
    """Ids of the roles that the client owns: always in its scope."""
    web_origins: frozenset[str]
    attributes: Mapping[str, str]
    service_accounts_enabled: bool = False
    keys: KeySource = NO_KEYS
    """Of a client that signs with its own key."""
    shared_secrets: tuple[SharedSecret, ...] = ()
    """Of a client that signs with its secret; nobody else's is in memory."""
    more: MoreCredentials | None = None
    """What it may prove itself by beside that; None for most."""
    pairwise: PairwiseSubjects | None = None
    """How it calls users; None where everybody calls them the same."""
    prepared: list[Any] = field(default_factory=list, repr=False)
    """What the token path has made ready for this client. It goes when the client is compiled anew."""

    def secrets_until(self, now: float) -> float:
        """When the first of the secrets that count at `now` ends; both in epoch seconds."""
        ends = (secret.expires for secret in self.secrets if secret.expires is not None and secret.expires >= now)
        return min(ends, default=inf)

    def calls(self, user_id: str, subject: str) -> bool:
        """Whether `subject` is what the client calls the user of this id."""
        return subject == user_id or (self.pairwise is not None and subject == self.pairwise.subject(user_id))

    def flag(self, attribute: str) -> bool:
        """Whether the attribute says ``true``, in any case (Java's ``Boolean.parseBoolean``)."""
        value = self.attributes.get(attribute)
        return value is not None and value.lower() == "true"

    def seconds(self, attribute: str) -> int | None:
        """The attribute as a number of seconds; None where it is absent or no number."""
        try:
            return int(self.attributes[attribute])
        except (KeyError, ValueError):
            return None
