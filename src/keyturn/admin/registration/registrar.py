"""What registration does, for one request: who asks is checked in a view of the store, and again in the transaction.

Whatever takes long, as asking the network for names, is done before the transaction begins.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from msgspec.structs import replace

from keyturn.admin.client_access import is_management_client
from keyturn.admin.client_changes import Fresh
from keyturn.admin.context import Environment
from keyturn.admin.errors import NotFound, OAuthError
from keyturn.admin.governance import Governance
from keyturn.admin.http_message import AdminRequest
from keyturn.admin.installation import adapter_settings
from keyturn.admin.registration import clients, tokens
from keyturn.admin.registration.access import Access
from keyturn.admin.registration.governed import governance_of_registration
from keyturn.admin.registration.policies import Policies
from keyturn.admin.registration.providers import OPENID_CONNECT
from keyturn.admin.registration.refusal import forbidden, unauthorized
from keyturn.admin.registration.tokens import Kind, Maker, RegistrationAuth, Shown
from keyturn.admin.registration.trusted_hosts import Names
from keyturn.model.client_policy import Occasion
from keyturn.model.realm import Realm
from keyturn.model.strictness import COMPATIBLE
from keyturn.oauth2.client_authentication import WRONG_PROTOCOL, authenticate
from keyturn.oauth2.client_authentication.spi import Credentials
from keyturn.oauth2.errors import InvalidClient, OAuth2Error, TooManyFailures
from keyturn.oauth2.form import Form
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.spi import Miss
from keyturn.representations import ClientRepresentation, given, present
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import CLIENTS, INITIAL_ACCESS, REALMS
from keyturn.store.spi import Reader, Transaction

__all__ = ["Finish", "Registered", "Registrar"]

Finish: TypeAlias = Callable[[RealmRepresentation, ClientRepresentation], ClientRepresentation]
"""What else becomes of a client that has been made or changed. Raises AdminError where it may not be so."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A client with its scopes, default roles and token, as it is answered, and its realm."""

    client: ClientRepresentation
    realm: RealmRepresentation


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request in one view of the store: its realm, its token, what that opens, and the realm's policies."""

    reader: Reader
    realm: RealmRepresentation
    shown: Shown
    access: Access
    policies: Policies
    governance: Governance


@dataclass(frozen=True, slots=True)
class Registrar:
    """Serves one request to a provider of the realm `compiled`. All methods raise AdminError."""

    environment: Environment
    compiled: Realm
    request: AdminRequest
    provider: str
    names: Names

    def origins(self) -> list[str]:
        """Origins of pages that may have the answer: those of the token, and those of the realm's policies."""
        with self.environment.store.read() as reader:
            return self._origins(self._asked(reader))

    def create(self, posted: ClientRepresentation, finish: Finish) -> Registered:
        """Makes the client that is `posted`, and its registration access token."""
        wanted = clients.asked_for(posted)
        with self.environment.store.read() as reader:
            self._to_create(self._asked(reader), wanted)
        with self.environment.store.write() as tx:
            asked = self._asked(tx)
            auth, wanted = self._to_create(asked, wanted)
            made = asked.governance.registered(clients.create(tx, asked.realm, wanted, self._fresh()))
            made = finish(asked.realm, asked.policies.registered(auth, made))
            made, token = tokens.with_new_token(made, auth, self._origins(asked), self._maker(tx))
            tx.update(CLIENTS, self.compiled.id, made)
            self._count(tx, asked)
            return Registered(clients.shown(tx, asked.realm, made, token), asked.realm)

    def view(self, client_id: str) -> Registered:
        """The client, with the token that was shown."""
        with self.environment.store.read() as reader:
            asked = self._asked(reader)
            client = asked.access.to_view(self._find(reader, client_id))
            asked.governance.view(client)
            asked.policies.before_view(asked.shown.auth, client)
            return Registered(clients.shown(reader, asked.realm, client, self._kept_token(asked)), asked.realm)

    def change(self, client_id: str, sent: ClientRepresentation, finish: Finish) -> Registered:
        """Changes the client to what `sent` says, and gives it a new token for the one that was shown."""
        with self.environment.store.read() as reader:
            self._to_change(self._asked(reader), client_id, sent)
        with self.environment.store.write() as tx:
            asked = self._asked(tx)
            stored, occasion = self._to_change(asked, client_id, sent)
            changed = clients.change(tx, asked.realm, stored, occasion.proposed or sent, self._fresh())
            secret = changed.secret  # a client that is given another one is not told yet
            changed = finish(asked.realm, asked.governance.updated(changed))
            token = self._kept_token(asked) if occasion.keeps_registration_token else ""
            if asked.shown.kind is Kind.REGISTRATION and not token:
                changed, token = tokens.with_new_token(changed, asked.shown.auth, self._origins(asked), self._maker(tx))
            tx.update(CLIENTS, self.compiled.id, changed)
            return Registered(clients.shown(tx, asked.realm, replace(changed, secret=secret), token), asked.realm)

    def remove(self, client_id: str) -> None:
        """Removes the client."""
        with self.environment.store.read() as reader:
            self._to_remove(self._asked(reader), client_id)
        with self.environment.store.write() as tx:
            asked = self._asked(tx)
            clients.remove(tx, asked.realm, self._to_remove(asked, client_id))

    def installation(self, client_id: str) -> dict[str, Any]:
        """The settings of the client's application; the client itself may have them, by its secret."""
        with self.environment.store.read() as reader:
            asked = self._asked(reader)
            client, auth = self._find(reader, client_id), asked.shown.auth
            if asked.shown.kind is Kind.NOTHING and client is not None:
                self._authenticate(client)
                auth = RegistrationAuth.AUTHENTICATED
            else:
                client = asked.access.to_view(client)
            asked.governance.view(client)
            asked.policies.before_view(auth, client)
            return adapter_settings(reader, asked.realm, client, self.request.base_url)

    def _asked(self, reader: Reader) -> _Asked:
        realm = reader.get(REALMS, self.compiled.id, self.compiled.id)
        if realm is None:
            raise NotFound("Realm does not exist")
        now = int(self.environment.clock())
        authorization = self.request.headers.get("authorization")
        certificate = self.request.certificate
        shown = tokens.read_token(authorization, self.compiled, self._issuer, reader, now, certificate)
        access = Access(reader, realm, shown, self.provider, self.request.base_url, now)
        access.check_initial()
        policies = Policies(reader, self.compiled.id, self.request.address, self.names)
        sender = self.request.base_url, self.request.address, self.names
        governance = governance_of_registration(reader, realm, shown, *sender, self._fresh())
        return _Asked(reader, realm, shown, access, policies, governance)

    def _to_create(self, asked: _Asked, wanted: ClientRepresentation) -> tuple[RegistrationAuth, ClientRepresentation]:
        """Which policies the client is for, and what it is to be."""
        auth = asked.access.to_create()
        wanted = asked.governance.register(wanted)
        asked.policies.before_register(auth, wanted)
        return auth, wanted

    def _to_change(
        self, asked: _Asked, client_id: str, sent: ClientRepresentation
    ) -> tuple[ClientRepresentation, Occasion]:
        """The stored client, and what the client policies make of what is to become of it."""
        stored = self._changeable(asked, client_id)
        if self.provider == OPENID_CONNECT and present(sent.optional_client_scopes):
            sent = replace(sent, default_client_scopes=clients.default_scopes(asked.reader, asked.realm, stored))
        occasion = asked.governance.updating(stored, sent)
        asked.policies.before_update(asked.shown.auth, stored, occasion.proposed or sent)
        return stored, occasion

    def _to_remove(self, asked: _Asked, client_id: str) -> ClientRepresentation:
        client = self._changeable(asked, client_id)
        asked.governance.unregister(client)
        asked.policies.before_view(asked.shown.auth, client)
        return client

    def _changeable(self, asked: _Asked, client_id: str) -> ClientRepresentation:
        """The client; none whose roles are rights in a realm, as with the admin API."""
        client = asked.access.to_change(self._find(asked.reader, client_id))
        if is_management_client(self.compiled.name, client):
            raise forbidden()
        return client

    def _find(self, reader: Reader, client_id: str) -> ClientRepresentation | None:
        return reader.find(CLIENTS, self.compiled.id, client_id=client_id)

    def _authenticate(self, client: ClientRepresentation) -> None:
        """Raises Refusal unless the client is public, or the request has its secret (HTTP Basic)."""
        if client.public_client is True:
            return
        authorization = self.request.headers.get("authorization")
        http = Request(self.request.base_url, self.request.address, authorization=authorization)
        registry, now = self.environment.registry, int(self.environment.clock())
        try:
            named = Credentials(http, Form(), self.compiled, now).presented.client_id
            if named is not None:
                registry.load_client(self.compiled.name, named)
            entry = registry.load_realm(self.compiled.name)
            if entry is None:
                raise unauthorized("Failed to authenticate client")
            realm = dataclasses.replace(entry.realm, enabled=True, strictness=COMPATIBLE)
            proved: str | None = authenticate(http, Form(), entry, realm, now).client.client_id
        except TooManyFailures as error:
            raise OAuthError(error.http_status, error.error, error.description) from None
        except (OAuth2Error, Miss) as error:
            if not isinstance(error, InvalidClient) or error.description != WRONG_PROTOCOL:
                raise unauthorized("Failed to authenticate client") from None
            proved = error.trace.client_id  # which is all that is asked here
        if proved != client.client_id:
            raise unauthorized("Different client authenticated")

    def _kept_token(self, asked: _Asked) -> str:
        if asked.shown.kind is not Kind.REGISTRATION:
            return ""
        return tokens.kept_token(asked.shown, self.compiled, self._issuer, self.environment.clock())

    def _count(self, tx: Transaction, asked: _Asked) -> None:
        access = asked.access.initial() if asked.shown.kind is Kind.INITIAL else None
        if access is not None:
            left = given(access.remaining_count, 0) - 1
            tx.update(INITIAL_ACCESS, self.compiled.id, replace(access, remaining_count=left))

    def _origins(self, asked: _Asked) -> list[str]:
        return [*asked.shown.origins, *asked.policies.origins(asked.shown.auth)]

    @property
    def _issuer(self) -> str:
        return self.request.base_url + self.compiled.path

    def _fresh(self) -> Fresh:
        return Fresh(self.environment.new_id, self.environment.new_secret, self.environment.clock())

    def _maker(self, tx: Transaction) -> Maker:
        environment = self.environment
        now = environment.clock()
        return Maker(tx, self.compiled, self._issuer, now, environment.new_id, environment.random)
