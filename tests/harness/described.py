"""Holds answers to what an OpenAPI document says of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_DOCUMENT = "urn:described"


@dataclass(frozen=True)
class Operation:
    """One operation of a document."""

    path: str
    method: str
    described: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.described["operationId"])

    @property
    def segments(self) -> list[str]:
        """The names of the segments that take any text."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def body(self) -> tuple[str, Any] | None:
        """Media type and schema of what is sent."""
        if "requestBody" not in self.described:
            return None
        ((media_type, content),) = self.described["requestBody"]["content"].items()
        return media_type, content["schema"]

    @property
    def successes(self) -> set[int]:
        """The statuses that say that nothing is wrong."""
        return {int(status) for status in self.described["responses"] if status.startswith("2")}

    def at(self, values: Mapping[str, str]) -> str:
        """The path with `values` in it."""
        path = self.path
        for name in self.segments:
            path = path.replace(f"{{{name}}}", values[name])
        return path


@dataclass(frozen=True)
class Description:
    """An OpenAPI 3.1 document."""

    document: Mapping[str, Any]

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """By operation id."""
        return {operation.id: operation for operation in self._operations()}

    def _operations(self) -> Iterator[Operation]:
        for path, methods in self.document["paths"].items():
            for method, described in methods.items():
                if method != "parameters":
                    yield Operation(path, method.upper(), described)

    def check(self, operation: Operation, status: int, headers: Mapping[str, str], content: bytes, read: Any) -> None:
        """Fails unless the answer is one that `operation` is said to give; `read` is its JSON, if it is that."""
        where = f"{operation.method} {operation.path} answered {status} {headers.get('content-type')} {content[:300]!r}"
        assert str(status) in operation.described["responses"], f"{where}: a status that is not described"
        response = self._resolved(operation.described["responses"][str(status)])
        for name, header in response.get("headers", {}).items():
            assert not header.get("required") or name.lower() in headers, f"{where}: without {name}"
        media_type = headers.get("content-type", "").partition(";")[0].strip()
        if "content" not in response or not content:
            assert not content, f"{where}: a body that is not described"
            assert "content" not in response or "x-or-empty" in response, f"{where}: without the described body"
            return
        assert media_type in response["content"], f"{where}: a media type that is not described"
        if media_type == "application/json":
            faults = [
                f"{list(fault.absolute_path)}: {fault.message[:300]}"
                for fault in self._validator(response["content"][media_type]["schema"]).iter_errors(read)
            ]
            assert not faults, f"{where}: {faults[:3]}"

    def accepts(self, operation: Operation, document: Any) -> bool:
        """Whether `document` is a body that `operation` is said to take."""
        assert operation.body is not None
        return bool(self._validator(operation.body[1]).is_valid(document))

    def _resolved(self, response: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in response:
            return response
        found: Mapping[str, Any] = self.document["components"]["responses"][response["$ref"].rpartition("/")[2]]
        return found

    @cached_property
    def _registry(self) -> "Registry[Any]":
        empty: Registry[Any] = Registry()
        found: Registry[Any] = empty.with_resource(_DOCUMENT, DRAFT202012.create_resource(self.document))
        return found

    def _validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        absolute = _absolute(schema)
        return Draft202012Validator(absolute, registry=self._registry)


def _absolute(schema: Any) -> Any:
    """`schema` with references to the whole document."""
    if isinstance(schema, dict):
        return {name: f"{_DOCUMENT}{value}" if name == "$ref" else _absolute(value) for name, value in schema.items()}
    return [_absolute(each) for each in schema] if isinstance(schema, list) else schema
