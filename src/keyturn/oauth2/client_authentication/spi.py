"""What a method of client authentication is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol

from keyturn.model.client import Client
from keyturn.model.client_credential import OWN
from keyturn.model.realm import Realm
from keyturn.oauth2.client_authentication.assertion import Assertion
from keyturn.oauth2.client_authentication.presented import NOT_PROVED, Presented, presented
from keyturn.oauth2.errors import InvalidClient
from keyturn.oauth2.form import Form
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.inquiries import UseOnce
from keyturn.oauth2.spi import Clients

INVALID: Final = "Invalid client or Invalid client credentials"


class Credentials:
    """What a request shows of its client, read once for all methods. Raises UnauthorizedClient."""

    __slots__ = ("_assertion", "form", "http", "now", "presented", "realm")

    def __init__(self, http: Request, form: Form, realm: Realm, now: int) -> None:
        self.http = http
        self.form = form
        self.realm = realm
        self.now = now
        self.presented: Presented = presented(http, form)
        self._assertion: Assertion | None = None

    @property
    def assertion(self) -> Assertion | None:
        """The assertion, be it right or wrong; None where there is none."""
        if self._assertion is None and (text := self.form.get("client_assertion")) is not None:
            self._assertion = Assertion(text)
        return self._assertion


@dataclass(frozen=True, slots=True)
class Proof:
    """A client has proved who it is, provided that `once` is the first use. `told` is for events, and `credential` is
    the name of the one that it was proved by (``model.client_credential``).
    """

    told: Mapping[str, str] = field(default_factory=dict)
    once: UseOnce | None = None
    credential: str = OWN


NO_MORE: Final = Proof()
"""A proof of which there is nothing more to say."""


class Method(Protocol):
    """A method of client authentication. One object, no state."""

    authenticator: ClassVar[str]
    """``clientAuthenticatorType``."""
    metadata: ClassVar[tuple[str, ...]]
    """The names in ``token_endpoint_auth_methods_supported``."""

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The ``client_id`` that the request shows in this method's way; None where it shows none. Raises Miss."""
        ...

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That it is `client`, whose method this is. Raises OAuth2Error, Asked, Miss."""
        ...


def not_proved(told: Mapping[str, str], *, log: str, event: str = NOT_PROVED) -> InvalidClient:
    """The error of a client to which nothing more is said."""
    return InvalidClient(INVALID, log=log, event=event, told=dict(told))
