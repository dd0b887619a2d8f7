"""Users: made, found, changed, given passwords."""

from typing import Any

import pytest

from admin_server import NOW, Server
from keyturn.sessions.passwords import verify_password
from keyturn.store.collections import REALMS, USERS


def _make(server: Server, **fields: Any) -> str:
    answer = server.call("POST", "/demo/users", fields)
    assert answer.status == 201, answer
    return answer.id


def _told(server: Server, user: str) -> dict[str, Any]:
    body: dict[str, Any] = server.call("GET", f"/demo/users/{user}").body
    return body


def _password_is(server: Server, user: str, password: str) -> bool:
    with server.store.read() as reader:
        realm = reader.find(REALMS, None, realm="demo")
        assert realm is not None
        stored = reader.get(USERS, str(realm.id), user)
    assert stored is not None
    assert isinstance(stored.credentials, list)
    (credential,) = stored.credentials
    return verify_password(credential, password)


def test_a_new_user_is_disabled_and_named_in_lower_case(server: Server) -> None:
    told = _told(server, _make(server, username="Ada", email="Ada@Example.com", id="taken-from-nobody"))
    assert told["id"] != "taken-from-nobody"
    assert (told["username"], told["email"], told["enabled"]) == ("ada", "ada@example.com", False)
    assert told["createdTimestamp"] == int(NOW * 1000)
    assert told["access"]["impersonate"] is True


@pytest.mark.parametrize(
    ("user", "status", "body"),
    [
        ({"username": "ADA"}, 409, {"errorMessage": "User exists with same username"}),
        ({"username": "ada@x.org"}, 409, {"errorMessage": "User exists with same username"}),
        ({"username": "eve", "email": "ADA@x.org"}, 409, {"errorMessage": "User exists with same email"}),
        ({"enabled": True}, 400, {"errorMessage": "User name is missing"}),
        (
            {"username": "ab"},
            400,
            {"field": "username", "errorMessage": "error-invalid-length", "params": ["username", 3, 255]},
        ),
        (
            {"username": "p\u0430ypal"},  # a Cyrillic letter
            400,
            {"field": "username", "errorMessage": "error-username-invalid-character", "params": ["username"]},
        ),
        (
            {"username": "eve", "email": "NONSENSE"},
            400,
            {"field": "email", "errorMessage": "error-invalid-email", "params": ["email", "nonsense"]},
        ),
    ],
)
def test_refuses_users_in_keycloaks_words(server: Server, user: Any, status: int, body: Any) -> None:
    _make(server, username="ada", email="ada@x.org")
    answer = server.call("POST", "/demo/users", user)
    assert (answer.status, answer.body) == (status, body)


def test_everything_that_is_wrong_is_told_at_once(server: Server) -> None:
    answer = server.call("POST", "/demo/users", {"username": "ab", "email": "bad", "firstName": "<b>"})
    assert {error["field"] for error in answer.body["errors"]} == {"username", "email", "firstName"}


def test_a_user_comes_with_groups_and_a_password_but_without_roles(server: Server) -> None:
    group = server.call("POST", "/demo/groups", {"name": "team"}).id
    user = _make(
        server,
        username="ada",
        groups=["/team"],
        realmRoles=["offline_access"],
        credentials=[{"type": "password", "value": "pw", "temporary": True}],
    )
    assert [each["id"] for each in server.call("GET", f"/demo/users/{user}/groups").body] == [group]
    mapped = server.call("GET", f"/demo/users/{user}/role-mappings").body["realmMappings"]
    assert [role["name"] for role in mapped] == ["default-roles-demo"]
    assert _told(server, user)["requiredActions"] == ["UPDATE_PASSWORD"]
    assert _password_is(server, user, "pw")


def test_nothing_is_left_of_a_user_whose_group_is_not_there(server: Server) -> None:
    assert server.call("POST", "/demo/users", {"username": "ada", "groups": ["/nope"]}).status == 400
    assert server.call("GET", "/demo/users/count").body == 0


def test_attributes_in_a_change_replace_what_is_not_given(server: Server) -> None:
    user = _make(server, username="ada", email="ada@x.org", firstName="Ada", lastName="Byron")
    assert server.call("PUT", f"/demo/users/{user}", {"firstName": "Augusta"}).status == 204
    assert _told(server, user)["lastName"] == "Byron"
    assert server.call("PUT", f"/demo/users/{user}", {"firstName": "A", "attributes": {}}).status == 204
    assert not {"lastName", "email"} & _told(server, user).keys()


def test_a_user_is_renamed_only_where_the_realm_allows_it(server: Server) -> None:
    user = _make(server, username="ada")
    answer = server.call("PUT", f"/demo/users/{user}", {"username": "augusta"})
    assert answer.body == {
        "field": "username",
        "errorMessage": "error-user-attribute-read-only",
        "params": ["username"],
    }
    server.call("PUT", "/demo", {"editUsernameAllowed": True})
    assert server.call("PUT", f"/demo/users/{user}", {"username": "Augusta"}).status == 204
    assert _told(server, user)["username"] == "augusta"


def test_the_address_is_the_name_where_the_realm_says_so(server: Server) -> None:
    server.call("PUT", "/demo", {"registrationEmailAsUsername": True})
    assert _told(server, _make(server, username="ada", email="Ada@x.org"))["username"] == "ada@x.org"
    answer = server.call("POST", "/demo/users", {"username": "eve"})
    assert answer.body == {"field": "email", "errorMessage": "error-user-attribute-required", "params": ["email"]}


def test_a_password_is_set_and_never_shown(server: Server) -> None:
    user = _make(server, username="ada")
    path = f"/demo/users/{user}/reset-password"
    assert server.call("PUT", path, {"value": "one", "temporary": True}).status == 204
    assert _told(server, user)["requiredActions"] == ["UPDATE_PASSWORD"]
    (first,) = server.call("GET", f"/demo/users/{user}/credentials").body
    assert first.keys() == {"id", "type", "createdDate", "credentialData"}
    assert server.call("PUT", path, {"value": "two"}).status == 204
    (second,) = server.call("GET", f"/demo/users/{user}/credentials").body
    assert second["id"] == first["id"]
    assert _told(server, user)["requiredActions"] == []
    assert _password_is(server, user, "two")


@pytest.mark.parametrize(
    ("policy", "password", "error"),
    [
        ("length(8)", "short", "invalidPasswordMinLengthMessage"),
        ("maxLength(3)", "long", "invalidPasswordMaxLengthMessage"),
        ("digits(1)", "none", "invalidPasswordMinDigitsMessage"),
        ("length(8) and upperCase(1)", "x", "invalidPasswordMinUpperCaseCharsMessage"),
        ("specialChars(1)", "none", "invalidPasswordMinSpecialCharsMessage"),
        ("notUsername(undefined)", "Ada", "invalidPasswordNotUsernameMessage"),
        ("regexPattern(^[a-z]+$)", "A1", "invalidPasswordRegexPatternMessage"),
    ],
)
def test_the_realms_policy_counts_for_administrators(server: Server, policy: str, password: str, error: str) -> None:
    user = _make(server, username="ada")
    server.call("PUT", "/demo", {"passwordPolicy": policy})
    answer = server.call("PUT", f"/demo/users/{user}/reset-password", {"value": password})
    assert (answer.status, answer.body["error"]) == (400, error)
    assert server.call("GET", f"/demo/users/{user}/credentials").body == []


@pytest.mark.parametrize(
    ("credential", "body"),
    [
        (None, {"error": "No password provided"}),
        ({}, {"error": "No password provided"}),
        ({"value": "  "}, {"error": "Empty password not allowed"}),
    ],
)
def test_refuses_no_password(server: Server, credential: Any, body: Any) -> None:
    answer = server.call("PUT", f"/demo/users/{_make(server, username='ada')}/reset-password", credential)
    assert (answer.status, answer.body) == (400, body)


def test_credentials_are_labelled_moved_and_removed(server: Server) -> None:
    one_time = {"type": "otp", "secretData": "{}", "credentialData": "{}"}
    user = _make(server, username="ada", credentials=[{"type": "password", "value": "pw"}, one_time])
    path = f"/demo/users/{user}/credentials"
    password, otp = (each["id"] for each in server.call("GET", path).body)
    assert _told(server, user)["totp"] is True
    assert server.call("PUT", f"{path}/{otp}/userLabel", b"my phone", content_type="text/plain").status == 204
    assert server.call("POST", f"{path}/{otp}/moveToFirst").status == 204
    told = server.call("GET", path).body
    assert [(each["id"], each.get("userLabel")) for each in told] == [(otp, "my phone"), (password, None)]
    assert server.call("POST", f"{path}/{otp}/moveAfter/{password}").status == 204
    assert server.call("DELETE", f"{path}/{password}").status == 204
    assert [each["id"] for each in server.call("GET", path).body] == [otp]
    assert server.call("DELETE", f"{path}/nope").body == {"error": "Credential not found"}


def test_a_service_account_has_no_password(server: Server) -> None:
    client = server.call("POST", "/demo/clients", {"clientId": "svc", "serviceAccountsEnabled": True}).id
    user = server.call("GET", f"/demo/clients/{client}/service-account-user").body["id"]
    answer = server.call("PUT", f"/demo/users/{user}/reset-password", {"value": "pw"})
    assert (answer.status, answer.body["error"]) == (400, "You can not manage credentials for this user")


def test_a_service_account_may_have_any_attribute(server: Server) -> None:
    client = server.call("POST", "/demo/clients", {"clientId": "svc", "serviceAccountsEnabled": True}).id
    user = server.call("GET", f"/demo/clients/{client}/service-account-user").body["id"]
    assert server.call("PUT", f"/demo/users/{user}", {"attributes": {"tier": ["gold"]}}).status == 204
    assert _told(server, user)["attributes"] == {"tier": ["gold"]}
    answer = server.call("PUT", f"/demo/users/{user}", {"username": "ab"})
    assert {error["errorMessage"] for error in answer.body["errors"]} == {
        "error-user-attribute-read-only",
        "error-invalid-length",
    }


def test_a_removed_user_is_gone(server: Server) -> None:
    user = _make(server, username="ada")
    assert server.call("DELETE", f"/demo/users/{user}").status == 204
    assert server.call("GET", f"/demo/users/{user}").body == {"error": "User not found"}
    _make(server, username="ada")


@pytest.fixture
def people(server: Server) -> Server:
    """Four people and a service account."""
    server.call("PUT", "/demo/users/profile", _OPEN_PROFILE)
    for name, first, last, on, tier in (
        ("alice", "Alice", "Smith", True, "gold"),
        ("alistair", "Alistair", "Jones", False, "gold"),
        ("bert", "Bert", "Smith", True, "Silver"),
        ("a_b", "A%", "O", True, "none"),
    ):
        email = f"{name}@example.com"
        _make(
            server,
            username=name,
            email=email,
            firstName=first,
            lastName=last,
            enabled=on,
            attributes={"tier": [tier]},
        )
    server.call("POST", "/demo/clients", {"clientId": "svc", "serviceAccountsEnabled": True})
    return server


_ADMIN = {"view": ["admin"], "edit": ["admin"]}
_OPEN_PROFILE = {
    "unmanagedAttributePolicy": "ENABLED",
    "attributes": [
        {"name": "username"},
        {"name": "email"},
        {"name": "firstName", "permissions": _ADMIN},
        {"name": "lastName", "permissions": _ADMIN},
    ],
}
_EVERYBODY = ["a_b", "alice", "alistair", "bert"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", _EVERYBODY),
        ("username=ali", ["alice", "alistair"]),
        ("username=ali&exact=true", []),
        ("username=a_", ["a_b", "alice", "alistair", "service-account-svc"]),  # a wildcard here, as in Keycloak
        ("username=service-account-svc", ["service-account-svc"]),
        ("search=svc", []),
        ("search=smith alice", ["alice"]),
        ("search=lice", []),
        ("search=*lice", ["alice"]),
        ('search="ali"', []),
        ("search=a_", ["a_b"]),
        ("search=username:alice bert", ["alice", "bert"]),
        ("search=smith&first=1&max=1", ["bert"]),
        ("lastName=SMITH&exact=true", ["alice", "bert"]),
        ("enabled=false", ["alistair"]),
        ("q=tier:silver", ["bert"]),
        ("q=tier:gold username:alice", ["alice"]),
        ("q=tier:gold&enabled=true", ["alice"]),
        ("q=tier", _EVERYBODY),
        ("idpAlias=x", []),
        ("first=1&max=2", ["alice", "alistair"]),
        ("max=0", []),
        ("createdBefore=2000-01-01", []),
    ],
)
def test_finds_users_as_keycloak_does(people: Server, query: str, names: list[str]) -> None:
    assert [user["username"] for user in people.call("GET", "/demo/users", query=query).body] == names
    if not {"first", "max"} & {pair.partition("=")[0] for pair in query.split("&")}:
        assert people.call("GET", "/demo/users/count", query=query).body == len(names)


def test_a_brief_list_has_no_attributes(people: Server) -> None:
    (brief,) = people.call("GET", "/demo/users", query="username=alice&briefRepresentation=true").body
    assert brief["access"] == {"manage": True}
    assert not {"attributes", "notBefore", "requiredActions"} & brief.keys()


def test_who_may_only_query_users_is_told_their_number(people: Server) -> None:
    token = people.holder_of("query-users")
    assert people.call("GET", "/demo/users", token=token).body == []
    assert people.call("GET", "/demo/users/count", token=token).body == 5
