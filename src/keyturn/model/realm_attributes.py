"""The attributes of a realm that are keyturn's own: which there are, and what may stand in them."""

import re
from collections.abc import Mapping
from typing import Final

from keyturn.model import key_rotation, strictness
from keyturn.representations import RealmRepresentation, given

__all__ = ["REALM_ATTRIBUTES", "THROTTLE_AFTER", "THROTTLE_LONGEST", "problem_with"]

_PREFIX: Final = "keyturn."

THROTTLE_AFTER: Final = "keyturn.throttle.after"
"""Failures to prove who one is, of one sender for one client, after which it has to wait."""

THROTTLE_LONGEST: Final = "keyturn.throttle.longest"
"""Seconds to wait at most."""

_FLAG: Final = "true or false"
_NUMBER: Final = "a number"
_SECONDS: Final = "a number of seconds"

REALM_ATTRIBUTES: Final[Mapping[str, str]] = {
    strictness.STRICT: _FLAG,
    strictness.ONE_ERROR: _FLAG,
    strictness.ONE_METHOD: _FLAG,
    strictness.ISSUER_ONLY: _FLAG,
    strictness.RESOURCES: _FLAG,
    strictness.RFC_9068: _FLAG,
    strictness.SMALL_TOKENS: _FLAG,
    strictness.MAX_AGE: _SECONDS,
    key_rotation.PERIOD: _SECONDS,
    key_rotation.OVERLAP: _SECONDS,
    "keyturn.dpop.nonce": _FLAG,
    THROTTLE_AFTER: _NUMBER,
    THROTTLE_LONGEST: _SECONDS,
}
"""What each takes. An empty text counts as absent."""

_FITS: Final = {
    _FLAG: re.compile(r"true|false|"),
    _NUMBER: re.compile(r"[0-9]{0,9}"),
    _SECONDS: re.compile(r"[0-9]{0,9}"),
}


def problem_with(realm: RealmRepresentation) -> str | None:
    """What is wrong with the realm's own attributes, for whoever writes them; None where they can be acted on."""
    attributes = given(realm.attributes, {})
    own = {name: value for name, value in attributes.items() if name.startswith(_PREFIX)}
    for name, value in own.items():
        kind = REALM_ATTRIBUTES.get(name)
        if kind is None:
            meant = _meant_by(name)
            if meant is not None:
                return f"There is no attribute {name[:_LONGEST]}: is {meant} meant?"
        elif not _FITS[kind].fullmatch(value or ""):
            return f"{name} takes {kind}"
    return key_rotation.problem_with(
        own, max_age=strictness.strictness_of(own).max_age or 0, lifespan=given(realm.access_token_lifespan, 300)
    )


_LONGEST: Final = 100
_ALIKE: Final = 0.85


def _meant_by(name: str) -> str | None:
    """The attribute that `name` is a slip of the pen for, which would do nothing without anybody being told."""
    from difflib import get_close_matches  # few write such a thing

    return next(iter(get_close_matches(name[:_LONGEST], REALM_ATTRIBUTES, n=1, cutoff=_ALIKE)), None)
