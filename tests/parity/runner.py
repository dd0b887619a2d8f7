"""Sends a scenario's requests to one server and writes down, normalised, what it answered."""

import json
import secrets
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

import httpx
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from parity import expand, material
from parity.certificates import Authority, ClientCertificate, without_certificate
from parity.normalise import Normaliser, decode_jwt
from parity.scenario import Scenario

HEADERS = [
    "content-type", "location", "www-authenticate", "cache-control", "pragma", "allow", "dpop-nonce",
    "referrer-policy", "strict-transport-security", "x-content-type-options", "x-frame-options", "x-robots-tag",
    "access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers",
    "access-control-allow-credentials", "access-control-expose-headers", "access-control-max-age",
]  # fmt: skip
ADMIN_TOKEN_S = 40
MIN_SAVED_LENGTH = 6
MAX_SAVED_LENGTH = 200

Observation = dict[str, Any]


class Server:
    """A server under test and its administrator; `timeout` in seconds.

    With `spread` each request has a connection of its own, and so comes to any worker or node. HTTPS is one port above,
    where clients may show certificates of `authority`.
    """

    def __init__(
        self,
        url: str,
        user: str = "admin",
        password: str = "admin",
        timeout: float = 60,
        *,
        spread: bool = False,
        authority: Authority | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.authority = authority
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        self.https = f"https://{host}:{int(port) + 1}" if host and port.isdecimal() else self.url
        self._credentials = {"username": user, "password": password}
        limits = httpx.Limits(max_keepalive_connections=0 if spread else None)
        # What is on loopback has a certificate of its own.
        self.http = httpx.Client(timeout=timeout, verify=False, follow_redirects=False, limits=limits)
        self._token = ""
        self._token_made = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def admin_token(self) -> str:
        """An access token of the administrator. Raises httpx.HTTPError."""
        if time.monotonic() - self._token_made > ADMIN_TOKEN_S:
            form = {"grant_type": "password", "client_id": "admin-cli", **self._credentials}
            answer = self.http.post(f"{self.url}/realms/master/protocol/openid-connect/token", data=form)
            answer.raise_for_status()
            self._token = answer.json()["access_token"]
            self._token_made = time.monotonic()
        return self._token

    def version(self) -> str:
        """The version that the server tells, empty where it tells none."""
        answer = self.http.get(
            f"{self.url}/admin/serverinfo", headers={"Authorization": f"Bearer {self.admin_token()}"}
        )
        return str(answer.json().get("systemInfo", {}).get("version", "")) if answer.is_success else ""

    def verify(self, token: str) -> str:
        """Whether the JWT's signature holds under the keys that its issuer publishes."""
        decoded = decode_jwt(token)
        if decoded is None or str(decoded[0].get("alg", "")).startswith("HS"):
            return "symmetric"
        issuer = str(decoded[1].get("iss", ""))
        if not issuer.startswith((self.url, self.https)):
            return "foreign issuer"
        try:
            keys = KeySet.import_key_set(self.http.get(f"{issuer}/protocol/openid-connect/certs").json())
            jws.deserialize_compact(token, keys, algorithms=material.ALGORITHMS)
        except (JoseError, ValueError, KeyError, httpx.HTTPError) as error:
            return f"does not hold: {type(error).__name__}"
        return "holds"


class Run:
    """One scenario on one server."""

    def __init__(self, server: Server, scenario: Scenario) -> None:
        self._server = server
        self._scenario = scenario
        self._keys = {name: material.ClientKey(algorithm) for name, algorithm in scenario.keys.items()}
        self._realm = f"parity-{secrets.token_hex(5)}"
        self._names: dict[str, Any] = {"realm": self._realm, "url": server.url, "https": server.https}
        self._known = {server.url: "url", server.https: "https", self._realm: "realm"}
        authority = server.authority or Authority.new()
        self._certificates = {name: ClientCertificate(it, authority) for name, it in scenario.certificates.items()}
        held: dict[str, material.ClientKey | ClientCertificate] = {**self._keys, **self._certificates}
        for name, key in held.items():
            self._names |= key.names(name)
            self._known |= {value: path for path, value in key.names(name).items() if isinstance(value, str)}

    def observe(self) -> list[Observation]:
        """What each step saw. The realm is created before and deleted after. Raises httpx.HTTPError."""
        if self._scenario.realm is not None:
            representation = {"realm": self._realm, "enabled": True, **expand.expand(self._scenario.realm, self._names)}
            created = self._admin("POST", "/admin/realms", representation)
            if created.status_code != httpx.codes.CREATED:
                failure = f"cannot create a realm: {created.status_code}"
                return [{"step": step["step"], "failure": failure} for step in self._scenario.steps]
        try:
            return [self._step(step) for step in self._scenario.steps]
        finally:
            self._clean()

    def _admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._server.admin_token()}"}
        return self._server.http.request(method, self._server.url + path, headers=headers, json=body)

    def _clean(self) -> None:
        for action in self._scenario.cleanup:
            try:
                method, _, path = expand.expand(action, self._names).partition(" ")
            except expand.UnknownPlaceholder:
                continue
            self._admin(method, self._path(path))
        if self._scenario.realm is not None:
            self._admin("DELETE", f"/admin/realms/{self._realm}")

    def _path(self, path: str) -> str:
        """`admin/`, `oidc/` and `realm/` begin the paths of the scenario's realm."""
        for prefix, base in (
            ("admin/", f"/admin/realms/{self._realm}/"),
            ("oidc/", f"/realms/{self._realm}/protocol/openid-connect/"),
            ("realm/", f"/realms/{self._realm}/"),
        ):
            if path.startswith(prefix):
                return base + path.removeprefix(prefix)
        return path

    def _step(self, declared: dict[str, Any]) -> Observation:
        seen: Observation = {"step": declared["step"], "do": declared["do"]}
        if declared.get("exact"):
            seen["exact"] = True
        time.sleep(declared.get("wait", 0))
        try:
            step = expand.expand(declared, self._names | {"admin": self._server.admin_token()})
            answer = self._send(step)
        except expand.UnknownPlaceholder as error:
            return seen | {"failure": f"nothing saved as {error}"}
        except httpx.HTTPError as error:
            if "certificate" in declared:  # how a handshake ends depends on who is quicker
                return seen | {"ended": "the connection"}
            return seen | {"failure": f"no answer: {type(error).__name__}"}
        normaliser = Normaliser(self._known, self._server.verify)
        seen["status"] = answer.status_code
        headers = ((name, answer.headers[name]) for name in HEADERS if name in answer.headers)
        seen["headers"] = {name: normaliser.header(name, text) for name, text in headers}
        document = self._document(answer)
        for name, path in step.get("save", {}).items():
            try:
                self._save(name, path, answer, document)
            except (LookupError, TypeError, AttributeError, ValueError):
                seen["failure"] = f"no {path} to save as {name}"
        if answer.is_error:
            declared = {key: value for key, value in declared.items() if key != "only"}
        seen["body"] = self._body(document, declared, normaliser)
        return seen

    def _document(self, answer: httpx.Response) -> Any:
        if "json" in answer.headers.get("content-type", ""):
            try:
                return json.loads(answer.content)
            except ValueError:
                pass
        return "an HTML page" if "text/html" in answer.headers.get("content-type", "") else answer.text or None

    def _save(self, name: str, path: str, answer: httpx.Response, document: Any) -> None:
        value: Any
        if path == "location":
            value = answer.headers["location"].rstrip("/").rpartition("/")[2]
        else:
            value = expand.find(document, path)
        self._names[name] = value
        if isinstance(value, str) and MIN_SAVED_LENGTH <= len(value) <= MAX_SAVED_LENGTH:
            self._known.setdefault(value, name)

    def _body(self, document: Any, declared: dict[str, Any], normaliser: Normaliser) -> Any:
        document = json.loads(json.dumps(document))
        for ignored in declared.get("ignore", []):
            expand.remove(document, ignored["path"])
        if "only" in declared:
            items = document if isinstance(document, list) else [document]
            kept = [
                {key: item[key] for key in declared["only"] if key in item} if isinstance(item, dict) else item
                for item in items
            ]
            document = kept if isinstance(document, list) else kept[0]
        return normaliser.value(document, ordered=bool(declared.get("ordered")))

    def _send(self, step: dict[str, Any]) -> httpx.Response:
        method, _, path = step["do"].partition(" ")
        server = self._server.https if "certificate" in step else self._server.url
        url = path if path.startswith("http") else server + self._path(path)
        headers = {name: str(value) for name, value in step.get("headers", {}).items()}
        headers |= self._authorization(step, path)
        if "dpop" in step:
            headers["DPoP"] = material.dpop_proof(step["dpop"], self._keys, method, url)
        content: bytes | None = None
        if "form" in step or "assertion" in step:
            form = dict(step.get("form", {}))
            if "assertion" in step:
                form.setdefault("client_assertion_type", material.ASSERTION_TYPE)
                issuer = f"{server}/realms/{self._realm}"
                form["client_assertion"] = material.client_assertion(step["assertion"], self._keys, issuer)
            content = str(httpx.QueryParams(form)).encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif "json" in step:
            content = json.dumps(step["json"]).encode()
            headers.setdefault("Content-Type", "application/json")
        elif "body" in step:
            content = step["body"].encode()
        if "type" in step:
            headers["Content-Type"] = step["type"]
        with self._over(step) as http:
            return http.request(method, url, params=step.get("query"), headers=headers, content=content)

    def _over(self, step: dict[str, Any]) -> AbstractContextManager[httpx.Client]:
        """The connections of the server, or one that shows the certificate that the step names, if it is not `none`."""
        if "certificate" not in step:
            return nullcontext(self._server.http)
        name = step["certificate"]
        context = without_certificate() if name == "none" else self._certificates[name].context()
        return httpx.Client(timeout=60, verify=context, follow_redirects=False, trust_env=False)

    def _authorization(self, step: dict[str, Any], path: str) -> dict[str, str]:
        auth = step.get("auth", "admin" if path.startswith(("admin/", "/admin/")) else "none")
        if auth == "none":
            return {}
        if auth == "admin":
            return {"Authorization": f"Bearer {self._server.admin_token()}"}
        if "basic" in auth:
            credentials = ":".join(auth["basic"])
            return {"Authorization": f"Basic {expand.FILTERS['base64'](credentials)}"}
        scheme, token = next(iter(auth.items()))
        return {"Authorization": f"{'DPoP' if scheme == 'dpop' else 'Bearer'} {token}"}
