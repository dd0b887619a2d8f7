"""Settings of a realm that hang together, and what an import is held to. Source of every case: asked of Keycloak."""

from typing import Any

import pytest

from admin_server import Server
from keyturn.model.realm_settings import with_settings_that_agree
from keyturn.representations import UNSET, RealmRepresentation

_EMAILS = ("registrationEmailAsUsername", "loginWithEmailAllowed", "duplicateEmailsAllowed")
_ALL = ["totpAppFreeOTPName", "totpAppGoogleName", "totpAppMicrosoftAuthenticatorName"]


def test_a_switch_for_addresses_turns_off_what_it_excludes(server: Server) -> None:
    def switches(change: dict[str, bool]) -> tuple[bool, ...]:
        assert server.call("PUT", "/demo", change).status == 204
        realm = server.call("GET", "/demo").body
        return tuple(realm[name] for name in _EMAILS)

    assert switches({"duplicateEmailsAllowed": True}) == (False, False, True)
    assert switches({"loginWithEmailAllowed": True, "duplicateEmailsAllowed": True}) == (False, False, True)
    assert switches({"loginWithEmailAllowed": True}) == (False, True, False)
    assert switches({"loginWithEmailAllowed": False, "duplicateEmailsAllowed": True}) == (False, False, True)
    assert switches({"registrationEmailAsUsername": True}) == (True, False, False)
    assert switches({"registrationEmailAsUsername": True, "duplicateEmailsAllowed": True}) == (False, False, True)


def test_a_new_realm_whose_users_share_addresses_has_no_login_by_address(server: Server) -> None:
    assert server.call("POST", "", {"realm": "new", "duplicateEmailsAllowed": True}).status == 201
    realm = server.call("GET", "/new").body
    assert (realm["loginWithEmailAllowed"], realm["duplicateEmailsAllowed"]) == (False, True)


@pytest.mark.parametrize(
    ("change", "policy"),
    [
        ({"otpPolicyDigits": 8}, {"Digits": 6, "Period": 30, "Algorithm": "HmacSHA1", "LookAheadWindow": 1}),
        ({"otpPolicyType": "totp", "otpPolicyDigits": 8}, {"Digits": 8, "Period": 0, "LookAheadWindow": 0}),
        ({"otpPolicyType": "hotp", "otpPolicyCodeReusable": True}, {"Type": "hotp", "Digits": 0, "CodeReusable": True}),
    ],
)
def test_one_time_passwords_are_set_with_their_type_and_then_as_a_whole(change: Any, policy: dict[str, Any]) -> None:
    before = RealmRepresentation(
        otp_policy_type="totp",
        otp_policy_algorithm="HmacSHA1",
        otp_policy_initial_counter=0,
        otp_policy_digits=6,
        otp_policy_look_ahead_window=1,
        otp_policy_period=30,
        otp_policy_code_reusable=False,
    )
    given = RealmRepresentation(**{_snake(name): value for name, value in change.items()})
    after = with_settings_that_agree(before, before, given)
    assert {name: getattr(after, _snake(f"otpPolicy{name}")) for name in policy} == policy
    assert (after.otp_policy_algorithm is UNSET) is ("otpPolicyType" in change)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize(
    ("kind", "algorithm", "digits", "period", "applications"),
    [
        ("totp", "HmacSHA1", 6, 30, _ALL),
        ("totp", "HmacSHA256", 8, 30, _ALL[:2]),
        ("totp", "HmacSHA1", 6, 60, _ALL[:1]),
        ("hotp", "HmacSHA1", 6, 60, _ALL[:2]),
    ],
)
def test_tells_which_applications_can_follow_the_rules(
    kind: str, algorithm: str, digits: int, period: int, applications: list[str]
) -> None:
    realm = RealmRepresentation(
        otp_policy_type=kind, otp_policy_algorithm=algorithm, otp_policy_digits=digits, otp_policy_period=period
    )
    assert with_settings_that_agree(realm, RealmRepresentation(), realm).otp_supported_applications == applications


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"accessCodeLifespanLogin": 0, "accessCodeLifespanUserAction": 300}, 400),
        ({"accessCodeLifespanLogin": 1800, "accessCodeLifespanUserAction": 0}, 400),
        ({"accessCodeLifespanLogin": 0}, 204),
    ],
)
def test_refuses_that_a_login_ends_at_once(server: Server, change: dict[str, int], status: int) -> None:
    answer = server.call("PUT", "/demo", change)
    assert answer.status == status
    if status == 400:
        assert answer.body == {"errorMessage": "AccessCodeLifespanLogin or AccessCodeLifespanUserAction cannot be 0"}


@pytest.mark.parametrize(("policy", "password"), [("length(10)", "123"), ("notUsername()", "ada")])
def test_an_import_holds_passwords_to_the_realms_policy(server: Server, policy: str, password: str) -> None:
    ada = {"username": "ada", "credentials": [{"type": "password", "value": password}]}
    answer = server.call("POST", "", {"realm": "new", "passwordPolicy": policy, "users": [ada]})
    assert (answer.status, answer.body) == (400, {"errorMessage": "Password policy not met. See logs for details"})


@pytest.mark.parametrize("client_id", ["account", "account-console", "admin-cli", "broker", "security-admin-console"])
def test_keeps_the_clients_that_every_realm_has(shared_server: Server, client_id: str) -> None:
    (client,) = shared_server.call("GET", "/demo/clients", query=f"clientId={client_id}").body
    answer = shared_server.call("DELETE", f"/demo/clients/{client['id']}")
    assert answer.status == 400
    assert answer.body == {"error": "invalid_request", "error_description": "Could not delete client"}


def test_e_mails_are_checked_though_none_is_sent(server: Server) -> None:
    made = server.call("POST", "/demo/users", {"username": "ada", "enabled": True, "email": "ada@example.com"})
    user = made.headers["location"].rsplit("/admin/realms", 1)[1]

    def said(query: str, actions: list[str]) -> str:
        answer = server.call("PUT", f"{user}/execute-actions-email", actions, query=query)
        assert answer.status == 400
        return str(answer.body["errorMessage"])

    assert said("client_id=nobody", ["none"]) == "Client doesn't exist"
    assert said("redirect_uri=https://x", []) == "Client id missing"
    assert said("client_id=account&redirect_uri=https://x", []) == "Invalid redirect uri."
    assert said("client_id=account", ["UPDATE_PASSWORD", "none"]) == "Provided invalid required actions"
    assert said("client_id=account", ["UPDATE_PASSWORD"]).startswith("Failed to send execute actions email")
    assert server.call("PUT", f"{user}/execute-actions-email", [], query="lifespan=x").status == 404


def test_an_address_that_users_shared_stays_theirs_and_nobody_elses(server: Server) -> None:
    assert server.call("PUT", "/demo", {"duplicateEmailsAllowed": True}).status == 204
    shared = "shared@example.com"
    users = [
        server.call("POST", "/demo/users", {"username": name, "email": shared}).headers["location"]
        for name in ("ada", "bob")
    ]
    assert server.call("PUT", "/demo", {"duplicateEmailsAllowed": False}).status == 204
    ada = users[0].rsplit("/admin/realms", 1)[1]
    assert server.call("PUT", ada, {"email": shared, "firstName": "Ada"}).status == 204
    answer = server.call("POST", "/demo/users", {"username": "eve", "email": shared})
    assert (answer.status, answer.body) == (409, {"errorMessage": "User exists with same username or email"})


def test_what_only_the_server_writes_is_refused_though_the_profile_names_it(server: Server) -> None:
    profile = server.call("GET", "/demo/users/profile").body
    profile["attributes"].append({"name": "LDAP_ID", "permissions": {"view": ["admin"], "edit": ["admin"]}})
    assert server.call("PUT", "/demo/users/profile", profile).status == 200
    answer = server.call("POST", "/demo/users", {"username": "ada", "attributes": {"LDAP_ID": ["x"]}})
    assert (answer.status, answer.body["errorMessage"]) == (400, "updateReadOnlyAttributesRejectedMessage")


def test_finds_users_by_their_link_to_an_identity_provider(server: Server) -> None:
    links = [{"identityProvider": "idp", "userId": "7", "userName": "x"}]
    users = [{"username": "ada", "federatedIdentities": links}, {"username": "bob"}]
    provider = {"alias": "idp", "providerId": "oidc"}
    made = server.call("POST", "", {"realm": "new", "users": users, "identityProviders": [provider]})
    assert made.status == 201

    def found(query: str) -> list[str]:
        return [user["username"] for user in server.call("GET", "/new/users", query=query).body]

    assert found("idpAlias=idp") == found("idpUserId=7") == found("idpAlias=idp&idpUserId=7") == ["ada"]
    assert found("idpAlias=other") == found("idpAlias=idp&idpUserId=8") == []


@pytest.mark.parametrize("realm_id", ["a;b", "a/b"])
def test_an_id_that_could_stand_in_no_path_is_refused(shared_server: Server, realm_id: str) -> None:
    answer = shared_server.call("POST", "", {"realm": "new", "id": realm_id})
    assert (answer.status, answer.body) == (400, {"error": f"Character '{realm_id[1]}' not allowed."})


def test_a_name_with_blanks_is_encoded_in_the_addresses_of_its_clients(server: Server) -> None:
    assert server.call("POST", "", {"realm": "a b%c'é"}).status == 201
    (account,) = server.call("GET", "/a%20b%25c'%C3%A9/clients", query="clientId=account").body
    assert account["baseUrl"] == "/realms/a%20b%25c'%C3%A9/account/"


_L = "x" * 256
_TOO_LONG = {"errorMessage": "Database operation failed"}


@pytest.mark.parametrize(
    "brought",
    [
        {"emailTheme": _L},
        {"otpPolicyType": "x" * 37},
        {"attributes": {_L: "x"}},
        {"supportedLocales": [_L]},
        {"localizationTexts": {_L: {"a": "b"}}},
        {"requiredActions": [{"alias": _L, "providerId": "x", "name": "x"}]},
        {"clients": [{"clientId": "c", "name": _L}]},
        {"clients": [{"clientId": "c", "registeredNodes": {_L: 1}}]},
        {"clientScopes": [{"name": "s", "protocol": "openid-connect", "attributes": {"k": "x" * 2049}}]},
        {"clientScopes": [{"name": "s", "protocol": "openid-connect", "protocolMappers": [{"name": _L}]}]},
        {"components": {"org.keycloak.keys.KeyProvider": [{"name": _L, "providerId": "rsa-generated"}]}},
        {"groups": [{"name": "g", "subGroups": [{"name": _L}]}]},
        {"roles": {"realm": [{"name": "r", "attributes": {"k": [_L]}}]}},
        {"users": [{"username": "ada", "lastName": _L}]},
        {"users": [{"username": "ada", "id": "x" * 37}]},
    ],
    ids="-".join,
)
def test_a_new_realm_brings_no_text_that_is_too_long(shared_server: Server, brought: dict[str, Any]) -> None:
    answer = shared_server.call("POST", "", {"realm": "long"} | brought)
    assert (answer.status, answer.body) == (400, _TOO_LONG)


def test_no_setting_becomes_too_long(shared_server: Server) -> None:
    for change in ({"loginTheme": _L}, {"realm": _L}, {"smtpServer": {"from": "a@b.de", "x": _L}}):
        answer = shared_server.call("PUT", "/demo", change)
        assert (answer.status, answer.body) == (400, _TOO_LONG)


@pytest.mark.parametrize(
    ("settings", "which"),
    [
        ({"host": "mail"}, "sender address 'null'"),
        ({"from": "A <a@b.de>"}, "sender address 'A <a@b.de>'"),
        ({"from": "a@b_c.de"}, "sender address 'a@b_c.de'"),
        ({"from": "\u00e4@b.de"}, "sender address '\u00e4@b.de'"),
        ({"from": "a@b.de", "replyTo": "b"}, "reply-to address 'b'"),
        ({"from": "\u00e4@b.de", "allowutf8": "true", "replyTo": ""}, None),
        ({"from": "a@[127.0.0.1]"}, None),
        ({}, None),
    ],
    ids=["nobody", "a name", "an underscore", "beyond ASCII", "whom to answer", "allowed", "a number", "nothing"],
)
def test_mail_is_from_an_address(shared_server: Server, settings: dict[str, str], which: str | None) -> None:
    answer = shared_server.call("PUT", "/demo", {"smtpServer": settings})
    assert answer.status == (204 if which is None else 400)
    if which is not None:
        assert answer.body["errorMessage"].startswith(f"Invalid {which}. If the address contains UTF-8")
        made = shared_server.call("POST", "", {"realm": "mail", "smtpServer": settings})
        assert made.body == {"error": answer.body["errorMessage"]}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("failureFactor", "Failure factor"),
        ("waitIncrementSeconds", "Wait increment seconds"),
        ("maxFailureWaitSeconds", "Maximum failure wait seconds"),
        ("maxTemporaryLockouts", "Maximum temporary lockouts"),
        ("quickLoginCheckMilliSeconds", "Quick login check milliseconds"),
    ],
)
def test_no_setting_against_guessers_is_negative(shared_server: Server, field: str, text: str) -> None:
    refused = {"errorMessage": f"{text} may not be a negative value"}
    for method, path in (("PUT", "/demo"), ("POST", "")):
        answer = shared_server.call(method, path, {"realm": "demo", field: -1})
        assert (answer.status, answer.body) == (400, refused)
