"""Sealing at rest: AES-256-GCM under a key that lives outside the database (NIST SP 800-38D).

A sealed text is ``kt1.<key id>.<base64url of nonce and ciphertext>``. What it belongs to is authenticated with it, so
that no ciphertext can be moved to another row. Random 96-bit nonces allow 2³² texts a key (§8.3), far above what a
database holds.
"""

import hashlib
import secrets
from binascii import Error, a2b_hex
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyturn.jose import base64url

__all__ = [
    "SealBroken",
    "SealKey",
    "WrongSealKey",
    "associated_data",
    "format_seal_key",
    "is_sealed",
    "new_seal_key",
    "parse_seal_key",
    "sealed_key_id",
]

_VERSION: Final = "kt1"
_KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
_TAG_SIZE: Final = 16
_CHECKED: Final = b"keyturn seal key check value"


class WrongSealKey(ValueError):
    """The text was sealed under another key. `expected` and `given` are key ids, which tell nothing about the keys."""

    def __init__(self, expected: str, given: str) -> None:
        super().__init__(f"sealed under the key {expected}, not {given}")
        self.expected = expected
        self.given = given


class SealBroken(ValueError):
    """The text is no sealed one, was changed, or belongs to something else."""


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key to seal with: 32 random bytes, and the `id` that follows from them (16 hexadecimal digits)."""

    key: bytes = field(repr=False)
    id: str = field(init=False)
    _cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.key) != _KEY_SIZE:
            raise ValueError(f"a seal key has {_KEY_SIZE} bytes")
        object.__setattr__(self, "id", hashlib.sha256(b"keyturn seal key id\0" + self.key).hexdigest()[:16])
        object.__setattr__(self, "_cipher", AESGCM(self.key))

    def seal(self, plaintext: bytes | str, associated: bytes) -> str:
        """`plaintext` sealed, together with what it belongs to (``associated_data``)."""
        content = plaintext.encode() if isinstance(plaintext, str) else plaintext
        nonce = secrets.token_bytes(_NONCE_SIZE)
        prefix = f"{_VERSION}.{self.id}."
        ciphertext = self._cipher.encrypt(nonce, content, prefix.encode() + associated)
        return prefix + base64url.encode(nonce + ciphertext).decode()

    def unseal(self, text: str, associated: bytes) -> bytes:
        """What was sealed in `text` for the same `associated` data.

        Raises:
            WrongSealKey: it was sealed under another key.
            SealBroken: it is no sealed text, was changed, or belongs to something else.
        """
        key_id = sealed_key_id(text)
        if key_id != self.id:
            raise WrongSealKey(key_id, self.id)
        prefix = f"{_VERSION}.{self.id}."
        try:
            content = base64url.decode(text.removeprefix(prefix))
            if len(content) < _NONCE_SIZE + _TAG_SIZE:
                raise SealBroken("a sealed text is too short")
            return self._cipher.decrypt(content[:_NONCE_SIZE], content[_NONCE_SIZE:], prefix.encode() + associated)
        except InvalidTag:
            raise SealBroken("a sealed text was changed, or belongs to something else") from None
        except SealBroken:
            raise
        except ValueError:
            raise SealBroken("not a sealed text") from None

    def check_value(self) -> str:
        """A sealed text to keep beside what this key seals; ``check`` compares with it."""
        return self.seal(_CHECKED, b"")

    def check(self, check_value: str) -> None:
        """That this is the key that made `check_value`.

        Raises:
            WrongSealKey, SealBroken: as for ``unseal``.
        """
        if self.unseal(check_value, b"") != _CHECKED:
            raise SealBroken("not a check value")


def is_sealed(text: str) -> bool:
    """Whether `text` has the form of a sealed one. Does NOT tell whether it can be unsealed."""
    version, _, rest = text.partition(".")
    key_id, dot, content = rest.partition(".")
    return version == _VERSION and len(key_id) == 16 and bool(dot) and bool(content) and "." not in content


def sealed_key_id(text: str) -> str:
    """The id of the key that sealed `text`.

    Raises:
        SealBroken: it is no sealed text.
    """
    if not is_sealed(text):
        raise SealBroken("not a sealed text")
    return text.split(".", 2)[1]


def associated_data(realm: str, kind: str, identifier: str, field_name: str) -> bytes:
    """What a sealed text belongs to, unambiguously: each part goes in with its length."""
    parts = [part.encode() for part in (realm, kind, identifier, field_name)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def new_seal_key() -> SealKey:
    """A new random key."""
    return SealKey(secrets.token_bytes(_KEY_SIZE))


def format_seal_key(key: SealKey) -> str:
    """A key file's content: a comment with the id, and the key. The file is to be owner-only."""
    comment = f"# keyturn seal key {key.id}. Without it the database cannot be read: keep it secret, keep a copy."
    return f"{comment}\n{base64url.encode(key.key).decode()}\n"


def parse_seal_key(content: str | bytes) -> SealKey:
    """The key in a key file or an environment variable: 32 bytes in base64url (or base64) or hexadecimal; ``#`` begins
    a comment.

    Raises:
        ValueError: there is no such line, or more than one. The message never quotes the content.
    """
    try:
        text = content.decode("ascii") if isinstance(content, bytes) else content
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        (line,) = lines
        if len(line) == 2 * _KEY_SIZE:
            return SealKey(a2b_hex(line))
        return SealKey(base64url.decode(line.rstrip("=").translate({ord("+"): "-", ord("/"): "_"})))
    except (ValueError, Error):
        raise ValueError(f"a seal key is one line: {_KEY_SIZE} bytes in base64url or hexadecimal") from None
