"""What a realm's user profile can ask of the values of an attribute. A new validator is a line in ``_FIXED``.

Each takes a value that is not blank, and its configuration; it gives the message and its parameters, or None.
Source: Keycloak ``Validators``, asked of Keycloak.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, Final

from keyturn.admin.patterns import Patterns

__all__ = ["VALIDATORS", "Fault", "Validator", "is_email", "multivalued_fault", "number", "validators"]

Fault = tuple[str, tuple[Any, ...]]
"""A message and its parameters behind the attribute's name."""
Config = Mapping[str, Any]

_LONGEST_LOCAL_PART: Final = 64
_LONGEST_DOMAIN: Final = 255
_LONGEST_LABEL: Final = 63
# No re.IGNORECASE: with ranges as wide as these it takes 60 ms to compile.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]+"
_QUOTED: Final = r'"(?:[A-Za-z0-9!#$%&\'*.(),<>\[\]:; @+/=?^_`{|}~\u0080-\uffff-]|\\\\|\\")+"'
_LOCAL_PART: Final = re.compile(rf"(?:{_ATOM}|{_QUOTED})(?:\.(?:{_ATOM}|{_QUOTED}))*")
_LABEL: Final = r"[A-Za-z0-9\u0080-\uffff!#$%&'*+/=?^_`{|}~](?:[A-Za-z0-9\u0080-\uffff!#$%&'*+/=?^_`{|}~-]*[A-Za-z0-9\u0080-\uffff!#$%&'*+/=?^_`{|}~])?"  # noqa: E501
_DOMAIN: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9.]+\]|\[[iI][pP][vV]6:[0-9A-Fa-f:.]+\])")
_NOT_IN_NAMES: Final = re.compile(r'[<>&"\v\n\f\r\x85\u2028\u2029$%!#?§;*~/\\|^=\[\]{}()\x00-\x1f\x7f]')
_NOT_IN_USERNAMES: Final = re.compile(r"[<>&\"'\s$%!#?§,;:*~/\\|^=\[\]{}()`\x00-\x1f\x7f]")
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_DOUBLE: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LOCAL_DATE: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{1,4})")
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_URI_CHARACTERS: Final = re.compile(r"[A-Za-z0-9;/?:@&=+$,\-_.!~*'()\[\]#%]|[^\x00-\x7f]")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def number(value: Any) -> int | float | None:
    """A number in a validator's configuration, which may be written as a text; None where there is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    text = str(value)
    if _INTEGER.fullmatch(text):
        return int(text)
    found = float(text) if _DOUBLE.fullmatch(text) else math.inf
    return found if math.isfinite(found) else None


def _length(value: str, config: Config) -> Fault | None:
    least, most = number(config.get("min")), number(config.get("max"))
    text = value if str(config.get("trim-disabled", "")).lower() == "true" else value.strip()
    if (least is None or len(text) >= least) and (most is None or len(text) <= most):
        return None
    if least is None or most is None:
        return f"error-invalid-length-too-{'long' if least is None else 'short'}", (least, most)
    return "error-invalid-length", (least, most)


def _ranged(value: float, least: float | None, most: float | None) -> Fault | None:
    if (least is None or value >= least) and (most is None or value <= most):
        return None
    if least is None or most is None:
        return f"error-number-out-of-range-too-{'big' if least is None else 'small'}", (least, most)
    return "error-number-out-of-range", (least, most)


def _integer(value: str, config: Config) -> Fault | None:
    if not _INTEGER.fullmatch(value):
        return "error-invalid-number", ()
    return _ranged(int(value), number(config.get("min")), number(config.get("max")))


def _double(value: str, config: Config) -> Fault | None:
    if not _DOUBLE.fullmatch(value):
        return "error-invalid-number", ()
    least, most = number(config.get("min")), number(config.get("max"))
    return _ranged(float(value), None if least is None else float(least), None if most is None else float(most))


def _pattern(patterns: Patterns, value: str, config: Config) -> Fault | None:
    pattern = str(config.get("pattern", ""))
    if patterns.match(pattern, value):
        return None
    return str(config.get("error-message") or "error-pattern-no-match"), (pattern,)


def is_email(value: str, longest: float = _LONGEST_LOCAL_PART) -> bool:
    """Whether it is an e-mail address, with at most so many characters before the ``@``."""
    local, at, domain = value.rpartition("@")
    return bool(
        at
        and len(local) <= longest
        and len(domain) <= _LONGEST_DOMAIN
        and _LOCAL_PART.fullmatch(local)
        and _DOMAIN.fullmatch(domain)
        and all(len(label) <= _LONGEST_LABEL for label in domain.split("."))
    )


def _email(value: str, config: Config) -> Fault | None:
    longest = number(config.get("max-local-length")) or _LONGEST_LOCAL_PART
    return None if is_email(value, longest) else ("error-invalid-email", (value,))


def _uri(value: str, config: Config) -> Fault | None:
    reason = _no_uri(value)
    if reason is not None:
        return "error-invalid-uri", (value, reason)
    scheme = value.partition(":")[0]
    allowed = config.get("allowedSchemes") or ("http", "https")
    return None if scheme in allowed else ("error-invalid-uri-scheme", (value, scheme))


def _no_uri(value: str) -> str | None:
    """What Java has against the text as an absolute URI."""
    for at, character in enumerate(value):
        if not _URI_CHARACTERS.fullmatch(character):
            part = "authority" if value.count("/", 0, at) == 2 else "path"
            return f"Illegal character in {part} at index {at}: {value}"
        if character == "%" and not re.fullmatch("[0-9A-Fa-f]{2}", value[at + 1 : at + 3]):
            return f"Malformed escape pair at index {at}: {value}"
    scheme = _SCHEME.match(value)
    if scheme is None:
        return "URI is not absolute"
    rest = value[scheme.end() :]
    if rest in {"", "//"}:
        wanted = "authority" if rest else "scheme-specific part"
        return f"Expected {wanted} at index {len(value)}: {value}"
    return None


def _options(value: str, config: Config) -> Fault | None:
    return None if value in (config.get("options") or ()) else ("error-invalid-value", ())


def _local_date(value: str, _: Config) -> Fault | None:
    """Month, day and year, which is what the English locale writes."""
    match = _LOCAL_DATE.fullmatch(value)
    good = match is not None and _is_date(int(match[3]) or 1, int(match[1]), int(match[2]))
    return None if good else ("error-invalid-date", ())


def _iso_date(value: str, _: Config) -> Fault | None:
    good = _ISO_DATE.fullmatch(value) and _is_date(*map(int, value.split("-")))
    return None if good else ("error-invalid-date", (value,))


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _person_name(value: str, config: Config) -> Fault | None:
    if not _NOT_IN_NAMES.search(value):
        return None
    return str(config.get("error-message") or "error-person-name-invalid-character"), ()


def _username(value: str, config: Config) -> Fault | None:
    if not _NOT_IN_USERNAMES.search(value):
        return None
    return str(config.get("error-message") or "error-username-invalid-character"), ()


def _no_homograph(value: str, config: Config) -> Fault | None:
    """Letters of the Latin script only: others can look like them."""
    if all(map(_is_latin_or_common, value)):
        return None
    return str(config.get("error-message") or "error-username-invalid-character"), ()


def _is_latin_or_common(character: str) -> bool:
    category = unicodedata.category(character)
    if category[0] == "M":
        return False
    return category[0] != "L" or unicodedata.name(character, "").startswith(("LATIN", "MICRO", "FEMININE", "MASCULINE"))


def _anything(_: str, __: Config) -> None:
    """For validators that ask nothing of administrators."""


Validator = Callable[[str, Config], Fault | None]

_FIXED: Final[Mapping[str, Validator]] = {
    "length": _length,
    "integer": _integer,
    "double": _double,
    "email": _email,
    "uri": _uri,
    "options": _options,
    "local-date": _local_date,
    "iso-date": _iso_date,
    "person-name-prohibited-characters": _person_name,
    "username-prohibited-characters": _username,
    "up-username-not-idn-homograph": _no_homograph,
    "multivalued": _anything,  # about all values together: `multivalued_fault`
    "not-blank": _anything,  # blank values never get here
    "not-empty": _anything,
    "up-blank-attribute-value": _anything,
    "up-attribute-required-by-metadata-value": _anything,
    "up-immutable-attribute": _anything,
    "up-readonly-attribute-unchanged": _anything,
    "up-brokering-federated-username-has-value": _anything,
    "organization-member-validator": _anything,
    "up-duplicate-did": _anything,
    "up-duplicate-email": _anything,
    "up-duplicate-username": _anything,
    "up-email-exists-as-username": _anything,
    "up-registration-email-as-username-email-value": _anything,
    "up-registration-email-as-username-username-value": _anything,
    "up-registration-username-exists": _anything,
    "up-username-has-value": _anything,
    "up-username-mutation": _anything,
}
"""By the name in the profile; with them goes ``pattern``."""

VALIDATORS: Final = frozenset({*_FIXED, "pattern"})
"""The names of all."""


def validators(patterns: Patterns) -> Mapping[str, Validator]:
    """By name, with regular expressions matched by `patterns`."""
    return {**_FIXED, "pattern": partial(_pattern, patterns)}


def multivalued_fault(values: int, config: Config) -> Fault | None:
    """Whether that many values are too few or too many."""
    least, most = int(number(config.get("min")) or 0), number(config.get("max"))
    if least <= values and (most is None or values <= most):
        return None
    return "error-invalid-multivalued-size", (least, None if most is None else int(most))
