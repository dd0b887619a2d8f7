"""Reads the PKCS #12 keystores that are uploaded, in a process of its own that is ended when it takes too long.

How often such a file has its password hashed is its own matter: 2^31 times is some bytes, and minutes in which OpenSSL
lets nothing else of the process run. Some of these numbers are encrypted themselves, so that they cannot be looked at.
"""

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from threading import Lock
from typing import Any, Final

from keyturn.jose.keystore import Entry, KeystoreError, WrongPassword, read_entry

__all__ = ["read_upload"]

LONGEST: Final = 5.0
"""Seconds; five million rounds, which are the most that Java takes, are two of them."""

_TURN: Final = Lock()
"""One at a time: many such files take no more than one processor."""


def read_upload(content: bytes, alias: str, *, store_password: str, key_password: str | None) -> Entry:
    """What ``jose.keystore.read_entry`` reads, within five seconds. Raises WrongPassword, KeystoreError."""
    if not content.startswith(b"\x30"):
        return read_entry(content, alias, store_password=store_password, key_password=key_password)
    asked = {"alias": alias, "store_password": store_password, "key_password": key_password}
    question = json.dumps({"content": b64encode(content).decode(), **asked}).encode()
    try:
        with _TURN:
            # Passwords go through the pipe: arguments are everybody's to see.
            done = subprocess.run(  # noqa: S603 - nothing of it comes from outside
                [sys.executable, "-I", "-m", __name__], input=question, capture_output=True, timeout=LONGEST, check=True
            )
    except subprocess.TimeoutExpired:
        raise KeystoreError("The keystore takes too long to read") from None
    except (subprocess.CalledProcessError, OSError):
        raise KeystoreError("The keystore cannot be read") from None
    answer: dict[str, Any] = json.loads(done.stdout)
    if "wrong_password" in answer:
        raise WrongPassword(answer["wrong_password"])
    if "broken" in answer:
        raise KeystoreError(answer["broken"])
    return Entry(*(None if part is None else b64decode(part) for part in answer["entry"]))


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    content = b64decode(question.pop("content"))
    try:
        entry = read_entry(content, **question)
    except WrongPassword as error:
        return {"wrong_password": str(error)}
    except KeystoreError as error:
        return {"broken": str(error)}
    parts = entry.private_key, entry.certificate
    return {"entry": [None if part is None else b64encode(part).decode() for part in parts]}


if __name__ == "__main__":
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)
