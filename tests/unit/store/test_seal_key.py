"""Where the seal key comes from."""

import stat
from pathlib import Path

import pytest

from keyturn.jose.seal import format_seal_key, new_seal_key
from keyturn.store.backends.sqlite import open_store
from keyturn.store.seal_key import SealKeyMissing, SealKeys, SealKeyWrong


def opens(data: Path, keys: SealKeys) -> None:
    open_store(data / "keyturn.db", keys, lambda: 0).close()


def test_the_key_file_is_made_for_an_empty_database_for_the_owner_only(tmp_path: Path) -> None:
    opens(tmp_path, SealKeys.from_environment(tmp_path, {}))
    assert stat.S_IMODE((tmp_path / "seal.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keyturn.db", "seal.key"]
    opens(tmp_path, SealKeys.from_environment(tmp_path, {}))


def test_a_missing_key_is_never_made_anew_for_a_database_in_use(tmp_path: Path) -> None:
    opens(tmp_path, SealKeys(tmp_path))
    (tmp_path / "seal.key").unlink()
    with pytest.raises(SealKeyMissing, match=r"^[^\n]*seal\.key[^\n]*$"):
        opens(tmp_path, SealKeys(tmp_path))
    assert not (tmp_path / "seal.key").exists()


def test_another_key_is_refused_in_one_line_that_does_not_tell_it(tmp_path: Path) -> None:
    opens(tmp_path, SealKeys(tmp_path))
    other = new_seal_key()
    (tmp_path / "seal.key").write_text(format_seal_key(other))
    with pytest.raises(SealKeyWrong, match=r"^[^\n]*sealed with[^\n]*$") as caught:
        opens(tmp_path, SealKeys(tmp_path))
    assert format_seal_key(other).splitlines()[1] not in str(caught.value)


def test_the_key_may_come_from_the_environment(tmp_path: Path) -> None:
    key = new_seal_key()
    value = format_seal_key(key).splitlines()[1]
    opens(tmp_path, SealKeys.from_environment(tmp_path, {"KEYTURN_SEAL_KEY": value}))
    assert not (tmp_path / "seal.key").exists()
    (tmp_path / "elsewhere").write_text(format_seal_key(key))
    opens(tmp_path, SealKeys.from_environment(tmp_path, {"KEYTURN_SEAL_KEY_FILE": str(tmp_path / "elsewhere")}))
    with pytest.raises(SealKeyMissing):
        opens(tmp_path, SealKeys.from_environment(tmp_path, {}))
    assert value not in repr(SealKeys.from_environment(tmp_path, {"KEYTURN_SEAL_KEY": value}))


@pytest.mark.parametrize(
    ("environment", "error"),
    [
        ({"KEYTURN_SEAL_KEY": "canary"}, SealKeyWrong),
        ({"KEYTURN_SEAL_KEY_FILE": "/nonexistent/key"}, SealKeyMissing),
        ({"KEYTURN_SEAL_KEY_FILE": __file__}, SealKeyWrong),
    ],
)
def test_says_what_is_wrong_with_a_given_key(
    tmp_path: Path, environment: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"^[^\n]*$") as caught:
        SealKeys.from_environment(tmp_path, environment)
    assert "canary" not in str(caught.value)


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    opens(tmp_path, SealKeys(tmp_path))
    (tmp_path / "seal.key").write_text("# nothing here\n")
    with pytest.raises(SealKeyWrong):
        opens(tmp_path, SealKeys(tmp_path))


def test_replacing_a_given_key_writes_no_file(tmp_path: Path) -> None:
    old, new = new_seal_key(), new_seal_key()
    store = open_store(tmp_path / "keyturn.db", SealKeys(tmp_path, old), lambda: 0)
    assert SealKeys(tmp_path, old).replace(store, new) == new
    store.close()
    opens(tmp_path, SealKeys(tmp_path, new))
    with pytest.raises(SealKeyWrong):
        opens(tmp_path, SealKeys(tmp_path, old))
    assert [path.name for path in tmp_path.iterdir()] == ["keyturn.db"]
