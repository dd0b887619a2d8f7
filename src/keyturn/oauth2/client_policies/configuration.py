"""Reads what conditions and executors are configured with, as leniently as Keycloak does."""

from typing import Any, TypeVar

from keyturn.model.client_policy import PolicyRefused
from keyturn.representations import Maybe, Representation, encode, given, present
from keyturn.representations.reading import UnreadableDocument, read

C = TypeVar("C", bound=Representation)


class InvalidConfiguration(Exception):
    """A condition or an executor is configured with what it cannot be configured with."""


class Configuration(Representation, rename="kebab"):
    """What an executor or a condition is configured with. Other entries are kept, and mean nothing."""


class ConditionConfiguration(Configuration):
    """What every condition has."""

    is_negative_logic: Maybe[bool] = None


def configuration(document: Any, kind: type[C]) -> C:
    """`document`, JSON that has been parsed, as a `kind`. Raises InvalidConfiguration."""
    if not isinstance(document, dict):
        raise InvalidConfiguration("it is no object")
    try:
        return read(encode(document), kind, ignore_unknown=True)
    except UnreadableDocument as error:
        raise InvalidConfiguration(str(error)) from None


def told(value: Maybe[bool], executor: str) -> bool:
    """`value` of ``auto-configure``. Raises PolicyRefused where it is missing (Keycloak answers 500)."""
    if not present(value):
        raise PolicyRefused("invalid_request", f"The executor {executor} is not told whether to auto-configure")
    return given(value, False)
