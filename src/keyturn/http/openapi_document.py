"""The whole OpenAPI document: the admin API, and beside it the endpoints of a realm.

What those take follows from ``ROUTES`` and ``GRANTS``; what they answer is written here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from keyturn.admin.openapi.document import document as admin_document
from keyturn.admin.openapi.schemas import schemas
from keyturn.admin.resources import RESOURCES
from keyturn.http.realms import ROUTES
from keyturn.oauth2.grants import GRANTS
from keyturn.representations import AccessTokenResponse

__all__ = ["document"]

_TAG: Final = "protocol"
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_JWT: Final = "application/jwt"
_HTML: Final = "text/html"
_TEXT: Final = {"type": "string"}
_ERROR: Final = {"$ref": "#/components/schemas/OAuth2ErrorRepresentation"}
_FAILED: Final = {
    "description": "The error in OAuth's words (RFC 6749 §5.2).",
    "content": {_JSON: {"schema": _ERROR}},
}
_REALM: Final = {"name": "realm", "in": "path", "required": True, "description": "The realm's name.", "schema": _TEXT}
_CHALLENGE: Final = {"description": "`WWW-Authenticate` says why (RFC 6750 §3)."}
_BY_CLIENT: Final[tuple[Mapping[str, Any], ...]] = ({"clientSecretBasic": []}, {})
"""A client says who it is in the header or in the form."""

_MEANINGS: Final[Mapping[str, str]] = {
    "client_id": "Who asks, unless the `Authorization` header says it.",
    "client_secret": "The client's secret, unless the `Authorization` header has it.",
    "client_assertion": "A JWT that the client has signed, instead of a secret (RFC 7523).",
    "client_assertion_type": "`urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with a `client_assertion`.",
    "scope": "Optional client scopes to add, and `openid`, with blanks between them.",
    "username": "A person's user name, or e-mail address where the realm allows that.",
    "password": "The person's password.",
    "refresh_token": "A refresh token of this client.",
    "subject_token": "The access token that is to be exchanged: one for this client, or its own.",
    "subject_token_type": "`urn:ietf:params:oauth:token-type:access_token`, always.",
    "requested_token_type": "An access token, unless it says `…:token-type:id_token` or `…:token-type:refresh_token`.",
    "audience": "A client that the token is to be narrowed to; may be repeated.",
    "resource": "A service that the token is to be for (RFC 8707), in realms that look at it; may be repeated.",
    "token": "The token in question.",
    "token_type_hint": "What the token is said to be; it is looked at either way.",
    "access_token": "The access token, unless the `Authorization` header has it.",
}
_REQUIRED: Final = frozenset({"username", "password", "refresh_token", "subject_token", "subject_token_type"})
_CLIENT: Final = ("client_id", "client_secret", "client_assertion", "client_assertion_type")


def document() -> dict[str, Any]:
    """The document, to be encoded as JSON."""
    whole = admin_document(RESOURCES)
    components = whole["components"]
    components["schemas"] |= {**schemas((), (AccessTokenResponse,)), **_SCHEMAS}
    components["securitySchemes"]["clientSecretBasic"] = {"type": "http", "scheme": "basic"}
    whole["tags"].append(
        {"name": _TAG, "description": "What clients and resource servers use: tokens, keys, metadata."}
    )
    for below, route in ROUTES.items():
        whole["paths"][f"/realms/{{realm}}{below}"] = {
            "parameters": [_REALM],
            **{method.lower(): _operation(below, method) for method in sorted(route.methods - {"HEAD"})},
        }
    return whole


def _operation(below: str, method: str) -> dict[str, Any]:
    described = _OPERATIONS[below]
    special = described.get(method, {})
    common = {name: value for name, value in described.items() if name not in {"GET", "POST"}}
    identifier = (below.rpartition("/")[2] or "realm").replace("-", "_")
    found: dict[str, Any] = {
        "operationId": f"{method.lower()}_{identifier}_endpoint",
        "tags": [_TAG],
        "security": [],
        **common,
        **special,
    }
    found["responses"] = {**found["responses"], "404": {"$ref": "#/components/responses/NotFound"}}
    return found


def _form(parameters: Iterable[str], required: Iterable[str] = ()) -> dict[str, Any]:
    return {"required": True, "content": {_FORM: {"schema": _fields(parameters, required)}}}


def _fields(parameters: Iterable[str], required: Iterable[str], **constants: str) -> dict[str, Any]:
    fixed = {name: {"const": value} for name, value in constants.items()}
    described = {name: {**_TEXT, "description": _MEANINGS[name]} for name in sorted({*parameters, *_CLIENT})}
    return {"type": "object", "properties": {**fixed, **described}, "required": [*constants, *required]}


def _token_form() -> dict[str, Any]:
    """One form a grant, as each declares what it takes."""
    grants = [
        _fields(grant.parameters, sorted(grant.parameters & _REQUIRED), grant_type=grant.grant_type) for grant in GRANTS
    ]
    return {"required": True, "content": {_FORM: {"schema": {"oneOf": grants}}}}


def _answer(text: str, media_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {media_type: {"schema": schema}}}


def _named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_SCHEMAS: Final[Mapping[str, Any]] = {
    "PublicRealm": {
        "type": "object",
        "description": "Which realm this is, and the key that signs RS256. `tokens-not-before` is in epoch seconds.",
        "properties": {
            "realm": _TEXT,
            "public_key": _TEXT,
            "token-service": {"type": "string", "format": "uri"},
            "account-service": {"type": "string", "format": "uri"},
            "tokens-not-before": {"type": "integer"},
        },
        "required": ["realm", "public_key", "token-service", "account-service", "tokens-not-before"],
        "additionalProperties": False,
    },
    "Metadata": {
        "type": "object",
        "description": "What the realm supports, and where (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).",
        "properties": {name: {"type": "string", "format": "uri"} for name in ("issuer", "token_endpoint", "jwks_uri")},
        "required": ["issuer", "token_endpoint", "jwks_uri"],
    },
    "JsonWebKeySet": {
        "type": "object",
        "description": "The realm's public keys (RFC 7517 §5).",
        "properties": {
            "keys": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": dict.fromkeys(("kid", "kty", "alg", "use"), _TEXT),
                    "required": ["kid", "kty", "alg", "use"],
                },
            }
        },
        "required": ["keys"],
        "additionalProperties": False,
    },
    "Introspection": {
        "type": "object",
        "description": "What the token says now (RFC 7662 §2.2); only `active` where it is worth nothing.",
        "properties": {"active": {"type": "boolean"}},
        "required": ["active"],
    },
    "UserInfo": {
        "type": "object",
        "description": "The claims of the user (OpenID Connect Core 1.0 §5.3.2).",
        "properties": {"sub": _TEXT},
        "required": ["sub"],
    },
}

_METADATA: Final = {
    "description": "Metadata of the realm, for clients and resource servers to set themselves up by.",
    "responses": {"200": _answer("The metadata.", _JSON, _named("Metadata"))},
}
_PAGE: Final = _answer("There was no session to end.", _HTML, _TEXT)

_OPERATIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "": {
        "summary": "Which realm this is",
        "responses": {"200": _answer("The realm.", _JSON, _named("PublicRealm"))},
    },
    "/.well-known/openid-configuration": {"summary": "OpenID Connect's metadata", **_METADATA},
    "/.well-known/oauth-authorization-server": {
        "summary": "OAuth's metadata",
        **_METADATA,
        "description": "The same, where RFC 8414 looks for it; "
        "`/.well-known/oauth-authorization-server/realms/{realm}` is the other of its forms.",
    },
    "/.well-known/uma2-configuration": {"summary": "User-Managed Access's metadata", **_METADATA},
    "/protocol/openid-connect/certs": {
        "summary": "The keys that tokens are signed with",
        "responses": {"200": _answer("The keys.", _JSON, _named("JsonWebKeySet"))},
    },
    "/protocol/openid-connect/token": {
        "summary": "Gives tokens",
        "description": "The token endpoint (RFC 6749 §3.2).",
        "security": _BY_CLIENT,
        "requestBody": _token_form(),
        "responses": {
            "200": _answer("The tokens.", _JSON, _named(AccessTokenResponse.__name__)),
            "400": _FAILED,
            "401": _FAILED,
        },
    },
    "/protocol/openid-connect/token/introspect": {
        "summary": "Says what a token is worth",
        "description": "Token introspection (RFC 7662), for a confidential client in the token's audience.",
        "security": _BY_CLIENT,
        "requestBody": _form(("token", "token_type_hint"), ("token",)),
        "responses": {
            "200": {
                "description": "What the token says; signed, where `Accept` asks for it.",
                "content": {_JSON: {"schema": _named("Introspection")}, _JWT: {"schema": _TEXT}},
            },
            "400": _FAILED,
            "401": _FAILED,
            "403": _FAILED,
        },
    },
    "/protocol/openid-connect/revoke": {
        "summary": "Makes a token worth nothing",
        "description": "Token revocation (RFC 7009).",
        "security": _BY_CLIENT,
        "requestBody": _form(("token", "token_type_hint"), ("token",)),
        "responses": {
            "200": {
                **_answer("The token is worth nothing; an error says that it never was worth anything.", _JSON, _ERROR),
                "x-or-empty": True,
            },
            "400": _FAILED,
            "401": _FAILED,
            "403": _FAILED,
        },
    },
    "/protocol/openid-connect/userinfo": {
        "summary": "Says who a token is of",
        "description": "The userinfo endpoint (OpenID Connect Core 1.0 §5.3). It takes an access token with `openid`.",
        "security": [{"accessToken": []}],
        "responses": {
            "200": {
                "description": "The claims; signed, where the client wants it.",
                "content": {_JSON: {"schema": _named("UserInfo")}, _JWT: {"schema": _TEXT}},
            },
            "400": _CHALLENGE,
            "401": _CHALLENGE,
            "403": _CHALLENGE,
        },
        "POST": {"requestBody": {**_form(("access_token",)), "required": False}},
    },
    "/protocol/openid-connect/logout": {
        "summary": "Ends a session",
        "description": "Ends the session of a refresh token; without one, says that there is none to end.",
        "responses": {"200": _PAGE, "400": _FAILED, "401": _FAILED},
        "POST": {
            "security": _BY_CLIENT,
            "requestBody": {**_form(("refresh_token",)), "required": False},
            "responses": {
                "200": _PAGE,
                "204": {"description": "The session has ended."},
                "400": _FAILED,
                "401": _FAILED,
            },
        },
    },
}
