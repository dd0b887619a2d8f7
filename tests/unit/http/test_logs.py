"""Log lines: their form, and that nobody can forge one."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from keyturn.http.logs import configure_logs


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(form: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logs(level, form, stream)
    return stream


def test_a_text_line_has_time_level_logger_and_message() -> None:
    stream = logged("text")
    logging.getLogger("keyturn.x").warning("hello %s", "you")
    assert stream.getvalue().endswith(" WARNING keyturn.x: hello you\n")
    assert stream.getvalue()[:4].isdigit()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_message_cannot_begin_a_line_of_its_own(form: str) -> None:
    stream = logged(form)
    logging.getLogger("keyturn.x").warning("a\nb\r\x1b[2J\u2028c")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_json_lines_are_objects() -> None:
    stream = logged("json")
    try:
        raise LookupError("x")
    except LookupError:
        logging.getLogger("keyturn.x").exception("failed")
    line = json.loads(stream.getvalue())
    assert (line["level"], line["loggerName"], line["message"]) == ("ERROR", "keyturn.x", "failed")
    assert "LookupError" in line["stackTrace"]


def test_the_level_is_the_least_that_is_logged() -> None:
    stream = logged("text", "error")
    logging.getLogger("keyturn.x").warning("no")
    logging.getLogger("keyturn.x").error("yes")
    assert stream.getvalue().endswith("yes\n")
    assert stream.getvalue().count("\n") == 1


def test_the_http_librarys_warnings_are_for_debugging() -> None:
    stream = logged("text")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert stream.getvalue() == ""
    stream = logged("text", "debug")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert "Invalid HTTP request" in stream.getvalue()
