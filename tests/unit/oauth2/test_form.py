"""Forms in request bodies (RFC 6749 Appendix B, RFC 7578)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.oauth2.errors import MalformedRequest
from keyturn.oauth2.form import MAXIMUM_PARAMETERS, parse

URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "expect"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=&b", {"a": "", "b": ""}),
        (b"a=%C3%A4+%2B%26%3D", {"a": "ä +&="}),
        (b"&&a=1&", {"a": "1"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"%61=1", {"a": "1"}),
        ("a=ä".encode(), {"a": "ä"}),
    ],
)
def test_reads_urlencoded_forms(body: bytes, expect: dict[str, str]) -> None:
    assert parse(URLENCODED, body) == expect


@pytest.mark.parametrize("content_type", [f"{URLENCODED}; charset=UTF-8", "Application/X-WWW-Form-Urlencoded "])
def test_the_type_of_the_content_is_read_as_media_types_are(content_type: str) -> None:
    assert parse(content_type, b"a=1") == {"a": "1"}


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", "multipart/form-data"])
def test_any_other_content_is_no_form(content_type: str) -> None:
    assert parse(content_type, b"a=1") == {}


def test_notices_a_name_that_comes_twice() -> None:
    assert parse(URLENCODED, b"a=1&a=1").repeated
    assert parse(URLENCODED, b"a=1&%61=2").repeated
    assert not parse(URLENCODED, b"a=1&A=1").repeated


@pytest.mark.parametrize("body", [b"a=%zz", b"a=%", b"a=%a", b"%=1", b"a=%ff", b"a=\xff"])
def test_refuses_what_cannot_be_read(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse(URLENCODED, body)


def test_refuses_thousands_of_parameters() -> None:
    with pytest.raises(MalformedRequest, match="Too many"):
        parse(URLENCODED, b"&".join(b"p%d=1" % number for number in range(MAXIMUM_PARAMETERS + 1)))


def test_reads_the_fields_of_multipart_forms_and_leaves_out_files() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\ncontent\r\n'
        b"--x--\r\n"
    )
    assert parse("multipart/form-data; boundary=x", body) == {"grant_type": "client_credentials"}


def test_the_names_of_multipart_fields_are_utf_8() -> None:
    field = 'Content-Disposition: form-data; name="ä"\r\n\r\n1\r\n--x--'
    assert parse("multipart/form-data; boundary=x", f"--x\r\n{field}".encode()) == {"ä": "1"}
    with pytest.raises(MalformedRequest):
        parse("multipart/form-data; boundary=x", f"--x\r\n{field}".encode("latin-1"))


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b'content-disposition : form-data ; NAME="a"', {"a": "1"}),
        (b"Content-Type: text/plain\r\nContent-Disposition: form-data; name=a", {"a": "1"}),
        (b"Content-Disposition: form-data", {}),
        (b"nothing", {}),
    ],
)
def test_reads_the_head_of_a_multipart_field(head: bytes, form: dict[str, str]) -> None:
    assert parse("multipart/form-data; boundary=x", b"--x\r\n" + head + b"\r\n\r\n1\r\n--x--") == form


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_any_multipart_field_is_read_or_refused(head: bytes, value: bytes) -> None:
    body = b"--x\r\nContent-Disposition: form-data; name=" + head + b"\r\n\r\n" + value + b"\r\n--x--"
    try:
        form = parse("multipart/form-data; boundary=x", body)
    except MalformedRequest:
        return
    assert all(isinstance(text, str) for pair in form.items() for text in pair)


@given(st.binary(max_size=200), st.sampled_from([URLENCODED, "multipart/form-data; boundary=x"]))
def test_any_content_is_read_or_refused(body: bytes, content_type: str) -> None:
    try:
        form = parse(content_type, body)
    except MalformedRequest:
        return
    assert all(isinstance(value, str) for pair in form.items() for value in pair)
