"""That a realm's password policy is one. Source: Keycloak ``PasswordPolicy`` and its providers, asked of Keycloak."""

import re
from typing import Final

from keyturn.admin.errors import ErrorMessage, InvalidRequest
from keyturn.admin.patterns import InvalidPattern, check_pattern

__all__ = ["check_password_policy"]

_NUMBERS: Final = frozenset(
    {
        "digits",
        "forceExpiredPasswordChange",
        "hashIterations",
        "length",
        "lowerCase",
        "maxAuthAge",
        "maxLength",
        "passwordAge",
        "passwordHistory",
        "recoveryCodesWarningThreshold",
        "specialChars",
        "upperCase",
    }
)
_OTHERS: Final = frozenset(
    {"hashAlgorithm", "notContainsUsername", "notEmail", "notUsername", "passwordBlacklist", "regexPattern"}
)
_HASHES: Final = frozenset({"argon2", "pbkdf2", "pbkdf2-sha256", "pbkdf2-sha512"})
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,10}")


def check_password_policy(policy: str) -> None:
    """Raises AdminError for a rule that Keycloak does not know, or one that cannot be set so."""
    for part in filter(str.strip, policy.split(" and ")):
        name, configured, rest = part.strip().partition("(")
        name = name.strip()
        if name not in _NUMBERS | _OTHERS:
            raise ErrorMessage(400, "Password policy not found")
        fault = _fault(name, rest.removesuffix(")") if configured else None, closed=rest.endswith(")"))
        if fault is not None:
            raise ErrorMessage(400, f"Invalid config for {name}: {fault}")


def _fault(name: str, config: str | None, *, closed: bool) -> str | None:
    """What is wrong with the setting of a rule; None stands for a rule without one."""
    if name == "passwordBlacklist":
        raise InvalidRequest("There is no such password blacklist")
    if name == "regexPattern":
        return _pattern_fault(config)
    if config is None:
        return None
    if name in _NUMBERS and not (closed and _NUMBER.fullmatch(config) and -(2**31) <= int(config) < 2**31):
        return "Not a valid number"
    if name == "hashAlgorithm" and config not in _HASHES:
        return "Password hashing provider not found"
    return None


def _pattern_fault(config: str | None) -> str | None:
    if config is None:
        return "Config required"
    if not config.strip():
        return "White space not acepted"
    try:
        check_pattern(config)
    except InvalidPattern:
        return "Not a valid regular expression"
    return None
