"""``keyturn realm import`` and ``export``: a realm that the real Keycloak has exported comes, works and goes again.

The export is of a throw-away realm, and so are its keys and passwords: each person's is their name and ``-password``.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.realm import Clock, RealmUnderTest
from harness.realm_server import RealmServer
from keyturn.cli.main import main
from keyturn.jose import base64url
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.store.backends.sqlite import open_store
from keyturn.store.data_directory import DataDirectory
from keyturn.store.seal_key import SealKeys

EXPORT = Path(__file__).parents[2] / "vectors/keycloak_export.json"
PEOPLE = {"ada": "argon2", "ida": "pbkdf2", "jean": "pbkdf2-sha256", "mary": "pbkdf2-sha512"}
FILLED_IN = {"broker", "realm-management"}
"""Clients that get a secret in any import, as in Keycloak."""
SAME = (
    *("users", "groups", "roles", "components", "scopeMappings", "clientScopeMappings", "authenticationFlows"),
    *("passwordPolicy", "smtpServer", "defaultGroups", "requiredActions", "eventsExpiration", "keycloakVersion"),
)
"""Fields of a realm that an import changes nothing of."""


class Failed(Exception):
    """The command has failed. ``str()`` is what it said."""


@pytest.fixture
def keyturn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs the command; gives its standard output, or raises Failed with what it said."""
    monkeypatch.setenv("KEYTURN_BOOTSTRAP_ADMIN_PASSWORD", "admin-password")
    monkeypatch.setenv("KEYTURN_BOOTSTRAP_ADMIN_USERNAME", "admin")

    def run(*arguments: object) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        if stopped.value.code != 0:
            raise Failed(told.err.strip())
        return told.out

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the imported realm, to be copied."""
    data = tmp_path_factory.mktemp("made") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEYTURN_BOOTSTRAP_ADMIN_PASSWORD", "admin-password")
        with pytest.raises(SystemExit) as stopped:
            main(["realm", "import", "--data", str(data), "--file", str(EXPORT)])
    assert stopped.value.code == 0
    return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A data directory with the imported realm."""
    return Path(shutil.copytree(made, tmp_path / "data"))


@pytest.fixture(scope="module")
def imported(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    """The imported realm, served."""
    path = Path(shutil.copytree(made, tmp_path_factory.mktemp("served") / "data"))
    clock = Clock()
    store = open_store(path / "keyturn.db", SealKeys(path), clock)
    registry = Registry(store)
    entry = registry.load_realm("machines")
    assert entry is not None
    facts = FactFinder(store, registry, clock, os.urandom)
    yield RealmServer(RealmUnderTest(store, registry, facts, clock, "machines", entry.realm.id))
    store.close()


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("person", PEOPLE)
def test_people_log_in_with_the_passwords_that_they_had(imported: RealmServer, person: str) -> None:
    reports = ("reports", "reports-secret")
    assert imported.login(person, f"{person}-password", reports)["access_token"]
    form = {"grant_type": "password", "username": person, "password": "another"}
    assert imported.protocol("POST", "token", data=form, auth=reports).json()["error"] == "invalid_grant"


def test_machines_get_tokens_of_the_same_key_with_the_roles_that_they_had(imported: RealmServer) -> None:
    token = imported.client_credentials(("billing", "billing-secret"))["access_token"]
    header, claims = (json.loads(base64url.decode(part)) for part in token.split(".")[:2])
    ids = {user["username"]: user["id"] for user in document(EXPORT)["users"]}
    assert claims["sub"] == ids["service-account-billing"]
    assert claims["exp"] - claims["iat"] == 90
    assert "backend-access" in claims["realm_access"]["roles"]
    assert sorted(claims["resource_access"]["orders"]["roles"]) == ["read", "write"]
    assert "view-users" in claims["resource_access"]["realm-management"]["roles"]
    assert "orders" in claims["aud"]
    keys = {key["kid"]: key for key in imported.protocol("GET", "certs").json()["keys"]}
    (provider,) = [
        each
        for each in document(EXPORT)["components"]["org.keycloak.keys.KeyProvider"]
        if each["providerId"] == "rsa-generated"
    ]
    assert keys[header["kid"]]["x5c"] == provider["config"]["certificate"]


def test_what_was_imported_is_exported_again(keyturn: Callable[..., str], data: Path, tmp_path: Path) -> None:
    keyturn("realm", "export", "--data", data, "--file", tmp_path / "machines.json", "--realm", "machines")
    before, after = document(EXPORT), document(tmp_path / "machines.json")
    for field in SAME:
        assert ordered(after[field]) == ordered(before[field]), field
    assert after["attributes"]["keyturn.note"] == "kept"
    clients = {client["clientId"]: client for client in after["clients"]}
    for client in before["clients"]:
        assert clients[client["clientId"]]["id"] == client["id"]
        if client["clientId"] not in FILLED_IN:
            assert clients[client["clientId"]].get("secret") == client.get("secret")


def ordered(value: Any) -> Any:
    """`value` with every list in an order that does not depend on it."""
    if isinstance(value, dict):
        return {name: ordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def test_files_are_for_their_owner_only_and_a_warning_says_what_is_in_them(
    keyturn: Callable[..., str], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["realm", "export", "--data", str(data), "--dir", str(tmp_path / "out")])
    assert "in the clear" in capsys.readouterr().err
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["machines-realm.json", "machines-users-0.json", "master-realm.json", "master-users-0.json"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("options", "with_realm", "in_files"),
    [
        (("--users", "skip"), 0, []),
        (("--users", "realm_file"), 6, []),
        (("--users", "same_file"), 0, [6]),
        (("--users", "different_files", "--users-per-file", "4"), 0, [4, 2]),
    ],
)
def test_users_go_where_they_are_wanted(
    keyturn: Callable[..., str], made: Path, tmp_path: Path, options: Any, with_realm: int, in_files: list[int]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "machines-users-7.json").write_text('{"realm": "machines", "users": [{"username": "of another export"}]}')
    keyturn("realm", "export", "--data", made, "--dir", out, "--realm", "machines", *options)
    assert len(document(out / "machines-realm.json").get("users", [])) == with_realm
    assert [len(document(path)["users"]) for path in sorted(out.glob("machines-users-*.json"))] == in_files


def test_a_whole_server_moves(keyturn: Callable[..., str], data: Path, tmp_path: Path) -> None:
    keyturn("realm", "export", "--data", data, "--dir", tmp_path / "first")
    told = keyturn("realm", "import", "--data", tmp_path / "other", "--dir", tmp_path / "first")
    assert told.splitlines() == ["realm master is imported", "realm machines is imported"]
    keyturn("realm", "export", "--data", tmp_path / "other", "--dir", tmp_path / "second")
    keyturn("realm", "import", "--data", tmp_path / "other", "--dir", tmp_path / "second", "--existing", "replace")
    keyturn("realm", "export", "--data", tmp_path / "other", "--dir", tmp_path / "third")
    for path in (tmp_path / "second").iterdir():
        assert (tmp_path / "third" / path.name).read_bytes() == path.read_bytes(), path.name


def test_what_is_there_stays_unless_it_is_to_be_replaced(
    keyturn: Callable[..., str], data: Path, tmp_path: Path
) -> None:
    changed = document(EXPORT) | {"displayName": "Changed"}
    changed["users"] = []
    (tmp_path / "changed.json").write_text(json.dumps([changed]))

    def display_name() -> str:
        keyturn("realm", "export", "--data", data, "--file", tmp_path / "now.json", "--realm", "machines")
        return str(document(tmp_path / "now.json")["displayName"])

    take = ("realm", "import", "--data", data, "--file", tmp_path / "changed.json")
    with pytest.raises(Failed, match="there is a realm machines already"):
        keyturn(*take)
    assert "stays as it is" in keyturn(*take, "--existing", "skip")
    assert display_name() == "Machines"
    assert keyturn(*take, "--existing", "replace") == "realm machines is imported\n"
    assert display_name() == "Changed"
    assert [user["username"] for user in document(tmp_path / "now.json")["users"]] == [
        "service-account-billing",
        "service-account-reports",
    ]


def test_beside_a_running_server_realms_are_read_and_not_written(
    keyturn: Callable[..., str], data: Path, tmp_path: Path
) -> None:
    with DataDirectory(data) as held:
        store = open_store(held.database, SealKeys(data), lambda: 0)
        keyturn("realm", "export", "--data", data, "--file", tmp_path / "machines.json", "--realm", "machines")
        assert document(tmp_path / "machines.json")["realm"] == "machines"
        with pytest.raises(Failed, match="is in use by another keyturn"):
            keyturn("realm", "import", "--data", data, "--file", EXPORT, "--existing", "replace")
        store.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no export of a realm: Cannot parse the JSON"),
        ('{"realm": "x", "color": "red"}', 'Unrecognized field "color" at line 1'),
        ('{"enabled": true}', "Realm name cannot be empty"),
        (
            '{"realm": "x", "users": [{"username": "a", "groups": ["/b"]}]}',
            "Unable to find group specified by path",
        ),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_says_in_a_line_why_nothing_was_imported(
    keyturn: Callable[..., str], made: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "realm.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Failed) as failed:
        keyturn("realm", "import", "--data", made, "--file", path)
    assert message in str(failed.value)
    assert len(str(failed.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--realm", "nowhere", "--file", "out.json"), "there is no realm nowhere"),
        (("--file", "nowhere/out.json"), "cannot be written: No such file or directory"),
        ((), "one of --file and --dir is needed"),
        (("--file", "a", "--dir", "b"), "one of --file and --dir is needed"),
        (("--file", "a", "--users", "different_files"), "--users different_files needs --dir"),
    ],
)
def test_says_in_a_line_why_nothing_was_exported(
    keyturn: Callable[..., str],
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: Any,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failed) as failed:
        keyturn("realm", "export", "--data", made, *arguments)
    assert message in str(failed.value)
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_export_where_there_is_no_database(keyturn: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(Failed, match="there is no database"):
        keyturn("realm", "export", "--data", tmp_path / "none", "--file", tmp_path / "out.json")
    assert not (tmp_path / "none").exists()
