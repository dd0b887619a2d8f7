"""``new-object``: composes a JSON document; no server takes part."""

from typing import Any

from keyturn.cli.kcadm import console
from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.attributes import apply_changes, parse_change
from keyturn.cli.kcadm.documents import read_document
from keyturn.cli.kcadm.json_document import BrokenJSON, compact, parse, pretty

__all__ = ["is_idle", "run"]


def is_idle(arguments: Arguments) -> bool:
    """Whether there is nothing to do: only the help is wanted."""
    return not arguments.given("--file", "--set")


def run(arguments: Arguments) -> None:
    """Print the document.

    Raises:
        UsageError: a NAME=VALUE that is none.
        KcadmError: the file or an attribute cannot be read.
    """
    changes = [parse_change(operation, text) for operation, text in arguments.changes]
    file = arguments.text("--file")
    value: Any
    text, value = ("", {}) if file is None else read_document(file)
    if changes:
        apply_changes(value, changes)
        text = compact(value)
    if arguments.flag("--compressed"):
        console.write(text)
        return
    try:
        console.write(pretty(parse(text)))
    except BrokenJSON:
        console.write(text)  # more than one document, which no change has made one
    console.note("")
