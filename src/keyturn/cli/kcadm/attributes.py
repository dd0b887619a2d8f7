"""Changes to a JSON object from the command line: ``-s a.b=1``, ``-s a+=x``, ``-s 'a[2]=x'``, ``-d a."b.c"``."""

from dataclasses import dataclass
from typing import Any, Final

from keyturn.cli.kcadm.errors import KcadmError, UsageError
from keyturn.cli.kcadm.json_document import MISSING, BrokenJSON, compact, node_name, parse

__all__ = ["Change", "apply_changes", "merge", "parse_change", "parse_key_value"]

_INT_LIMIT: Final = 2**31
_NODES: Final = "com.fasterxml.jackson.databind.node."


@dataclass(frozen=True, slots=True)
class Component:
    """One step of a key: the name of a member and, with brackets behind it, an index into the array there."""

    name: str
    index: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """Set, append or delete what `path` leads to; `value` is the text from the command line."""

    path: tuple[Component, ...]
    value: str = ""
    append: bool = False
    delete: bool = False


def parse_key_value(text: str) -> tuple[str, str]:
    """The two sides of the first ``=``.

    Raises:
        UsageError: there is none, or nothing before it.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"Invalid key=value parameter: [{text}]")
    return key, value


def parse_change(operation: str, text: str) -> Change:
    """The change of an option ``-s text`` (operation "set") or ``-d text`` ("delete").

    Raises:
        KcadmError: the key cannot be read.
        UsageError: it should hold an ``=`` and does not.
    """
    if operation == "delete":
        return Change(_parse_key(text.removesuffix("+")), delete=True)
    key, value = parse_key_value(text)
    append = key.endswith("+")
    return Change(_parse_key(key.removesuffix("+")), value=value, append=append)


def apply_changes(document: Any, changes: list[Change]) -> None:
    """Change `document` in place, in the order of `changes`.

    Raises:
        KcadmError: it is not an object, a key leads through something that is none, or a value cannot be read.
    """
    for change in changes:
        if not isinstance(document, dict):
            raise KcadmError(f"Not a JSON object: {compact(document)}")
        if change.path:
            _apply(document, change)


def merge(source: Any, target: dict[str, Any]) -> None:
    """Put the members of `source` over those of `target`, in place, objects member by member.

    Raises:
        KcadmError: `source` is not an object, or an object or array would give way to something else.
    """
    if not isinstance(source, dict):
        raise KcadmError(f"Not a JSON object: {compact(source)}")
    for name, value in source.items():
        present = target.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            merge(value, present)
        elif isinstance(present, dict | list) and type(present) is not type(value):
            raise KcadmError(f"Attribute is of incompatible type - {name}: {compact(value)}")
        else:
            target[name] = value


def _apply(document: dict[str, Any], change: Change) -> None:
    *parents, last = change.path
    for component in parents:
        if component.name not in document:
            document[component.name] = {} if component.index is None else []
        child = document[component.name]
        if not isinstance(child, dict):
            raise KcadmError(_cast_message(node_name(child)))
        document = child
    if change.delete:
        _delete(document, last)
    elif last.index is None and not change.append:
        document[last.name] = _parse_value(change.value)
    else:
        _put_into_array(document, last, change)


def _delete(document: dict[str, Any], last: Component) -> None:
    if last.index is None:
        document.pop(last.name, None)
        return
    array = document.get(last.name)
    if isinstance(array, list) and last.index < len(array):
        del array[last.index]


def _put_into_array(document: dict[str, Any], last: Component, change: Change) -> None:
    value = _parse_value(change.value)
    array = document.get(last.name)
    if not isinstance(array, list) or (change.append and last.index is not None):
        array = document[last.name] = []
    if last.index is None or change.append:
        array.append(value)
        return
    array.extend([None] * (last.index + 1 - len(array)))
    array[last.index] = value


def _cast_message(kind: str) -> str:
    wanted, given = f"{_NODES}ObjectNode", f"{_NODES}{kind}"
    return (
        f"class {given} cannot be cast to class {wanted} ({given} and {wanted} are in unnamed module of loader 'app')"
    )


def _parse_key(key: str) -> tuple[Component, ...]:
    """The components of a key: separated by dots, quoted with double quotes where they hold some."""
    components: list[str] = []
    current, quoted, closed = "", False, False
    for position, character in enumerate(key, start=1):
        if quoted:
            if character == '"':
                quoted, closed = False, True
            else:
                current += character
        elif character == ".":
            if not current and not closed:
                raise _invalid_key(key, position)
            components.append(current)
            current, closed = "", False
        elif closed or (character == '"' and current):
            raise _invalid_key(key, position)
        elif character == '"':
            quoted = True
        else:
            current += character
    if quoted or (key and not current and not closed):
        raise _invalid_key(key, len(key))
    return tuple(_parse_component(component) for component in [*components, current] if component)


def _invalid_key(key: str, position: int) -> KcadmError:
    return KcadmError(f"Invalid attribute key: {key} (at position {position})")


def _parse_component(component: str) -> Component:
    if not component.endswith("]"):
        return Component(component, None)
    name, bracket, index = component.removesuffix("]").rpartition("[")
    if not bracket:
        raise KcadmError(f"Invalid attribute key: {component} (']' not allowed here)")
    digits = index.removeprefix("-") if index.startswith("-") else index.removeprefix("+")
    if not digits.isdecimal() or int(index) >= _INT_LIMIT:
        raise KcadmError(f"Invalid attribute key: {component} (Invalid array index: '[{index}]')")
    return Component(name, int(index) if int(index) >= 0 else None)


def _parse_value(text: str) -> Any:
    """JSON where it is JSON; else the text, without the quotes around it."""
    if not text.strip(" \t\r\n"):
        return MISSING
    try:
        return parse(text)
    except BrokenJSON:
        pass
    if text[0] not in "\"'":
        return text
    if text == text[0]:
        raise KcadmError("Range [1, 0) out of bounds for length 1")
    if text[-1] != text[0]:
        raise KcadmError(f"Invalid string value: {text}")
    return text[1:-1]
