"""The reference says what there is: every endpoint, every field, as the code has it now."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from keyturn.admin.openapi.document import admin_documents
from keyturn.admin.openapi.operations import operations
from keyturn.admin.openapi.texts import texts
from keyturn.admin.resources import RESOURCES
from keyturn.http.openapi_document import document
from keyturn.representations import AccessTokenResponse

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
OWN = {
    "clients/{}/authz/{}": "GET POST PUT DELETE",  # one for all that authorization services have there
    "clients/{}/credentials": "GET POST",
    "clients/{}/credentials/{}": "GET PUT DELETE",
    "credentials": "GET",
}
"""Endpoints below a realm that Keycloak does not have, with their methods."""


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_pages", REFERENCE / "reference_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(reference: ModuleType) -> dict[Path, str]:
    found: dict[Path, str] = reference.pages()
    return found


def test_the_pages_are_those_that_the_code_gives(pages: dict[Path, str]) -> None:
    for path, text in pages.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run make docs"


def test_no_page_is_left_of_what_is_gone(pages: dict[Path, str]) -> None:
    assert set((REFERENCE / "admin-api").iterdir()) <= set(pages)


def test_every_endpoint_is_in_the_document() -> None:
    paths = document()["paths"]
    for operation in operations(RESOURCES):
        assert paths[operation.path][operation.method.lower()]["operationId"] == operation.id
    described = [each["operationId"] for methods in paths.values() for m, each in methods.items() if m != "parameters"]
    assert len(described) == len(set(described))


def test_every_endpoint_is_on_a_page(reference: ModuleType, pages: dict[Path, str]) -> None:
    lines = {path: text.splitlines() for path, text in pages.items()}
    for operation in operations(RESOURCES):
        if not operation.deprecated:
            page = lines[REFERENCE / "admin-api" / f"{reference.slug(operation.tag)}.md"]
            assert f"## {operation.method} {operation.path.removeprefix('/admin')}" in page


def test_every_endpoint_is_one_of_keycloaks_or_said_not_to_be(reference: ModuleType) -> None:
    lines = reference.KEYCLOAK.read_text(encoding="utf-8").splitlines()
    theirs = {reference.anonymous(line) for line in lines if not line.startswith("#")}
    ours = {f"{each.method} {reference.anonymous(each.path)}" for each in operations(RESOURCES)}
    own = {f"{method} /admin/realms/{{}}/{path}" for path, methods in OWN.items() for method in methods.split()}
    assert ours - theirs == own
    section = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8").partition("and not Keycloak's")[2]
    assert "`…/clients/{id}/credentials`" in section
    assert "`…/credentials`" in section


def test_every_field_that_means_something_says_what() -> None:
    silent = [
        f"{found.name}.{field.name}"
        for found in admin_documents(RESOURCES)
        for field in found.fields
        if field.use in ("acted on", "told") and not field.text
    ]
    assert silent == []


def test_no_text_is_left_of_a_field_that_is_gone() -> None:
    fields = {found.name: {field.name for field in found.fields} for found in admin_documents(RESOURCES)}
    fields[AccessTokenResponse.__name__] = set(AccessTokenResponse.__struct_encode_fields__)
    for table in (texts().fields, texts().told, texts().ignored):
        for name, named in table.items():
            assert set(named) <= fields[name], name


def test_no_text_is_left_of_an_endpoint_that_is_gone() -> None:
    found = operations(RESOURCES)
    functions = {each.endpoint.parameters.function.__name__ for each in found}
    asked = {parameter.name for each in found for parameter in each.parameters if parameter.within == "query"}
    named = {parameter.name for each in found for parameter in each.parameters if parameter.within == "path"}
    assert set(texts().rights) <= functions
    assert {function for name in texts().queries for function in name.split("@")[1:]} <= functions
    assert {name.partition("@")[0] for name in texts().queries} <= asked
    assert {name for name, _ in texts().segments.values()} <= named
    assert set(texts().about) == {each.tag for each in found}


def test_no_server_loads_the_description_before_it_is_asked_for() -> None:
    code = "import sys, keyturn.http.serve; sys.exit('keyturn.admin.openapi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
