"""A stolen database tells no secret, and one that was tampered with makes nobody somebody else."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.deployment import PASSWORD, Deployment
from keyturn.jose.seal import format_seal_key, is_sealed, new_seal_key
from keyturn.representations.defaults import listing
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.secrecy import secret_paths
from keyturn.store.backends.sqlite import open_store
from keyturn.store.seal_key import SealKeyMissing, SealKeys, SealKeyWrong

pytestmark = pytest.mark.sqlite

MINE, THEIRS = "secret of mine", "secret of theirs"


def documents(directory: Path, table: str) -> dict[str, dict[str, Any]]:
    """The stored documents as a thief reads them, by what they are called."""
    with closing(sqlite3.connect(directory / "keyturn.db")) as database:
        rows = [json.loads(text) for (text,) in database.execute(f'SELECT document FROM "{table}"')]
    names = ("clientId", "username", "realm", "name", "id")
    return {next(str(row[name]) for name in names if name in row): row for row in rows}


def tamper(directory: Path, table: str, document: dict[str, Any]) -> None:
    """Puts `document` in the place of the one of its id."""
    with closing(sqlite3.connect(directory / "keyturn.db")) as database, database:
        changed = database.execute(
            f'UPDATE "{table}" SET document = ? WHERE id = ?', (json.dumps(document), document["id"])
        )
        assert changed.rowcount == 1


@pytest.fixture
def stolen(tmp_path: Path) -> Path:
    """A directory with a database in it, as a server leaves it, and its key."""
    server = Deployment.new(tmp_path)
    server.client("mine", MINE, attributes={"client.secret.rotated": "secret of before"})
    server.client("theirs", THEIRS)
    server.person("ada", "password of ada")
    server.person("eve", "password of eve")
    server.close()
    return tmp_path


def test_a_stolen_database_does_not_open_without_its_key(
    stolen: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(stolen / "keyturn.db", elsewhere)
    with pytest.raises(SealKeyMissing):
        open_store(elsewhere / "keyturn.db", SealKeys.from_environment(elsewhere, {}), lambda: 0.0)
    other = {"KEYTURN_SEAL_KEY": format_seal_key(new_seal_key())}
    with pytest.raises(SealKeyWrong):
        open_store(elsewhere / "keyturn.db", SealKeys.from_environment(elsewhere, other), lambda: 0.0)
    assert not (elsewhere / "seal.key").exists()


def test_a_thief_reads_no_secret(stolen: Path) -> None:
    content = b"".join(path.read_bytes() for path in stolen.glob("keyturn.db*"))
    for secret in (MINE, THEIRS, "secret of before", PASSWORD, "password of ada"):
        assert secret.encode() not in content
    client = documents(stolen, "client")["mine"]
    assert is_sealed(client["secret"])
    assert is_sealed(client["attributes"]["client.secret.rotated"])
    (credential,) = documents(stolen, "user")["ada"]["credentials"]
    assert is_sealed(credential["secretData"])  # the hash as well: a thief cannot even begin to guess
    for component in documents(stolen, "component").values():
        for name in ("privateKey", "ecdsaPrivateKey", "eddsaPrivateKey", "secret"):
            assert all(map(is_sealed, component.get("config", {}).get(name, [])))
    assert is_sealed(documents(stolen, "component")["rsa-generated"]["config"]["privateKey"][0])


def swap_between_clients(directory: Path) -> None:
    clients = documents(directory, "client")
    tamper(directory, "client", clients["theirs"] | {"secret": clients["mine"]["secret"]})


def swap_between_fields(directory: Path) -> None:
    client = documents(directory, "client")["theirs"]
    rotated = documents(directory, "client")["mine"]["attributes"]["client.secret.rotated"]
    tamper(directory, "client", client | {"secret": rotated})


def change_one_letter(directory: Path) -> None:
    client = documents(directory, "client")["theirs"]
    secret = client["secret"]
    tamper(directory, "client", client | {"secret": secret[:-9] + ("A" if secret[-9] != "A" else "B") + secret[-8:]})


def put_it_in_the_clear(directory: Path) -> None:
    tamper(directory, "client", documents(directory, "client")["theirs"] | {"secret": MINE})


def seal_it_with_another_key(directory: Path) -> None:
    secret = new_seal_key().seal(MINE, b"")
    tamper(directory, "client", documents(directory, "client")["theirs"] | {"secret": secret})


@pytest.mark.parametrize(
    "change",
    [swap_between_clients, swap_between_fields, change_one_letter, put_it_in_the_clear, seal_it_with_another_key],
)
def test_a_tampered_secret_lets_nobody_in(stolen: Path, change: Callable[[Path], None]) -> None:
    change(stolen)
    with closing(Deployment.on(stolen)) as server:
        for secret in (MINE, THEIRS, "secret of before", ""):
            form = {"grant_type": "client_credentials", "client_id": "theirs", "client_secret": secret}
            answer = server.protocol("token", form)
            assert answer.status_code >= 400
            assert MINE not in answer.text
        assert server.client_token("mine", MINE)


def test_nobody_gets_anothers_password(stolen: Path) -> None:
    users = documents(stolen, "user")
    tamper(stolen, "user", users["ada"] | {"credentials": users["eve"]["credentials"]})
    with closing(Deployment.on(stolen)) as server:
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "ada", "password": "password of eve"}
        assert server.protocol("token", form).status_code >= 400
        assert server.login("eve", "password of eve")


def test_no_realm_gets_anothers_key(stolen: Path) -> None:
    with closing(sqlite3.connect(stolen / "keyturn.db")) as database, database:
        rows = [
            (identifier, json.loads(text))
            for identifier, text in database.execute("SELECT id, document FROM component")
        ]
        (first, one), (second, other) = [row for row in rows if row[1].get("name") == "rsa-generated"]
        one["config"]["privateKey"], other["config"]["privateKey"] = (
            other["config"]["privateKey"],
            one["config"]["privateKey"],
        )
        for identifier, document in ((first, one), (second, other)):
            database.execute("UPDATE component SET document = ? WHERE id = ?", (json.dumps(document), identifier))
    with closing(Deployment.on(stolen)) as server:
        form = {"grant_type": "client_credentials", "client_id": "mine", "client_secret": MINE}
        assert server.protocol("token", form).status_code == 503


def test_what_authenticators_are_configured_with_that_is_secret_is_sealed() -> None:
    known = {"authenticatorConfig", "*", "config"}
    sealed = {path[-1] for path in secret_paths(RealmRepresentation) if known < set(path)}
    declared = {
        setting["name"]
        for each in listing("authenticators")
        for setting in each.get("properties", [])
        if setting.get("secret") or setting.get("type") == "Password"
    }
    assert declared
    assert sealed == declared
