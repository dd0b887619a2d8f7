"""Documents that may be cached (RFC 9111), in realms that say for how long.

A copy must not outlive the keys that it tells of: the nearer their change, the sooner it ends.
"""

import re
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from math import inf
from typing import Final

from keyturn.oauth2.http_message import Request, Response
from keyturn.oauth2.spi import Answer, Rests

_STEPS: Final = 8
"""In so many steps the time shrinks to nothing before a change: an answer that is kept counts for one of them."""

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


def cacheable(response: Response, http: Request, max_age: int, change: int | None, now: int) -> Answer:
    """`response` with what lets it be cached, or that the caller's copy is still good (RFC 9110 §15.4.5).

    Args:
        max_age: seconds for which a copy may be used.
        change: the second in which it will say something else, where that is known; then no longer.
    """
    seconds, until = _lifetime(max_age, change, now)
    tag = b'"%b"' % urlsafe_b64encode(sha256(response.body).digest()[:18])
    kept = tuple(header for header in response.headers if header[0] != b"cache-control")
    caching = (
        (b"cache-control", b"public, max-age=%d" % seconds if seconds else b"no-cache"),
        (b"etag", tag),
        (b"vary", b"Origin"),  # what lets pages read it depends on the page
    )
    rests = Rests(until=until)
    if http.if_none_match is not None and _matches(http.if_none_match, tag.decode()):
        return Answer(Response(304, caching), rests=rests)
    return Answer(replace(response, headers=(*caching, *kept)), rests=rests)


def _lifetime(max_age: int, change: int | None, now: int) -> tuple[int, float]:
    """For how many seconds a copy counts, and until when that is so."""
    if change is None or not max_age:
        return max_age, inf
    left = max(change - now, 0)
    if left > max_age:
        return max_age, change - max_age
    step = max(max_age // _STEPS, 1)
    seconds = max(left - 1, 0) // step * step
    return seconds, change - seconds if left else inf


def _matches(shown: str, tag: str) -> bool:
    """Whether ``If-None-Match`` names the tag (RFC 9110 §13.1.2)."""
    return shown.strip() == "*" or tag in _TAG.findall(shown)
