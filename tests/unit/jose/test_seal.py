"""Sealing at rest."""

import pytest
from hypothesis import given, strategies

from keyturn.jose import base64url
from keyturn.jose.seal import (
    SealBroken,
    SealKey,
    WrongSealKey,
    associated_data,
    format_seal_key,
    is_sealed,
    new_seal_key,
    parse_seal_key,
    sealed_key_id,
)

KEY = SealKey(bytes(range(32)))
OWNER = associated_data("my-app-realm", "client", "4711", "secret")


def test_unseals_what_was_sealed() -> None:
    text = KEY.seal("zCFsZQqWKrWxC6LRwewVPKUHmngPMDaI", OWNER)
    assert is_sealed(text)
    assert sealed_key_id(text) == KEY.id
    assert text.startswith(f"kt1.{KEY.id}.")
    assert KEY.unseal(text, OWNER) == b"zCFsZQqWKrWxC6LRwewVPKUHmngPMDaI"


def test_the_same_plaintext_never_gives_the_same_text() -> None:
    assert KEY.seal(b"x", OWNER) != KEY.seal(b"x", OWNER)


@pytest.mark.parametrize("part", range(4))
def test_a_text_moved_to_another_place_does_not_unseal(part: int) -> None:
    place = ["my-app-realm", "client", "4711", "secret"]
    place[part] += "x"
    with pytest.raises(SealBroken):
        KEY.unseal(KEY.seal(b"x", OWNER), associated_data(*place))


@given(
    strategies.tuples(*[strategies.text(max_size=3)] * 4),
    strategies.tuples(*[strategies.text(max_size=3)] * 4),
)
def test_different_places_have_different_associated_data(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (associated_data(*one) == associated_data(*other)) == (one == other)


def test_another_key_is_told_by_its_id() -> None:
    other = new_seal_key()
    with pytest.raises(WrongSealKey) as caught:
        other.unseal(KEY.seal(b"x", OWNER), OWNER)
    assert (caught.value.expected, caught.value.given) == (KEY.id, other.id)


def test_a_text_relabelled_to_another_key_does_not_unseal() -> None:
    other = new_seal_key()
    with pytest.raises(SealBroken):
        other.unseal(KEY.seal(b"x", OWNER).replace(KEY.id, other.id), OWNER)


def test_any_changed_octet_breaks_the_seal() -> None:
    prefix, _, content = KEY.seal(b"secret", OWNER).rpartition(".")
    octets = base64url.decode(content)
    for position in range(len(octets)):
        changed = bytearray(octets)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            KEY.unseal(f"{prefix}.{base64url.encode(bytes(changed)).decode()}", OWNER)


@pytest.mark.parametrize(
    "text", ["", "plain", "kt1", "kt1..", "kt1.x.y", "kt2.0123456789abcdef.AAAA", "kt1.0123456789abcdef.A.A"]
)
def test_what_is_no_sealed_text_is_told_so(text: str) -> None:
    assert not is_sealed(text)
    with pytest.raises(SealBroken):
        KEY.unseal(text, OWNER)


@pytest.mark.parametrize("content", ["A", "AA==", "é", "AAAA"])
def test_a_sealed_text_with_broken_content_is_told_so(content: str) -> None:
    with pytest.raises(SealBroken):
        KEY.unseal(f"kt1.{KEY.id}.{content}", OWNER)


def test_the_check_value_tells_the_key() -> None:
    KEY.check(KEY.check_value())
    with pytest.raises(WrongSealKey):
        new_seal_key().check(KEY.check_value())
    with pytest.raises(SealBroken):
        KEY.check(KEY.seal(b"something else", b""))


def test_a_key_file_gives_its_key_back() -> None:
    key = new_seal_key()
    assert parse_seal_key(format_seal_key(key)) == key
    assert key.id in format_seal_key(key)


@pytest.mark.parametrize(
    "content",
    [
        KEY.key.hex(),
        KEY.key.hex().upper() + "\n",
        base64url.encode(KEY.key),
        base64url.encode(KEY.key).decode() + "=",
        f"# a comment\r\n\r\n  {base64url.encode(KEY.key).decode()}  \r\n# another",
    ],
)
def test_reads_a_key_in_base64url_and_hexadecimal(content: str | bytes) -> None:
    assert parse_seal_key(content) == KEY


@pytest.mark.parametrize(
    "content", ["", "# only a comment", "canary", "a" * 64 + "\n" + "b" * 64, "g" * 64, b"\xff", "c2hvcnQ"]
)
def test_refuses_a_key_file_that_is_none_without_quoting_it(content: str | bytes) -> None:
    with pytest.raises(ValueError, match="a seal key is one line") as caught:
        parse_seal_key(content)
    assert "canary" not in str(caught.value)


def test_the_key_shows_in_no_repr() -> None:
    assert repr(KEY) == f"SealKey(id='{KEY.id}')"
