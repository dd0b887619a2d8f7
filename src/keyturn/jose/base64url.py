"""Base64url without padding (RFC 7515 §2), read strictly."""

from binascii import Error, a2b_base64, b2a_base64
from typing import Final

__all__ = ["decode", "encode"]

_TO_BASE64: Final = bytes.maketrans(b"-_+/=", b"+/***")
"""From the URL alphabet to the standard one; what belongs to the latter alone, and padding, becomes an error."""

_FROM_BASE64: Final = bytes.maketrans(b"+/", b"-_")
_PADDING: Final = (b"", b"===", b"==", b"=")
_LAST: Final = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")
"""By how many characters stand behind the last four, what the last of them can be: no bits are set behind the end."""


def encode(content: bytes) -> bytes:
    """`content` as base64url without padding."""
    return b2a_base64(content, newline=False).translate(_FROM_BASE64, b"=")


def decode(text: bytes | str) -> bytes:
    """The octets that `text` encodes.

    Strict: no padding, blanks or foreign characters, and no bits set behind the end, so that each value has one
    spelling only.

    Raises:
        ValueError: `text` is no base64url, or not the canonical one.
    """
    encoded = text.encode("ascii") if isinstance(text, str) else text
    beyond = len(encoded) % 4
    try:
        content = a2b_base64(encoded.translate(_TO_BASE64) + _PADDING[beyond], strict_mode=True)
    except Error:
        raise ValueError("not base64url") from None
    if beyond and encoded[-1] not in _LAST[beyond]:
        raise ValueError("not canonical base64url")
    return content
