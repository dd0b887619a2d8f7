"""That a user profile is one: what Keycloak says of one that is not. Source: Keycloak ``UPConfigUtils``."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from keyturn.admin.patterns import InvalidPattern, Patterns, check_pattern
from keyturn.admin.user_attribute_validators import VALIDATORS, number, validators
from keyturn.representations import UNSET, Maybe, given, present, replace, without_nulls
from keyturn.representations.user_profile import (
    UPAttribute,
    UPAttributePermissions,
    UPAttributeRequired,
    UPAttributeSelector,
    UPConfig,
)

__all__ = ["complete", "profile_faults"]

_NAME: Final = re.compile(r"[A-Za-z0-9\-._]+")
_ROLES: Final = frozenset({"admin", "user"})

ConfigFault = tuple[str, str, str]
"""The setting, the message and its parameters, as a text."""


def complete(config: UPConfig) -> UPConfig:
    """`config` as Keycloak tells it: with what has a default, without ``null``."""
    attributes: Maybe[list[UPAttribute]] = UNSET
    if present(config.attributes):
        attributes = [_complete_attribute(attribute) for attribute in given(config.attributes, [])]
    return replace(
        without_nulls(config),
        attributes=attributes,
        groups=[without_nulls(group) for group in given(config.groups, [])],
    )


def _complete_attribute(attribute: UPAttribute) -> UPAttribute:
    permissions = given(attribute.permissions, None)
    required = given(attribute.required, None)
    selector = given(attribute.selector, None)
    return replace(
        without_nulls(attribute),
        permissions=UNSET
        if permissions is None
        else UPAttributePermissions(view=given(permissions.view, []), edit=given(permissions.edit, [])),
        required=UNSET if required is None else without_nulls(required),
        selector=UNSET if selector is None else without_nulls(selector),
        multivalued=given(attribute.multivalued, False),
    )


def profile_faults(config: UPConfig, scopes: Iterable[str]) -> list[str]:
    """What is wrong with `config` in a realm with these client scopes, in Keycloak's words."""
    groups = {given(group.name, "") for group in given(config.groups, [])}
    faults: list[str] = []
    if present(config.attributes):
        faults.extend(_attribute_faults(given(config.attributes, []), groups, frozenset(scopes)))
    unnamed = sum(not given(group.name, "") for group in given(config.groups, []))
    if unnamed:
        faults.append(f"Name is mandatory for groups, found {unnamed} group(s) without name.")
    return faults


def _attribute_faults(attributes: list[UPAttribute], groups: set[str], scopes: frozenset[str]) -> Iterator[str]:
    names: set[str] = set()
    for attribute in attributes:
        name = given(attribute.name, "")
        if not name:
            yield "Attribute configuration without 'name' is not allowed"
            continue
        if name in names:
            yield f"Attribute configuration already exists with 'name':'{name}'"
        elif not _NAME.fullmatch(name):
            yield f"Invalid attribute name (only letters, numbers and '.' '_' '-' special characters allowed): {name}'"
        names.add(name)
        yield from _faults_of(attribute, name, groups, scopes)
    for fixed in ("username", "email"):
        if fixed not in names:
            yield f"The attribute '{fixed}' can not be removed"


def _faults_of(attribute: UPAttribute, name: str, groups: set[str], scopes: frozenset[str]) -> Iterator[str]:
    for validator, config in given(attribute.validations, {}).items():
        if validator not in VALIDATORS:
            yield f"Validator '{validator}' defined for attribute '{name}' doesn't exist"
            continue
        wrong = "".join(
            f"ValidationError{{validatorId='{validator}', inputHint='{hint}', message='{message}', "
            f"messageParameters=[{parameters}]}}, "
            for hint, message, parameters in _CONFIGS.get(validator, _nothing)(config)
        )
        if wrong:
            yield f"Validator '{validator}' defined for attribute '{name}' has incorrect configuration: {wrong}"
    required = given(attribute.required, UPAttributeRequired())
    permissions = given(attribute.permissions, UPAttributePermissions())
    selector = given(attribute.selector, UPAttributeSelector())
    for setting, roles in (
        ("permissions.view", permissions.view),
        ("permissions.edit", permissions.edit),
        ("required.roles", required.roles),
    ):
        for role in given(roles, []):
            if role not in _ROLES:
                yield f"'{setting}' configuration for attribute '{name}' contains unsupported role '{role}'"
    for setting, wanted in (("required.scopes", required.scopes), ("selector.scopes", selector.scopes)):
        for scope in given(wanted, []):
            if scope not in scopes:
                yield f"'{setting}' configuration for attribute '{name}' contains unsupported scope '{scope}'"
    if present(attribute.group) and attribute.group not in groups:
        yield f"Attribute '{name}' references unknown group '{attribute.group}'"
    default = given(attribute.default_value, "")
    known = {name: value for name, value in given(attribute.validations, {}).items() if name in VALIDATORS}
    checks = validators(Patterns())
    if default and any(checks[validator](default, config) is not None for validator, config in known.items()):
        yield f"Default value for attribute '{name}' is invalid"


def _nothing(_: Mapping[str, Any]) -> Iterator[ConfigFault]:
    return iter(())


def _range(config: Mapping[str, Any]) -> Iterator[ConfigFault]:
    values = {}
    for hint in ("min", "max"):
        if config.get(hint) not in (None, ""):
            values[hint] = number(config[hint])
            if values[hint] is None:
                yield hint, "error-validator-config-invalid-number-value", str(config[hint])
    least, most = values.get("min"), values.get("max")
    if least is not None and most is not None and most < least:
        yield "max", "error-validator-config-invalid-value", ""


def _length(config: Mapping[str, Any]) -> Iterator[ConfigFault]:
    if all(config.get(hint) in (None, "") for hint in ("min", "max")):
        yield "min", "error-validator-config-missing-value", ""
        yield "max", "error-validator-config-missing-value", ""
        return
    yield from _range(config)


def _multivalued(config: Mapping[str, Any]) -> Iterator[ConfigFault]:
    if config.get("max") in (None, ""):
        yield "max", "error-validator-config-missing-value", ""
    elif number(config["max"]) is None:
        yield "max", "error-validator-config-invalid-number-value", ""


def _options(config: Mapping[str, Any]) -> Iterator[ConfigFault]:
    options = config.get("options")
    if options is None:
        yield "options", "error-validator-config-missing-value", ""
    elif not isinstance(options, list):
        yield "options", "error-validator-config-invalid-value", "must be list of values"


def _pattern(config: Mapping[str, Any]) -> Iterator[ConfigFault]:
    pattern = config.get("pattern")
    if pattern in (None, ""):
        yield "pattern", "error-validator-config-missing-value", ""
        return
    try:
        check_pattern(str(pattern))
    except InvalidPattern as error:
        yield "pattern", "error-validator-config-invalid-value", f"{pattern}, {error}"


def _email(config: Mapping[str, Any]) -> Iterator[ConfigFault]:
    longest = config.get("max-local-length")
    if longest not in (None, "") and number(longest) is None:
        yield "max-local-length", "error-validator-config-invalid-number-value", str(longest)


_CONFIGS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[ConfigFault]]]] = {
    "length": _length,
    "integer": _range,
    "double": _range,
    "multivalued": _multivalued,
    "options": _options,
    "pattern": _pattern,
    "email": _email,
}
