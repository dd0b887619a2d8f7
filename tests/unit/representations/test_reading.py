"""Each line of these tables was asked of Keycloak 26.7.3: ``PUT /admin/realms/{realm}/clients/{id}``."""

import time

import pytest

from keyturn.representations import (
    ClientRepresentation,
    GroupRepresentation,
    PartialImportRepresentation,
    RealmRepresentation,
    RoleRepresentation,
)
from keyturn.representations.reading import UnreadableDocument, read

COERCED = [
    ("enabled", '"true"', True),
    ("enabled", '"TRUE"', True),
    ("enabled", '"True"', True),
    ("enabled", '"False"', False),
    ("enabled", '" true "', True),
    ("enabled", "1", True),
    ("enabled", "0", False),
    ("enabled", "-1", True),
    ("enabled", '""', None),
    ("enabled", '" "', None),
    ("enabled", '"null"', None),
    ("enabled", "null", None),
    ("name", "5", "5"),
    ("name", "1.50", "1.50"),
    ("name", "1e3", "1e3"),
    ("name", "-0", "-0"),
    ("name", "true", "true"),
    ("name", "null", None),
    ("name", r'"a\ud83d\ude00b"', "a😀b"),
    ("name", r'"a\u0001b"', "a\x01b"),
    ("not_before", '"5"', 5),
    ("not_before", '"+5"', 5),
    ("not_before", '" 7 "', 7),
    ("not_before", "1.9", 1),
    ("not_before", "-1.9", -1),
    ("not_before", "1e3", 1000),
    ("not_before", '"null"', None),
    ("not_before", '""', None),
    ("redirect_uris", "[1, true]", ["1", "true"]),
    ("redirect_uris", "[null]", []),
    ("redirect_uris", '["a", null, "b"]', ["a", "b"]),
    ("attributes", '{"a": 1.50, "b": true, "c": null}', {"a": "1.50", "b": "true", "c": ""}),
    ("access", '{"view": "true"}', {"view": True}),
]
WIRE = {"not_before": "notBefore", "redirect_uris": "redirectUris"}


@pytest.mark.parametrize(("field", "json", "expected"), COERCED)
def test_coerces_as_keycloak_does(field: str, json: str, expected: object) -> None:
    content = f'{{"clientId": "c", "{WIRE.get(field, field)}": {json}}}'
    assert getattr(read(content.encode(), ClientRepresentation), field) == expected


UNREADABLE = [
    ("", "empty"),
    ("  ", "empty"),
    ("null", "empty"),
    ('""', "wrong_type"),
    ("1", "wrong_type"),
    ("true", "wrong_type"),
    ("[]", "wrong_type"),
    ('[{"color": 1}]', "wrong_type"),
    ('{"enabled":"tRue"}', "wrong_type"),
    ('{"enabled":1.0}', "wrong_type"),
    ('{"enabled":[true]}', "wrong_type"),
    ('{"enabled":{}}', "wrong_type"),
    ('{"name":["x"]}', "wrong_type"),
    ('{"notBefore":"1.5"}', "wrong_type"),
    ('{"notBefore":"1_0"}', "wrong_type"),
    ('{"notBefore":"Null"}', "wrong_type"),
    ('{"notBefore":"3000000000"}', "wrong_type"),
    ('{"notBefore":true}', "wrong_type"),
    ('{"redirectUris":""}', "wrong_type"),
    ('{"redirectUris":["a",["b"]]}', "wrong_type"),
    ('{"attributes":[]}', "wrong_type"),
    ('{"attributes":{"a":{}}}', "wrong_type"),
    ('{"protocolMappers":[""]}', "wrong_type"),
    ('{"access":{"view":"yes"}}', "wrong_type"),
    ("[" * 100_000, "wrong_type"),
    ('{"attributes":' + "[" * 100_000, "wrong_type"),
    ('{"notBefore":3000000000}', "malformed_value"),
    ('{"notBefore":1e30}', "malformed_value"),
    ('{"notBefore":1e999999999}', "malformed_value"),
    ('{"notBefore":99999999999.5}', "malformed_value"),
    ('{"name":' + "1" * 100_000 + "}", "malformed_value"),
    ('{"' + "n" * 50_001 + '":1}', "malformed_value"),
    ('{"name":"a\x00b"}', "malformed_value"),
    ('{"name":"a\nb"}', "malformed_value"),
    (r'{"name":"\x"}', "malformed_value"),
    (r'{"name":"\u12"}', "malformed_value"),
    ('{"redirectUris":[1,]}', "malformed_value"),
    (b'{"name":"a\xff"}', "malformed_value"),
    (b'{"name":"\xed\xa0\x80"}', "malformed_value"),
    (b'{"name":"lat\xe9"}', "malformed_value"),
    ('{"color"', "broken_json"),
    ('{"color" 1}', "broken_json"),
    ('{"color":nope}', "broken_json"),
    ('{"color":01}', "broken_json"),
    ('{"color": /*x*/ 1}', "broken_json"),
    ('{"co"lor":1}', "broken_json"),
    ("\x00{}", "broken_json"),
    ('{"name":NaN}', "broken_json"),
    ('{"name":+1}', "broken_json"),
    ('{"name":1.}', "broken_json"),
    ('{"name":.5}', "broken_json"),
    ('{"name":1e}', "broken_json"),
    ('{"name":-}', "broken_json"),
    ('{"name":trueish}', "broken_json"),
    ('{name:"a"}', "broken_json"),
    ("{'name':'a'}", "broken_json"),
    ('{"name":"a",}', "broken_json"),
    ('{"name":"a"//\n}', "broken_json"),
    ('{"name"::"x"}', "broken_json"),
    ("{,}", "broken_json"),
    ('{"enabled":True}', "broken_json"),
    ('{"name": ', "broken_json"),
    ('{"enabled":"yes","color":1}', "wrong_type"),
]


@pytest.mark.parametrize(("content", "kind"), UNREADABLE, ids=[str(content)[:40] for content, _ in UNREADABLE])
def test_tells_what_cannot_be_read(content: str | bytes, kind: str) -> None:
    with pytest.raises(UnreadableDocument) as unreadable:
        read(content if isinstance(content, bytes) else content.encode(), ClientRepresentation)
    assert unreadable.value.kind == kind


UNRECOGNIZED = [
    ('{"color":1}', "color", 1, 11),
    ('{"color":"blue"}', "color", 1, 11),
    ('{ "color" : "blue" }', "color", 1, 14),
    ('{"color"  :  {"a":1}}', "color", 1, 15),
    ('{"color":[1,2]}', "color", 1, 11),
    ('{"color":true}', "color", 1, 14),
    ('{"color":null}', "color", 1, 14),
    ('{"color":-12.5}', "color", 1, 15),
    ('{\n  "name": "x",\n  "color": "blue"\n}', "color", 3, 13),
    ('{"name":"é","color":1}', "color", 1, 23),
    ('{"name":"😀","color":1}', "color", 1, 25),
    ('{"name":"x",\r\n"color":1}', "color", 2, 10),
    ('{"name":"x",\r"color":1}', "color", 2, 10),
    ('{"name":"x",\n\n\t"color":1}', "color", 3, 11),
    (r'{"co\u006cor":1}', "color", 1, 16),
    ('{"color":"unterminated', "color", 1, 11),
    ('\ufeff{"color":1}', "color", 1, 14),
    ('{"":1}', "", 1, 6),
    (r'{"a\"b":1}', 'a"b', 1, 10),
    ('{"é":1}', "é", 1, 8),
    ('{"color":1', "color", 1, 11),
    ('{"color" \n : \n 1}', "color", 3, 3),
    ('{"color":1,"enabled":"yes"}', "color", 1, 11),
    ('{"color":' + "[" * 600 + "]" * 600 + "}", "color", 1, 11),
]


@pytest.mark.parametrize(("content", "field", "line", "column"), UNRECOGNIZED)
def test_names_an_unrecognized_field_and_its_place(content: str, field: str, line: int, column: int) -> None:
    with pytest.raises(UnreadableDocument) as unreadable:
        read(content.encode(), ClientRepresentation)
    assert str(unreadable.value) == (
        f'Invalid json representation for ClientRepresentation. Unrecognized field "{field}" '
        f"at line {line} column {column}."
    )


def test_names_the_nested_document_of_an_unrecognized_field() -> None:
    with pytest.raises(UnreadableDocument) as unreadable:
        read(b'{"protocolMappers":[{"config":{},"colour":"x"}]}', ClientRepresentation)
    assert str(unreadable.value) == (
        'Invalid json representation for ProtocolMapperRepresentation. Unrecognized field "colour" at line 1 column 44.'
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_reads_every_encoding_of_json(encoding: str) -> None:
    assert read('{"name": "é"}'.encode(encoding), RoleRepresentation).name == "é"


@pytest.mark.parametrize("rest", [" x", "}", "{", "\x00", "\u00a0"])
def test_ignores_what_follows_the_document(rest: str) -> None:
    assert read(f'{{"name": "r"}}{rest}'.encode(), RoleRepresentation).name == "r"


def test_takes_the_last_of_two_equal_fields() -> None:
    assert read(b'{"name": "first", "name": "second"}', RoleRepresentation).name == "second"


def test_reads_a_list_of_documents() -> None:
    assert [role.name for role in read(b'[{"name": 1}, {"name": "b"}]', list[RoleRepresentation])] == ["1", "b"]


def test_a_partial_import_skips_unknown_fields_but_not_those_inside() -> None:
    content = b'{"color": [{"a": "]"}, 1], "clients": [{"clientId": "c"}]}'
    found = read(content, PartialImportRepresentation, ignore_unknown=True)
    assert isinstance(found.clients, list)
    assert found.clients[0].client_id == "c"
    with pytest.raises(UnreadableDocument) as unreadable:
        read(b'{"clients": [{"colour": 1}]}', PartialImportRepresentation, ignore_unknown=True)
    assert unreadable.value.document == "ClientRepresentation"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('[{"id":"x",}]', "malformed_value"),
        ("[1]", "wrong_type"),
        ('["x"]', "wrong_type"),
        ("{}", "wrong_type"),
        ("[", "broken_json"),
        ("[,]", "broken_json"),
        ('[{"id":"x"} x]', "broken_json"),
        ('[{"id":"x"},]', "broken_json"),
        ('[{"id":tru}]', "malformed_value"),
        ('[{"color":1}]', "unrecognized_field"),
        ("null", "empty"),
    ],
)
def test_tells_what_cannot_be_read_of_a_list(content: str, kind: str) -> None:
    with pytest.raises(UnreadableDocument) as unreadable:
        read(content.encode(), list[RoleRepresentation])
    assert unreadable.value.kind == kind


@pytest.mark.parametrize("value", ['""', '"NOPE"', "{}"])
def test_refuses_a_choice_that_is_not_one(value: str) -> None:
    with pytest.raises(UnreadableDocument) as unreadable:
        read(f'{{"bruteForceStrategy": {value}}}'.encode(), RealmRepresentation)
    assert unreadable.value.kind == "wrong_type"


@pytest.mark.parametrize("opening", ['{"subGroups":[', '{"clientPolicies":[', '{"a":'])
def test_refuses_deep_nesting_without_running_out_of_stack(opening: str) -> None:
    for document in (GroupRepresentation, RealmRepresentation):
        with pytest.raises(UnreadableDocument):
            read((opening * 50_000).encode(), document)
    policies = b'{"clientPolicies":' + b"[" * 300 + b"]" * 300 + b"}"
    with pytest.raises(UnreadableDocument) as unreadable:
        read(policies, RealmRepresentation)
    assert unreadable.value.kind == "malformed_value"


def test_reads_a_large_document_in_linear_time() -> None:
    content = b'{"enabled": "true", "redirectUris": [' + b", ".join([b'"https://a.example/"'] * 20_000) + b"]}"
    started = time.process_time()
    assert len(read(content, ClientRepresentation).redirect_uris or []) == 20_000
    assert time.process_time() - started < 2
