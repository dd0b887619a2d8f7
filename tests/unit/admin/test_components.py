"""Components: key providers make keys, keep them and never tell them."""

import os
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from admin_server import Server
from keyturn.registry.key_rotation import rotate_keys

COMPONENTS = "/demo/components"
KEY_PROVIDER = "org.keycloak.keys.KeyProvider"


def provider(provider_id: str, **config: str) -> dict[str, Any]:
    settings = {name: [value] for name, value in config.items()}
    return {"name": "k", "providerId": provider_id, "providerType": KEY_PROVIDER, "config": settings}


def keys_of(server: Server, component_id: str) -> list[dict[str, Any]]:
    keys = server.call("GET", "/demo/keys").body["keys"]
    return [key for key in keys if key["providerId"] == component_id]


@pytest.mark.parametrize(
    ("component", "algorithm", "kind"),
    [
        (provider("rsa-generated", algorithm="PS256"), "PS256", "RSA"),
        (provider("ecdsa-generated", ecdsaEllipticCurveKey="P-384"), "ES384", "EC"),
        (provider("eddsa-generated", eddsaEllipticCurveKey="Ed25519"), "EdDSA", "OKP"),
        (provider("hmac-generated", algorithm="HS256"), "HS256", "OCT"),
    ],
)
def test_a_key_provider_makes_its_key(server: Server, component: Any, algorithm: str, kind: str) -> None:
    made = server.call("POST", COMPONENTS, component)
    (key,) = keys_of(server, made.id)
    assert (key["algorithm"], key["type"], key["status"]) == (algorithm, kind, "ACTIVE")
    assert "secret" not in str(key).lower()
    told = server.call("GET", f"{COMPONENTS}/{made.id}").body
    assert told["config"] == component["config"]


def secret(size: int) -> str:
    return urlsafe_b64encode(bytes(size)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("component", "told"),
    [
        (provider("ecdsa-generated"), {"ecdsaEllipticCurveKey": ["P-256"]}),
        (provider("eddsa-generated"), {"eddsaEllipticCurveKey": ["Ed25519"]}),
        (provider("ecdh-generated"), {"ecdhEllipticCurveKey": ["P-256"]}),
        (provider("hmac-generated"), {}),
        (provider("aes-generated", secret=secret(24), kid="mine"), {"secretSize": ["24"]}),
        (provider("hmac-generated", secret=secret(128), kid="mine"), {}),
    ],
)
def test_a_key_provider_tells_what_its_key_is_like(server: Server, component: Any, told: Any) -> None:
    made = server.call("POST", COMPONENTS, component)
    assert server.call("GET", f"{COMPONENTS}/{made.id}").body["config"] == told
    (key,) = keys_of(server, made.id)
    if "kid" in component["config"]:
        assert key["kid"] == "mine"
    if component["providerId"] == "hmac-generated":
        assert key["algorithm"] == "HS256"


def test_a_secret_that_is_brought_has_to_be_one_of_the_size_that_is_wanted(server: Server) -> None:
    made = server.call("POST", COMPONENTS, provider("aes-generated", secret=secret(16), kid="mine", secretSize="32"))
    (key,) = keys_of(server, made.id)
    assert key["kid"] != "mine"
    refused = server.call("POST", COMPONENTS, provider("aes-generated", secret="!!", kid="mine"))
    assert (refused.status, refused.body) == (400, {"error": "Invalid provider type or no such provider"})
    broken = provider("rsa-generated", privateKey="eA==", certificate="eA==")
    assert server.call("POST", COMPONENTS, broken).status == 400
    brought = {"realm": "brought", "components": {KEY_PROVIDER: [provider("aes-generated", secret="!!", kid="mine")]}}
    del brought["components"][KEY_PROVIDER][0]["providerType"]  # type: ignore[index]
    assert server.call("POST", "", brought).status == 400


def test_a_secret_stays_where_the_usual_size_is_said(server: Server) -> None:
    made = server.call("POST", COMPONENTS, provider("aes-generated"))
    (before,) = keys_of(server, made.id)
    for size, same in (("32", True), ("16", False)):
        change = provider("aes-generated", secretSize=size)
        assert server.call("PUT", f"{COMPONENTS}/{made.id}", change).status == 204
        (after,) = keys_of(server, made.id)
        assert (after["kid"] == before["kid"]) is same


def test_a_name_is_no_longer_than_keycloak_keeps_it(server: Server) -> None:
    assert server.call("POST", COMPONENTS, provider("aes-generated") | {"name": "x" * 256}).status == 400


def test_a_change_keeps_the_key_unless_its_size_changes(server: Server) -> None:
    component = provider("rsa-generated", priority="50")
    made = server.call("POST", COMPONENTS, component)
    (before,) = keys_of(server, made.id)
    changed = {**component, "config": {"priority": ["60"], "active": ["false"]}}
    assert server.call("PUT", f"{COMPONENTS}/{made.id}", changed).status == 204
    (after,) = keys_of(server, made.id)
    assert (after["kid"], after["providerPriority"], after["status"]) == (before["kid"], 60, "PASSIVE")
    larger = {**component, "config": {"keySize": ["1024"]}}
    assert server.call("PUT", f"{COMPONENTS}/{made.id}", larger).status == 204
    (another,) = keys_of(server, made.id)
    assert another["kid"] != before["kid"]


def test_a_removed_provider_takes_its_keys_along(server: Server) -> None:
    made = server.call("POST", COMPONENTS, provider("eddsa-generated"))
    assert server.call("DELETE", f"{COMPONENTS}/{made.id}").status == 204
    assert keys_of(server, made.id) == []
    assert server.call("DELETE", f"{COMPONENTS}/{made.id}").body == {"error": "Could not find component"}


@pytest.mark.parametrize(
    ("component", "body"),
    [
        (provider("nothing"), {"error": "Invalid provider type or no such provider"}),
        (provider("rsa-generated", keySize="1000"), {"errorMessage": "'Key size' should be 1024, 2048, 3072 or 4096"}),
        (provider("rsa-generated", priority="high"), {"errorMessage": "'Priority' should be a number"}),
        (provider("rsa-generated", enabled="x"), {"errorMessage": "'Enabled' should be 'true' or 'false'"}),
        (provider("rsa"), {"errorMessage": "'Private RSA Key' is required"}),
        (provider("rsa", privateKey="nonsense"), {"errorMessage": "Failed to decode private key"}),
    ],
)
def test_refuses_settings_in_keycloaks_words(server: Server, component: Any, body: Any) -> None:
    answer = server.call("POST", COMPONENTS, component)
    assert (answer.status, answer.body) == (400, body)


def test_a_token_of_a_removed_key_does_not_count(server: Server) -> None:
    token = server.holder_of("realm-admin")
    assert server.call("GET", "/demo", token=token).status == 200
    (component,) = server.call("GET", COMPONENTS, query="name=rsa-generated").body
    assert server.call("DELETE", f"{COMPONENTS}/{component['id']}").status == 204
    assert server.call("GET", "/demo", token=token).status == 401


@pytest.mark.parametrize("kind", ["rsa-generated", "rsa-enc-generated"])
def test_an_rsa_key_is_called_what_its_provider_says(server: Server, kind: str) -> None:
    component = {"providerId": kind, "providerType": KEY_PROVIDER, "name": "named", "config": {"kid": ["mine"]}}
    made = server.call("POST", "/demo/components", component)
    assert made.status == 201
    assert "kid" not in server.call("GET", f"/demo/components/{made.id}").body["config"]
    keys = server.call("GET", "/demo/keys").body["keys"]
    assert [key["kid"] for key in keys if key["providerId"] == made.id] == ["mine"]


def test_a_federation_is_kept_though_settings_of_it_have_no_label(server: Server) -> None:
    config = {"connectionUrl": ["ldap://ldap.example.org"], "vendor": ["ad"], "batchSizeForSync": ["10"]}
    config["editMode"] = ["READ_ONLY"]
    component = {"providerId": "ldap", "providerType": "org.keycloak.storage.UserStorageProvider", "name": "people"}
    made = server.call("POST", "/demo/components", component | {"config": config})
    assert made.status == 201
    told = server.call("GET", f"/demo/components/{made.id}").body["config"]
    assert told == config | {"krbPrincipalAttribute": ["userPrincipalName"]}


def test_a_setting_that_is_sent_empty_goes_and_one_that_is_not_sent_stays(server: Server) -> None:
    component = provider("rsa-generated", priority="7", algorithm="RS384")
    made = server.call("POST", COMPONENTS, component).id
    change = component | {"config": {"priority": [""], "unknown": [""]}}
    assert server.call("PUT", f"{COMPONENTS}/{made}", change).status == 204
    assert server.call("GET", f"{COMPONENTS}/{made}").body["config"] == {"algorithm": ["RS384"]}


@pytest.mark.sqlite
def test_a_rotation_is_seen_and_goes_on_whatever_is_written(server: Server) -> None:
    attributes = {"keyturn.keys.rotation.period": "8000", "keyturn.keys.rotation.overlap": "2000"}
    assert server.call("PUT", "/demo", {"attributes": attributes}).status == 204
    first = server.call("POST", COMPONENTS, provider("eddsa-generated", priority="7")).id

    def seen() -> list[tuple[str, int]]:
        keys = server.call("GET", "/demo/keys").body["keys"]
        return sorted((key["status"], key["providerPriority"]) for key in keys if key["algorithm"] == "EdDSA")

    told = [seen()]
    for second in (0, 6000, 8000, 10_000):
        rotate_keys(server.store, server.now + second, os.urandom)
        told.append(seen())
        for each in server.call("GET", COMPONENTS, query=f"type={KEY_PROVIDER}").body:
            assert not [name for name in each["config"] if name.startswith("keyturn")]
            if each["providerId"] == "eddsa-generated":
                assert server.call("PUT", f"{COMPONENTS}/{each['id']}", each | {"name": "renamed"}).status == 204
    active, passive = ("ACTIVE", 7), ("PASSIVE", 7)
    assert told == [[active], [active], [active, passive], [active, passive], [active]]
    assert server.call("GET", f"{COMPONENTS}/{first}").status == 404


def test_no_name_is_longer_than_a_column(server: Server) -> None:
    made = server.call("POST", COMPONENTS, provider("rsa-generated"))
    for document in ({"name": "n" * 256}, {"subType": "s" * 256}, {"parentId": "p" * 37}):
        changed = provider("rsa-generated") | document
        assert server.call("POST", COMPONENTS, changed).status == 400
        assert server.call("PUT", f"{COMPONENTS}/{made.id}", changed).status == 400


@pytest.mark.parametrize(
    ("mode", "rdn", "first_name"),
    [
        ("READ_ONLY", "uid", {"first name": "cn"}),
        ("WRITABLE", "cn", {"first name": "givenName", "username-cn": "cn"}),
        ("UNSYNCED", "CN", {"full name": None}),
    ],
)
def test_a_federation_comes_with_its_mappers_and_takes_them_along(
    server: Server, mode: str, rdn: str, first_name: dict[str, str | None]
) -> None:
    config = {"editMode": [mode], "vendor": ["ad"], "usernameLDAPAttribute": ["sAMAccountName"]}
    document = {"name": "people", "providerId": "ldap", "providerType": "org.keycloak.storage.UserStorageProvider"}
    made = server.call("POST", COMPONENTS, document | {"config": config | {"rdnLDAPAttribute": [rdn]}})
    mappers = {each["name"]: each["config"] for each in server.call("GET", COMPONENTS, query=f"parent={made.id}").body}
    read = {name: config.get("ldap.attribute", [None])[0] for name, config in mappers.items()}
    usual = {"username": "sAMAccountName", "last name": "sn", "email": "mail"}
    dates = {"creation date": "whenCreated", "modify date": "whenChanged"}
    others = {"MSAD account controls": None, "Kerberos principal attribute mapper": None}
    assert read == usual | dates | others | first_name
    assert mappers["email"]["read.only"] == ["false" if mode == "WRITABLE" else "true"]
    assert mappers["last name"]["always.read.value.from.ldap"] == ["false" if mode == "UNSYNCED" else "true"]
    assert server.call("DELETE", f"{COMPONENTS}/{made.id}").status == 204
    assert server.call("GET", COMPONENTS, query=f"parent={made.id}").body == []


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        ({"editMode": []}, {"errorMessage": "Edit Mode is mandatory"}),
        ({"editMode": ["BOTH"]}, {"error": "Invalid provider type or no such provider"}),
        ({"connectionTimeout": ["soon"]}, {"errorMessage": "Connection Timeout must be a number"}),
        (
            {"customUserSearchFilter": ["uid=a"]},
            {"errorMessage": 'Custom configured LDAP filter does not start with "(" or does not end with ")".'},
        ),
    ],
)
def test_a_federation_is_checked_as_keycloak_does(server: Server, setting: Any, body: Any) -> None:
    document = {"name": "people", "providerId": "ldap", "providerType": "org.keycloak.storage.UserStorageProvider"}
    answer = server.call("POST", COMPONENTS, document | {"config": {"editMode": ["READ_ONLY"]} | setting})
    assert (answer.status, answer.body) == (400, body)
