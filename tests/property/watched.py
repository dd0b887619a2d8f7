"""A server, and what must follow from whatever was done to it."""

import json
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from admin_server import Answer, Server
from harness.connection import Port
from harness.deployment import Deployment
from harness.realm import RealmUnderTest
from harness.tokens import BASE_URL, ask
from keyturn.jose import jwt
from keyturn.oauth2.errors import OAuth2Error
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.introspection import introspect
from keyturn.oauth2.spi import Answer as Decided
from keyturn.oauth2.spi import Facts, Miss
from keyturn.store.collections import REALMS
from property.plain_model import ADDRESS, JSON, PlainModel, listed
from property.prepared import ALGORITHM, BUILT_IN_ROLES, WATCHER, template


class Watched(RuleBasedStateMachine):
    """A server whose tokens are held against what its documents say."""

    @initialize()
    def start(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="keyturn-property-"))
        shutil.copytree(template(), self._directory, dirs_exist_ok=True)
        self.deployment = Deployment.on(self._directory)
        self.server = Server(self.deployment.store, self.deployment.registry)
        self._model: tuple[int, PlainModel] | None = None
        with self.deployment.store.read() as reader:
            self.realm = next(str(realm.id) for realm in reader.select(REALMS, None) if realm.realm == "demo")
        self.name = "demo"
        self.tokens: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.numbers = count(1)
        self.port = Port(self.under_test())
        self.connection = self.port.connect(ADDRESS)

    def teardown(self) -> None:
        if hasattr(self, "deployment"):
            self.connection.close()
            self.port.close()
            self.deployment.close()
            shutil.rmtree(self._directory)

    # What there is.

    def model(self) -> PlainModel:
        with self.deployment.store.read() as reader:
            if self._model is None or self._model[0] != reader.revision:
                self._model = reader.revision, PlainModel.of(reader, self.realm)
        return self._model[1]

    def mine(self, model: PlainModel) -> list[JSON]:
        """The clients that this test plays with."""
        built_in = {WATCHER, "account", "account-console", "admin-cli", "broker", "realm-management"}
        built_in.add("security-admin-console")
        return [client for client in model.clients.values() if client["clientId"] not in built_in]

    def scopes(self, model: PlainModel) -> list[JSON]:
        built_in = ("basic", "roles", "service_account", "acr", "web-origins", "role_list", "saml_organization")
        return [scope for scope in model.scopes.values() if scope["name"] not in built_in]

    def roles(self, model: PlainModel) -> list[JSON]:
        owners = {client["id"] for client in self.mine(model)} | {self.realm}
        return [
            role
            for role in model.roles.values()
            if role["containerId"] in owners
            and role["name"] not in BUILT_IN_ROLES
            and not role["name"].startswith("default-roles-")
        ]

    def call(self, method: str, path: str, document: Any = None) -> Answer:
        """An admin request below the realm; refused it may be, but not broken."""
        answer = self.server.call(method, f"/{quote(self.name)}{path}", document)
        assert answer.status < 500, (method, path, document, answer)
        return answer

    # What must follow.

    @invariant()
    def every_token_says_what_the_documents_say(self) -> None:
        if not hasattr(self, "deployment"):
            return
        realm = self.under_test()
        issuer = f"{BASE_URL}/realms/{quote(self.name)}"
        for client_id in ("one", "two", "ant"):
            if self.model().client(client_id) is None:  # so that it is known not to be there, and must be noticed later
                nobody = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "secret"}
                assert ask(realm, nobody).error[:2] == self.model().refusal(client_id, "secret", set())
        for client in self.mine(self.model()):
            before = self.tokens.get(client["id"])
            if before is not None:
                self.introspect(realm, before, issuer)
            optional = {scope["name"] for scope in self.model().optional_scopes(client)}
            asked: list[set[str]] = [set(), optional] if optional else [set()]
            for requested in asked:
                token = self.ask(realm, client, requested, issuer)
                if token is not None:
                    self.tokens[client["id"]] = token
                    self.introspect(realm, token, issuer)
            self.try_the_secret_of_before(realm, client)

    def under_test(self) -> RealmUnderTest:
        served = self.deployment
        return RealmUnderTest(served.store, served.registry, served.facts, served.clock, self.name, self.realm)

    def ask(self, realm: RealmUnderTest, client: JSON, requested: set[str], issuer: str) -> str | None:
        """A token, held against the model; None where it must be refused, and is."""
        secret = client.get("secret", "")
        form = {"grant_type": "client_credentials", "client_id": client["clientId"], "client_secret": secret}
        if requested:
            form["scope"] = " ".join(sorted(requested))
        answer = self.connection.token(realm.name, form)
        model = self.model()  # after the request: a realm without a key gets one by it
        refusal = model.refusal(client["clientId"], secret, requested)
        if refusal is not None:
            assert answer.error[:2] == refusal
            return None
        assert answer.status == 200, answer
        token = str(answer.body["access_token"])
        unverified = jwt.parse(token)
        expected = model.token(client["clientId"], requested, issuer=issuer, now=int(self.server.now))
        found = {claim: value for claim, value in unverified.claims.items() if claim != "jti"}
        assert listed(found | {"scope": words(found["scope"])}) == expected
        assert unverified.header["kid"] == model.kid(ALGORITHM)
        assert answer.body["expires_in"] == model.lifespan(client)
        return token

    def introspect(self, realm: RealmUnderTest, token: str, issuer: str) -> None:
        """What the watcher is told of a token, held against the model."""
        claims = dict(jwt.parse(token).claims)
        answer = introspected(realm, token)
        model = self.model()
        if not model.realm.get("enabled"):
            assert answer == {"error": "access_denied"}
        elif not model.active(jwt.parse(token).header, claims, WATCHER, issuer=issuer, now=int(self.server.now)):
            assert answer == {"active": False}
        else:
            assert listed(answer | {"scope": words(answer["scope"])}) == model.introspection(claims)

    def try_the_secret_of_before(self, realm: RealmUnderTest, client: JSON) -> None:
        now, before = client.get("secret", ""), self.secrets.get(client["id"])
        self.secrets[client["id"]] = now
        if before and now and before != now:
            form = {"grant_type": "client_credentials", "client_id": client["clientId"], "client_secret": before}
            refusal = self.model().refusal(client["clientId"], before, set())
            assert ask(realm, form).error[:2] == refusal


def words(text: str) -> set[str]:
    return set(text.split(" ")) - {""}


def introspected(realm: RealmUnderTest, token: str) -> JSON:
    """The introspection answer, with whatever must be looked up on the way."""
    form = urlencode({"token": token, "client_id": WATCHER, "client_secret": WATCHER}).encode()
    http = Request(BASE_URL, ADDRESS, "application/x-www-form-urlencoded", body=form)
    facts: Facts | None = None
    while True:
        entry = realm.entry
        try:
            decided = introspect(http, entry.realm, entry, int(realm.clock.now), facts)
        except Miss as miss:
            realm.registry.load_client(realm.name, miss.client_id)
            continue
        except OAuth2Error as error:
            return {"error": error.error}
        if isinstance(decided, Decided):
            answer: JSON = json.loads(decided.response.body)
            return answer
        facts = realm.facts.resolve(entry.realm, decided.question)
