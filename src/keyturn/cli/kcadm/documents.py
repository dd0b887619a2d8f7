"""JSON documents given with a command, in a file or on standard input."""

import sys
from typing import Any, BinaryIO, cast

from keyturn.cli.kcadm.errors import KcadmError
from keyturn.cli.kcadm.json_document import BrokenJSON, parse_first

__all__ = ["read_document", "read_file"]


def read_file(name: str) -> bytes:
    """The content of a file, or of standard input for ``-``.

    Raises:
        KcadmError: there is no such file, or it cannot be read.
    """
    if name == "-":
        return cast("BinaryIO", sys.stdin.buffer).read()
    try:
        with open(name, "rb") as file:  # noqa: PTH123 - pathlib is imported only where it is needed
            return file.read()
    except OSError as error:
        raise KcadmError(f"File not found: {name}") from error


def read_document(name: str) -> tuple[str, Any]:
    """The text of a document, without the space around it, and its value.

    Raises:
        KcadmError: there is none, or it is not JSON.
    """
    text = read_file(name).decode("utf-8", "replace").strip("".join(map(chr, range(0x21))))
    if not text:
        raise KcadmError("Document provided by --file option is empty")
    try:
        return text, parse_first(text)
    except BrokenJSON as error:
        raise KcadmError(f"Not a valid JSON document - {error}") from None
