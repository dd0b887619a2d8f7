"""The admin API of a server, called without HTTP."""

from dataclasses import dataclass, field
from typing import Any

from keyturn.admin.api import AdminApi
from keyturn.admin.http_message import AdminRequest
from keyturn.admin.randomness import random_id
from keyturn.jose import jwt
from keyturn.model.user_session import ClientSession, UserSession
from keyturn.registry.registry import Registry
from keyturn.representations import decode, encode
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, REALMS, ROLES, SESSIONS, USERS
from keyturn.store.spi import Relation, Store

NOW = 1_800_000_000.0
BASE_URL = "http://localhost:8080"


@dataclass(frozen=True)
class Answer:
    """What the API answered, its body read."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def id(self) -> str:
        """The last segment of the Location."""
        return self.headers["location"].rpartition("/")[2]


@dataclass
class Server:
    """The API, and a clock to be moved."""

    store: Store
    registry: Registry
    now: float = NOW
    api: AdminApi = field(init=False)

    def __post_init__(self) -> None:
        self.api = AdminApi(self.store, self.registry, lambda: self.now)

    def call(
        self, method: str, path: str, json: Any = None, *, token: str | None = None, query: str = "", **headers: str
    ) -> Answer:
        """One request; `path` below ``/admin/realms``, by master's administrator unless `token` is another's."""
        body = json if isinstance(json, bytes) else b"" if json is None else encode(json)
        sent = {"authorization": f"Bearer {token if token is not None else self.token()}"}
        if body:
            sent["content-type"] = "application/json"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        pairs = tuple(tuple(pair.split("=", 1)) for pair in query.split("&") if pair)
        response = self.api.handle(
            AdminRequest(
                method=method,
                path=path if path.startswith("/admin") else f"/admin/realms{path}",
                query=pairs,  # type: ignore[arg-type]  # each has two parts
                headers=sent,
                body=body,
                base_url=BASE_URL,
                address="127.0.0.1",
            )
        )
        found = dict(response.headers)
        is_json = bool(response.body) and found.get("content-type", "").startswith("application/json")
        return Answer(response.status, found, decode(response.body, Any) if is_json else response.body)

    def token(self, realm: str = "master", username: str = "admin", **claims: Any) -> str:
        """An access token of this user by ``admin-cli``."""
        entry = self.registry.load_realm(realm)
        assert entry is not None
        key = entry.realm.keys.signing["RS256"]
        content = {
            "sid": self._session(entry.realm.id, username),
            "iss": f"{BASE_URL}/realms/{realm}",
            "iat": int(self.now),
            "exp": int(self.now) + 60,
            "typ": "Bearer",
            "azp": "admin-cli",
            **claims,
        }
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, encode(content), key).decode()

    def _session(self, realm_id: str, username: str) -> str:
        """The id of a login of this user by ``admin-cli``."""
        with self.store.read() as reader:
            user = reader.find(USERS, realm_id, username=username)
            client = reader.find(CLIENTS, realm_id, client_id="admin-cli")
            assert user is not None
            assert client is not None
            login = f"login-{user.id}"
            if reader.get(SESSIONS, realm_id, login) is not None:
                return login
        session = UserSession(
            id=login,
            user_id=str(user.id),
            username=username,
            address="127.0.0.1",
            started=int(self.now),
            refreshed=int(self.now),
            expires=int(self.now) + 36000,
            clients={str(client.id): ClientSession(started=int(self.now), refreshed=int(self.now))},
        )
        with self.store.write() as tx:
            tx.insert(SESSIONS, realm_id, session)
        return login

    def holder_of(self, *roles: str, realm: str = "demo", **claims: Any) -> str:
        """A token of a new user of `realm` who holds these roles of its management client, and nothing else."""
        user_id = random_id()
        with self.store.write() as tx:
            found = tx.find(REALMS, None, realm=realm)
            assert found is not None
            realm_id = str(found.id)
            client = tx.find(CLIENTS, realm_id, client_id="realm-management")
            assert client is not None
            tx.insert(USERS, realm_id, UserRepresentation(id=user_id, username=user_id, enabled=True))
            for name in roles:
                role = tx.find(ROLES, realm_id, container_id=str(client.id), name=name)
                assert role is not None, name
                tx.link(Relation.USER_ROLE, realm_id, user_id, str(role.id))
        return self.token(realm, user_id, **claims)
