"""Asks the token endpoint as its edge does, without HTTP around it."""

import json
import os
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from harness.realm import RealmUnderTest
from keyturn.jose import jwt
from keyturn.oauth2.errors import OAuth2Error
from keyturn.oauth2.http_message import Request, Response
from keyturn.oauth2.spi import Facts, Miss, Overtaken, Pending, Refused
from keyturn.oauth2.token_endpoint import TokenEndpoint

BASE_URL = "https://keyturn.test:8443"


@dataclass(frozen=True)
class Answer:
    """What came back; `error` and `description` of a refusal."""

    status: int
    body: dict[str, Any]

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and description."""
        return self.status, self.body.get("error", ""), self.body.get("error_description", "")


def ask(
    realm: RealmUnderTest,
    form: dict[str, Any] | bytes,
    *,
    basic: tuple[str, str] | None = None,
    authorization: str | None = None,
    content_type: str = "application/x-www-form-urlencoded",
    base_url: str = BASE_URL,
    address: str = "192.0.2.7",
) -> Answer:
    """One request to the token endpoint, with whatever must be looked up on the way."""
    if basic is not None:
        authorization = "Basic " + b64encode(":".join(basic).encode()).decode()
    body = form if isinstance(form, bytes) else urlencode(form, doseq=True).encode()
    request = Request(base_url, address, content_type, authorization, body)
    endpoint = TokenEndpoint(realm.clock, os.urandom)
    try:
        response = _respond(endpoint, realm, request)
    except OAuth2Error as error:
        return _refusal(error)
    except Refused as refused:
        for effect in refused.effects:
            realm.facts.perform(realm.entry.realm, effect)
        return _refusal(refused.error)
    return Answer(response.status, json.loads(response.body))


def _refusal(error: OAuth2Error) -> Answer:
    return Answer(error.http_status, {"error": error.error, "error_description": error.description})


def _respond(endpoint: TokenEndpoint, realm: RealmUnderTest, request: Request) -> Response:
    facts: Facts | None = None
    while True:
        entry = realm.entry
        try:
            decision = endpoint.decide(request, entry.realm, entry, facts)
        except Miss as miss:
            realm.registry.load_client(realm.name, miss.client_id)
            continue
        if isinstance(decision, Pending):
            facts = realm.facts.resolve(entry.realm, decision.question)
            continue
        response = endpoint.mint(decision)
        if isinstance(response, Pending):
            realm.facts.resolve(entry.realm, response.question)
            continue
        try:
            for effect in decision.effects:
                realm.facts.perform(entry.realm, effect)
        except Overtaken:
            facts = None
            continue
        return response


def verified(realm: RealmUnderTest, token: str) -> jwt.VerifiedClaims:
    """The claims of a token that the realm's keys verify."""
    algorithm = jwt.parse(token).algorithm
    return jwt.verify(token, realm.entry.realm.keys.verifying, frozenset({algorithm}))
