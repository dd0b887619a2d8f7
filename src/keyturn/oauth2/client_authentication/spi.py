"""What a method of client authentication is."""

from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol

from keyturn.model.client import Client
from keyturn.oauth2.form import Form
from keyturn.oauth2.http_message import Request

NOT_PROVED: Final = "invalid_client_credentials"
"""What events call a client that has not proved who it is."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What the request shows of its client."""

    client_id: str
    secret: str | None = field(repr=False)


class Method(Protocol):
    """A method of client authentication. One object, no state."""

    authenticator: ClassVar[str]
    """``clientAuthenticatorType``."""
    metadata: ClassVar[tuple[str, ...]]
    """The names in ``token_endpoint_auth_methods_supported``."""

    def present(self, request: Request, form: Form) -> Presented | None:
        """Who the client says it is; None where the request says nothing in this method's way."""
        ...

    def proves(self, presented: Presented, client: Client, now: int) -> bool:
        """Whether the client has proved it."""
        ...

    def pretend(self, presented: Presented, now: int) -> None:
        """Does the work of ``proves`` for a client that is not there, so that its absence cannot be timed."""
        ...
