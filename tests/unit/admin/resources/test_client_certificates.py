"""A client's key and certificate, as Keycloak 26.7.3 keeps and packs them."""

import base64
import json
import time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from admin_server import NOW, Answer, Server
from keyturn.admin import client_certificates, keystore_process
from keyturn.jose import jwk
from keyturn.jose.keystore import Entry, read_entry
from keyturn.representations import given
from keyturn.store.collections import CLIENTS

PASSWORDS = {"keyPassword": "key-password", "storePassword": "store-password"}
NOT_FOUND = {
    "error": "certificate-not-found",
    "error_description": "Certificate or key with given alias not found in the keystore",
}
KEY = jwk.generate("RS256", certificate_subject="svc", kid="k", now=NOW)
CERTIFICATE = base64.b64encode(KEY.certificate or b"").decode()
PEM = f"-----BEGIN CERTIFICATE-----\n{CERTIFICATE}\n-----END CERTIFICATE-----\n"
JWKS = json.dumps({"keys": [KEY.public.jwk() | {"use": "sig"}]})


@pytest.fixture
def client(server: Server) -> str:
    """The path of a client's key."""
    made = server.call("POST", "/demo/clients", {"clientId": "svc", "clientAuthenticatorType": "client-jwt"})
    return f"/demo/clients/{made.id}/certificates/jwt.credential"


def upload(server: Server, path: str, form: str | None, file: bytes | None, **fields: str) -> Answer:
    parts = [(name, "", value.encode()) for name, value in fields.items()]
    if form is not None:
        parts.append(("keystoreFormat", "", form.encode()))
    if file is not None:
        parts.append(("file", '; filename="f"', file))
    body = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"
        for name, more, value in parts
    )
    return server.call("POST", path, body + b"--b--\r\n", content_type="multipart/form-data; boundary=b")


def attributes(server: Server, path: str) -> dict[str, str]:
    document = server.call("GET", path.partition("/certificates")[0]).body
    return {name: value for name, value in document["attributes"].items() if "jwks" in name or "credential" in name}


def keystore(server: Server, path: str, form: str, call: str = "download", **more: Any) -> bytes:
    answer = server.call("POST", f"{path}/{call}", {"format": form, "keyAlias": "Mine", **PASSWORDS, **more})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert isinstance(answer.body, bytes)
    return answer.body


def test_a_client_without_a_key_has_nothing_to_tell_or_download(server: Server, client: str) -> None:
    assert server.call("GET", client).body == {}
    answer = server.call("POST", f"{client}/download", {"format": "JKS", **PASSWORDS})
    assert (answer.status, answer.body) == (404, {"error": "keypair not generated for client"})


@pytest.mark.parametrize("call", ["upload", "upload-certificate"])
def test_takes_a_certificate(server: Server, client: str, call: str) -> None:
    assert upload(server, f"{client}/{call}", "Certificate PEM", PEM.encode()).body == {"certificate": CERTIFICATE}
    assert server.call("GET", client).body == {"certificate": CERTIFICATE}
    assert attributes(server, client) == {"jwt.credential.certificate": CERTIFICATE}


def test_takes_a_public_key_as_it_is_written(server: Server, client: str) -> None:
    text = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(KEY.public.to_der()).decode()}\n-----END PUBLIC KEY-----\n"
    upload(server, f"{client}/upload", "Public Key PEM", text.encode())
    assert attributes(server, client) == {"jwt.credential.public.key": text}


def test_takes_a_key_set_in_the_place_of_everything_else(server: Server, client: str) -> None:
    upload(server, f"{client}/upload", "Certificate PEM", PEM.encode())
    answer = upload(server, f"{client}/upload", "JSON Web Key Set", JWKS.encode())
    public = base64.b64encode(KEY.public.to_der()).decode()
    assert answer.body == {"publicKey": public, "kid": "k", "jwks": JWKS}
    assert server.call("GET", client).body == answer.body
    assert attributes(server, client) == {"use.jwks.string": "true", "jwks.string": JWKS}
    upload(server, f"{client}/upload", "Certificate PEM", PEM.encode())
    assert attributes(server, client) == {"jwt.credential.certificate": CERTIFICATE}


@pytest.mark.parametrize("form", ["JKS", "PKCS12"])
def test_makes_a_keystore_and_keeps_the_certificate_alone(server: Server, client: str, form: str) -> None:
    content = keystore(server, client, form, "generate-and-download", keySize=2048, realmCertificate=True)
    entry = read_entry(content, "mine", store_password="store-password", key_password="key-password")
    assert entry.certificate is not None
    assert entry.private_key is not None
    key = jwk.private_key_from_pem(base64.b64encode(entry.private_key), algorithm="RS256")
    assert jwk.public_key_from_certificate(entry.certificate).to_der() == key.public.to_der()
    assert read_entry(content, "demo", store_password="store-password", key_password=None).certificate is not None
    kept = base64.b64encode(entry.certificate).decode()
    assert attributes(server, client) == {"jwt.credential.certificate": kept}


@pytest.mark.parametrize("form", ["JKS", "PKCS12"])
def test_gives_back_what_was_uploaded_in_a_keystore(server: Server, client: str, form: str) -> None:
    content = keystore(server, client, form, "generate-and-download", keySize=2048)
    fields = {"keyAlias": "MINE", "storePassword": "store-password", "keyPassword": "key-password"}
    taken = upload(server, f"{client}/upload", form, content, **fields).body
    assert set(taken) == {"privateKey", "certificate"}
    again = keystore(server, client, form)
    entry = read_entry(again, "mine", store_password="store-password", key_password="key-password")
    assert base64.b64encode(entry.certificate or b"").decode() == taken["certificate"]
    assert entry.private_key is not None


def test_opens_a_keystore_while_others_may_write(server: Server, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who made it says how long that takes: a PKCS #12 may want billions of rounds."""
    content = keystore(server, client, "JKS", "generate-and-download", keySize=2048)
    opened: list[str] = []

    def slow(*args: Any, **passwords: Any) -> Entry:
        with server.store.write() as tx:  # waits for ever where a transaction is open
            opened.append(str(tx.revision))
        return read_entry(*args, **passwords)

    monkeypatch.setattr(client_certificates, "read_upload", slow)
    fields = {"keyAlias": "mine", "storePassword": "store-password", "keyPassword": "key-password"}
    assert upload(server, f"{client}/upload", "JKS", content, **fields).status == 200
    assert len(opened) == 1


def test_leaves_out_a_key_whose_password_is_wrong(server: Server, client: str) -> None:
    content = keystore(server, client, "JKS", "generate-and-download", keySize=2048)
    fields = {"keyAlias": "mine", "storePassword": "store-password", "keyPassword": "wrong"}
    assert set(upload(server, f"{client}/upload", "JKS", content, **fields).body) == {"certificate"}


@pytest.mark.parametrize(
    ("form", "file", "fields", "answer"),
    [
        (None, b"x", {}, {"error": "keystoreFormat cannot be null"}),
        ("Certificate PEM", None, {}, {"error": "file cannot be empty"}),
        ("JSON Web Key Set", b"nonsense", {}, NOT_FOUND),
        ("JSON Web Key Set", b'{"keys":[]}', {}, NOT_FOUND),
        ("JSON Web Key Set", b'{"keys":[5]}', {}, NOT_FOUND),
        ("JKS", b"nonsense", {"keyAlias": "a"}, {"error": "error loading keystore"}),
        ("JKS", b"\xfe\xed\xfe\xed\0\0\0\2", {"keyAlias": "a"}, {"error": "Password verification failed"}),
        ("PKCS12", b"0\x80\2\1\3", {"keyAlias": "a"}, {"error": "PKCS12 key store mac invalid"}),
        ("ZIP", b"nonsense", {"keyAlias": "a"}, {"error": "error loading keystore"}),
    ],
    ids=str,
)
def test_says_what_is_wrong_with_an_upload(
    server: Server, client: str, form: str | None, file: bytes | None, fields: dict[str, str], answer: dict[str, str]
) -> None:
    upload(server, f"{client}/upload", "Certificate PEM", PEM.encode())
    given = upload(server, f"{client}/upload", form, file, **fields)
    assert (given.status, given.body) == (400, answer)
    assert attributes(server, client) == {"jwt.credential.certificate": CERTIFICATE}


def test_a_keystore_that_takes_too_long_stops_nobody(
    server: Server, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystore_process, "LONGEST", 0.5)
    protection = serialization.BestAvailableEncryption(b"store-password")
    held = x509.load_pem_x509_certificate(PEM.encode())
    usual = pkcs12.serialize_key_and_certificates(b"mine", None, held, None, protection)
    # How often the password is hashed for the MAC, at the end: 2^31 - 1 times, and what is around is two bytes longer.
    length = int.from_bytes(usual[2:4]) + 2
    slow = usual[:2] + length.to_bytes(2) + usual[4:].replace(b"\x30\x41\x30\x31", b"\x30\x43\x30\x31")
    slow = slow.removesuffix(b"\x02\x02\x08\x00") + b"\x02\x04\x7f\xff\xff\xff"
    assert len(slow) == len(usual) + 2
    began = time.thread_time()
    answer = upload(server, f"{client}/upload", "PKCS12", slow, keyAlias="mine", storePassword="store-password")
    assert (answer.status, answer.body) == (400, {"error": "error loading keystore"})
    assert time.thread_time() - began < 0.2


@pytest.mark.parametrize(
    ("config", "status", "answer"),
    [
        ({"format": "JKS"}, 400, "Need to specify a key password for jks generation and download"),
        (
            {"format": "JKS", "keyPassword": "k"},
            400,
            "Need to specify a store password for jks generation and download",
        ),
        ({"format": "ZIP"} | PASSWORDS, 406, "Supported keystore formats: [JKS, BCFKS, PKCS12]"),
        ({"format": "PKCS12", "keySize": 100} | PASSWORDS, 400, "100 bits"),
        ({"format": "PKCS12", "keySize": 2048, "validity": 9000} | PASSWORDS, 400, "outlives"),
        ({"keySize": 2048} | PASSWORDS, 400, "format is missing"),
    ],
    ids=str,
)
def test_says_what_is_wrong_with_a_keystore(
    server: Server, client: str, config: dict[str, Any], status: int, answer: str
) -> None:
    given = server.call("POST", f"{client}/generate-and-download", config)
    assert given.status == status
    assert answer in " ".join(given.body.values())
    assert attributes(server, client) == {}


def test_a_private_key_is_sealed_and_masked(server: Server, client: str) -> None:
    server.call("PUT", "/demo", {"adminEventsEnabled": True, "adminEventsDetailsEnabled": True})
    content = keystore(server, client, "PKCS12", "generate-and-download", keySize=2048)
    fields = {"keyAlias": "mine", "storePassword": "store-password"}
    private = upload(server, f"{client}/upload", "PKCS12", content, **fields).body["privateKey"]
    assert private not in json.dumps(server.call("GET", "/demo/admin-events").body)
    with server.store.read() as reader:
        stored = reader.find(CLIENTS, None, client_id="svc")
        assert stored is not None
        assert given(stored.attributes, {})["jwt.credential.private.key"] == private
        assert private not in repr(stored)


def test_only_who_manages_clients_may_change_a_key(server: Server, client: str) -> None:
    viewer, manager = server.holder_of("view-clients"), server.holder_of("manage-clients")
    assert server.call("GET", client, token=viewer).status == 200
    for call in ("generate", "generate-and-download", "upload", "upload-certificate"):
        assert server.call("POST", f"{client}/{call}", {}, token=viewer).status == 403
    config = {"format": "PKCS12", "keySize": 2048, **PASSWORDS}
    assert server.call("POST", f"{client}/generate-and-download", config, token=manager).status == 200
    assert server.call("POST", f"{client}/download", config, token=viewer).status == 200


def test_keys_are_kept_where_they_are_sealed_alone(server: Server, client: str) -> None:
    other = client.replace("jwt.credential", "anything")
    assert server.call("GET", other).body == {}
    assert upload(server, f"{other}/upload", "Certificate PEM", PEM.encode()).status == 400
