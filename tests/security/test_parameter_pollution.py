"""One request that can be read in two ways, and names that look like others: nobody becomes somebody else by them."""

import gzip
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from harness.assertions import assertion, form, key, with_keys
from harness.realm import RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from keyturn.jose import jwt

SVC, OTHER = ("svc", "svc-secret"), ("other", "other-secret")
GRANT = "grant_type=client_credentials"
GOOD = f"{GRANT}&client_id=svc&client_secret=svc-secret"
URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    made: RealmUnderTest = make_realm(tmp_path_factory.mktemp("pollution"))
    for client_id, secret in (SVC, OTHER):
        made.add_client(client_id=client_id, secret=secret, service_accounts_enabled=True)
    made.add_client(client_id="signer", **with_keys(key()))
    yield RealmServer(made)
    made.store.close()


def post(
    server: RealmServer, body: bytes | str, content_type: str = URLENCODED, endpoint: str = "token", **headers: str
) -> httpx.Response:
    sent = {"content-type": content_type} | {name.replace("_", "-"): value for name, value in headers.items()}
    return server.protocol("POST", endpoint, content=body, headers=sent)


def whose(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(jwt.parse(answer.json()["access_token"]).claims["azp"])


@pytest.mark.parametrize(
    "more",
    [
        "client_id=other",
        "%63lient_id=other",
        "client%5Fid=other",
        "client_id=svc",
        "client_id=",
        "client_id",
        "client_secret=other-secret",
        "grant_type=password",
        "scope=&scope=",
    ],
)
def test_no_parameter_comes_twice_however_it_is_spelled(server: RealmServer, more: str) -> None:
    for body in (f"{GOOD}&{more}", f"{more}&{GOOD}"):
        answer = post(server, body)
        assert (answer.status_code, answer.json()["error_description"]) == (400, "duplicated parameter")


@pytest.mark.parametrize("endpoint", ["token/introspect", "revoke"])
def test_nor_does_a_token(server: RealmServer, endpoint: str) -> None:
    answer = post(server, f"{GOOD}&token=a&token=b", endpoint=endpoint)
    assert (answer.status_code, answer.json()["error_description"]) == (400, "duplicated parameter")


def test_the_query_adds_nothing_to_the_form(server: RealmServer) -> None:
    assert whose(post(server, GOOD, endpoint="token?client_id=other&client_secret=other-secret&scope=offline")) == "svc"
    assert post(server, "", endpoint=f"token?{GOOD}").status_code == 400


@pytest.mark.parametrize(
    "client_id",
    [
        *("SVC", "Svc", " svc", "svc ", "svc\0", "svc\n", "svc\r\n", "\ufeffsvc", "svc\u200b", "svc\u0301"),
        *("\u0455vc", "\uff53vc", "sv%", "sv_", "s*", "svc'--", "svc;", "svc/", "svc%00", '"svc"'),
    ],
)
def test_a_name_that_looks_like_anothers_is_nobodys(server: RealmServer, client_id: str) -> None:
    answer = post(server, f"{GRANT}&client_id={quote(client_id)}&client_secret=svc-secret")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("secret", ["svc-secret\0", "svc-secret ", "svc-secret\n", "SVC-SECRET", "svc-secre", ""])
def test_a_secret_that_looks_like_the_right_one_is_wrong(server: RealmServer, secret: str) -> None:
    assert post(server, f"{GRANT}&client_id=svc&client_secret={quote(secret)}").status_code == 401


def test_credentials_of_two_clients_are_mixed_up_in_nobodys_favour(server: RealmServer) -> None:
    """Outside strict realms the form counts, as in Keycloak: each part of it needs the secret that belongs to it."""
    basic = httpx.BasicAuth(*OTHER)
    mixed = [
        ("client_id=svc", 401),
        ("client_id=svc&client_secret=other-secret", 401),
        ("client_secret=svc-secret", 401),
    ]
    for shown, status in mixed:
        answer = server.protocol(
            "POST", "token", content=f"{GRANT}&{shown}", headers={"content-type": URLENCODED}, auth=basic
        )
        assert answer.status_code == status, shown
    answer = server.protocol("POST", "token", content=GOOD, headers={"content-type": URLENCODED}, auth=basic)
    assert whose(answer) == "svc"


def test_an_assertion_lends_its_weight_to_no_other_client(server: RealmServer) -> None:
    text = assertion("signer", server.issuer, server.realm.clock())
    for shown in ({"client_id": "svc"}, {"client_id": "other", "client_secret": "svc-secret"}):
        assert server.protocol("POST", "token", data=form(text, **shown)).status_code == 401
    assert whose(server.protocol("POST", "token", data=form(text))) == "signer"


NO_FORMS: dict[str, tuple[bytes, str]] = {
    "plain text": (GOOD.encode(), "text/plain"),
    "said to be JSON": (GOOD.encode(), "application/json"),
    "of no type": (GOOD.encode(), ""),
    "in UTF-16": (GOOD.encode("utf-16"), f"{URLENCODED}; charset=utf-16"),
    "parted by semicolons": (GOOD.replace("&", ";").encode(), URLENCODED),
    "compressed": (gzip.compress(GOOD.encode(), mtime=0), URLENCODED),
    "a compressed bomb": (gzip.compress(b"a" * 5_000_000, mtime=0), URLENCODED),
    "JSON": (b'{"grant_type":"client_credentials","client_id":"svc","client_secret":"svc-secret"}', "application/json"),
    "with a broken escape": (GOOD.encode() + b"&x=%zz", URLENCODED),
    "with a slash too long": (GOOD.encode() + b"&x=%c0%af", URLENCODED),
    "with half a character": (GOOD.encode() + b"&x=%ed%a0%80", URLENCODED),
    "with too many nothings": (GOOD.encode() + b"&" * 5000, URLENCODED),
    "with too many parameters": (GOOD.encode() + b"".join(b"&a%d" % number for number in range(5000)), URLENCODED),
}


@pytest.mark.parametrize("name", NO_FORMS)
def test_what_is_no_form_or_a_broken_one_gets_nothing(server: RealmServer, name: str) -> None:
    assert post(server, *NO_FORMS[name], content_encoding="gzip").status_code == 400


def test_what_is_larger_than_any_form_is_not_read(server: RealmServer) -> None:
    assert post(server, f"{GOOD}&x={'a' * 1_100_000}").status_code == 413
    assert post(server, "--b\r\n" * 300_000, "multipart/form-data; boundary=b").status_code == 413


@pytest.mark.parametrize("name", ["client_id", "grant_type"])
def test_parts_of_a_form_come_once_as_well(server: RealmServer, name: str) -> None:
    fields = [*(pair.split("=") for pair in GOOD.split("&")), (name, "other")]
    parts = "".join(f'--b\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields)
    answer = post(server, parts + "--b--", "multipart/form-data; boundary=b")
    assert (answer.status_code, answer.json()["error_description"]) == (400, "duplicated parameter")
