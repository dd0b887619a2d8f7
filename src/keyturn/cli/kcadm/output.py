"""Prints an answer: pretty, compressed, filtered, or as comma-separated values."""

from keyturn.cli.kcadm import console
from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.errors import KcadmError
from keyturn.cli.kcadm.fields import Fields
from keyturn.cli.kcadm.http_connection import Response
from keyturn.cli.kcadm.json_document import BrokenJSON, parse, pretty

__all__ = ["print_body", "print_headers"]


def print_headers(response: Response) -> None:
    """The status line and the headers."""
    console.write_line(f"HTTP/1.1 {response.status} {response.reason}")
    for name, value in response.headers:
        console.write_line(f"{name}: {value}")


def print_body(response: Response, arguments: Arguments, fields: Fields | None) -> None:
    """The body as the arguments want it. JSON stands on standard output without a line's end: that goes to standard
    error, as kcadm.sh has it.

    Raises:
        KcadmError: what says it is JSON is none.
    """
    csv = (arguments.text("--format") or "json").lower() == "csv"
    compressed = arguments.flag("--compressed")
    is_json = (response.header("content-type") or "").startswith("application/json")
    if compressed or not is_json:
        if csv or fields is not None:
            reason = "compressed" if compressed else "not json"
            console.note(f"Cannot create CSV nor filter returned fields because the response is {reason}")
        elif response.body:
            console.write(response.body)
            console.note("")
        return
    try:
        value = parse(response.body.decode("utf-8", "replace"))
    except BrokenJSON as error:
        raise KcadmError(f"Error processing results: {error}") from None
    if csv:
        from keyturn.cli.kcadm.csv_output import csv_lines

        for line in csv_lines(value, fields, quoted=not arguments.flag("--noquotes")):
            console.write_line(line)
    else:
        console.write(pretty(value if fields is None else fields.apply(value)))
        console.note("")
