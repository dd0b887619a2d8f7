"""What the protocol asks about a client's credentials; the edge finds it out, and puts the request again."""

from dataclasses import dataclass, field
from typing import TypeAlias

from keyturn.model.client_keys import ClientKeys, UnreadableKeys


@dataclass(frozen=True, slots=True)
class UseOnce:
    """Is this the first use of `key` in `namespace`? It is used from now on, until `until` (epoch seconds)."""

    namespace: str
    key: str
    until: int = field(compare=False)
    verified: object = field(default=None, compare=False, repr=False)
    """What was verified before this was asked, for the next turn of the same request: it costs more than the question.
    """


@dataclass(frozen=True, slots=True)
class ReadKeys:
    """Which keys does the JWK Set at `url` hold? One of them is asked for: a set without it may be too old."""

    url: str
    kid: str | None
    algorithm: str
    discovered: bool = False
    """Whether `url` is an issuer, whose metadata names the set's."""
    certificate: str | None = None
    """The thumbprint of the certificate that is asked for, where no key is."""
    bundle: bool = False
    """Whether the set is a SPIFFE bundle."""


@dataclass(frozen=True, slots=True)
class FindBySubject:
    """Which clients does this subject of another issuer stand for (``model.trusted_issuer.subject_key``)?"""

    key: str


Inquiry: TypeAlias = UseOnce | ReadKeys | FindBySubject
Reply: TypeAlias = bool | ClientKeys | UnreadableKeys | tuple[str, ...]
"""Whether it was the first use; the keys, or why there are none; the ``client_id`` of each."""
