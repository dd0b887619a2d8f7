"""Requests to a realm's endpoints as Hypothesis draws them: forms that are right, wrong, repeated and broken."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

from hypothesis import strategies as st

from fuzz.documents import ODD

__all__ = ["REALM", "FormRequest", "form_requests"]

REALM: Final = b"/realms/demo"
_ENDPOINTS: Final = (b"token", b"token/introspect", b"revoke", b"logout", b"userinfo", b"certs", b"token/", b"x")
_NAMES: Final = (
    "grant_type",
    "client_id",
    "client_secret",
    "scope",
    "token",
    "token_type_hint",
    "refresh_token",
    "username",
    "password",
    "id_token_hint",
    "post_logout_redirect_uri",
    "client_assertion",
    "client_assertion_type",
    "audience",
    "resource",
    "access_token",
    "state",
)
_TEXTS: Final = st.one_of(st.sampled_from(ODD), st.text(max_size=10))
_TOKENS: Final = st.sampled_from(("@access", "@refresh", "@id", "@access.", "@access x", "e30.e30.", "..", "eyJ"))
"""``@access`` stands for a genuine token, which the test has."""
_VALUES: Final = {
    "grant_type": st.sampled_from(("client_credentials", "client_credentials", "password", "refresh_token", "x", "")),
    "client_id": st.sampled_from(("first", "first", "first", "second", "admin-cli", "account", "nobody", "")),
    "client_secret": st.sampled_from(("s", "s", "s", "wrong")),
    "scope": st.sampled_from(("openid", "profile email", "offline_access", "openid openid", "nope", " ", "roles")),
    "token": _TOKENS,
    "refresh_token": _TOKENS,
    "id_token_hint": _TOKENS,
    "access_token": _TOKENS,
    "token_type_hint": st.sampled_from(("access_token", "refresh_token", "requesting_party_token", "x")),
    "username": st.sampled_from(("ada", "service-account-first", "nobody")),
    "password": st.sampled_from(("password", "wrong")),
    "client_assertion_type": st.just("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    "client_assertion": _TOKENS,
    "post_logout_redirect_uri": st.sampled_from(("https://example.com/", "//[", "javascript:x")),
}
_USUAL: Final = (("grant_type", "client_credentials"), ("client_id", "first"), ("client_secret", "s"))
_FORM: Final = b"application/x-www-form-urlencoded"
_CONTENT_TYPES: Final = (
    _FORM,
    _FORM,
    _FORM,
    _FORM + b"; charset=UTF-16",
    b"multipart/form-data; boundary=b",
    b"multipart/form-data",
    b"application/json",
    b"garbage",
    b"",
    b"\xff",
)
_HEADERS: Final = st.sampled_from(
    (
        (b"accept", b"application/jwt"),
        (b"accept", b";;,"),
        (b"origin", b"https://example.com"),
        (b"origin", b"null"),
        (b"origin", b"\xff\xfe"),
        (b"dpop", b"x"),
        (b"host", b"evil\xff"),
        (b"host", b"a:99999"),
        (b"x-forwarded-host", b"evil"),
        (b"content-encoding", b"gzip"),
        (b"cookie", b"KEYCLOAK_IDENTITY=x"),
    )
)


@dataclass(frozen=True)
class FormRequest:
    """A request before the genuine tokens are put into it."""

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@st.composite
def _pairs(draw: st.DrawFn) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = list(_USUAL) if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from(_NAMES))
        odd = draw(st.integers(0, 4)) == 0
        pairs.append((name, draw(_TEXTS if odd or name not in _VALUES else _VALUES[name])))
    if draw(st.integers(0, 30)) == 7:
        pairs += [(draw(_TEXTS), "x")] * draw(st.sampled_from((2, 999, 1001, 20_000)))
    return pairs if draw(st.booleans()) else list(dict(pairs).items())


def _urlencoded(pairs: list[tuple[str, str]]) -> bytes:
    def encoded(text: str) -> str:
        return quote_plus(text.encode("utf-8", "surrogatepass"), safe="@")

    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in pairs).encode()


def _multipart(pairs: list[tuple[str, str]]) -> bytes:
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode("utf-8", "surrogatepass")
        for name, value in pairs
    )
    return b"".join(parts) + b"--b--\r\n"


@st.composite
def _authorization(draw: st.DrawFn) -> tuple[tuple[bytes, bytes], ...]:
    match draw(st.integers(0, 7)):
        case 0:
            credentials = draw(
                st.sampled_from((b"first:s", b"first:", b"first", b":", b"\xff:\xff", b"first:%73", b"a:%"))
            )
            return ((b"authorization", b"Basic " + b64encode(credentials)),)
        case 1:
            return (
                (b"authorization", draw(st.sampled_from((b"Bearer @access", b"bearer  @access", b"DPoP @access")))),
            )
        case 2:
            return (
                (b"authorization", draw(st.sampled_from((b"", b"Basic", b"Basic !!!", b"Bearer", b"\xff", b"x y z")))),
            )
        case _:
            return ()


@st.composite
def form_requests(draw: st.DrawFn) -> FormRequest:
    """Any request below ``/realms``; most of them are POSTs of a form to an endpoint that takes one."""
    pairs = draw(_pairs())
    content_type = draw(st.sampled_from(_CONTENT_TYPES))
    body = _multipart(pairs) if content_type.startswith(b"multipart") else _urlencoded(pairs)
    match draw(st.integers(0, 12)):
        case 0:
            body = draw(st.sampled_from((b"%", b"a=%zz", b"\xff=\xfe", b"=&=&&", b"a" * 2_000_000, b"\x00", b"a=%00")))
        case 1:
            body = body[: len(body) // 2]
        case _:
            pass
    path = REALM + b"/protocol/openid-connect/" + draw(st.sampled_from(_ENDPOINTS[:4] * 3 + _ENDPOINTS))
    if draw(st.integers(0, 20)) == 3:
        path = draw(_ODD_PATHS)
    method = draw(st.sampled_from(("POST",) * 12 + ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "x")))
    query = draw(st.sampled_from((b"",) * 6 + (b"grant_type=x", b"%", b"a=\xff", b"access_token=@access", b"&&&")))
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", content_type), *draw(_authorization()))
    extra: Any = draw(st.lists(_HEADERS, max_size=1))
    return FormRequest(method, path, query, (*headers, *extra), body)


_ODD_PATHS: Final = st.sampled_from(
    (
        b"/realms/",
        b"/realms/none/protocol/openid-connect/token",
        b"/realms/%00/protocol/openid-connect/token",
        b"/realms/%ff/protocol/openid-connect/token",
        b"/realms/de%6Do/protocol/openid-connect/token",
        b"/realms/demo/../demo/protocol/openid-connect/token",
        b"/realms/demo//protocol/openid-connect/token",
        b"/realms/demo;x=y/protocol/openid-connect/token",
        b"/realms/" + b"x" * 10_000,
        b"/realms/demo/protocol/saml/x",
        b"/realms/demo/protocol/openid-connect/token/introspect/x",
        b"/realms/demo/.well-known/openid-configuration",
        b"/.well-known/oauth-authorization-server/realms/demo",
        b"/.well-known/oauth-authorization-server/realms/%zz",
        b"/admin/realms/demo",
        b"/%",
        b"//",
        b"*",
        b"/health/ready",
    )
)
