"""For which services a token is asked for: ``resource`` (RFC 8707), in realms that look at it.

What a client may name is what its token would be for without it: an audience that a mapper gives. So nothing has to be
registered twice, and naming a resource only ever makes a token good for less.
"""

import re
from dataclasses import replace
from typing import Any, Final

from keyturn.oauth2.claims import narrowed
from keyturn.oauth2.errors import InvalidTarget
from keyturn.oauth2.form import Form
from keyturn.oauth2.protocol_mappers.claim import audiences
from keyturn.oauth2.spi import Authorization

PARAMETER: Final = "resource"

_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!$-;=?-Z\[\]_a-z~]+")
"""An absolute URI, without a fragment (RFC 3986 §4.3)."""


def named(form: Form, authorization: Authorization) -> Authorization:
    """`authorization` for the resources that the request names, or those that its refresh token was given for.

    Does NOT check that the client may have them (``check``).

    Raises:
        InvalidTarget: one of them is no absolute URI, or none that the refresh token was given for.
    """
    given = authorization.resources
    asked = tuple(dict.fromkeys(form.all(PARAMETER)))
    for resource in asked:
        if not _ABSOLUTE.fullmatch(resource):
            raise InvalidTarget("A resource is an absolute URI without a fragment")
    if given and not set(asked) <= set(given):
        raise InvalidTarget("The refresh token is for other resources")
    refresh = authorization.refresh
    if refresh is not None:
        refresh = replace(refresh, resources=given or asked)
    return replace(authorization, resources=asked or given, refresh=refresh)


def check(claims: dict[str, Any], resources: tuple[str, ...]) -> dict[str, Any]:
    """The claims of an access token for `resources` alone. Raises InvalidTarget: it is not for all of them."""
    if not set(resources) <= set(audiences(claims)):
        raise InvalidTarget("The client has no such resource")
    return narrowed(claims, frozenset(resources))
