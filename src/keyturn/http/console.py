"""Where Keycloak has its administration console: a page that says that there is none.

Tools that wait for a server ask for it, and take its 200 for a sign that the server is ready.
"""

import re
from typing import Final
from urllib.parse import quote

from keyturn.admin.http_message import AdminResponse
from keyturn.registry.registry import Registry
from keyturn.representations import encode

__all__ = ["console_page"]

_PATH: Final = re.compile(r"/admin/([^/]+)/console(/?)")
_UNKNOWN: Final = {"error": "Realm not found.  Did you type in a bad URL?"}
_PAGE: Final = b"""<!DOCTYPE html>
<html lang="en">
<title>keyturn</title>
<p>There is no administration console: there are the admin REST API, and <code>kcadm.sh</code>.</p>
</html>
"""
_NO_CACHE: Final = ("cache-control", "no-cache")


def console_page(method: str, path: str, base_url: str, registry: Registry) -> AdminResponse | None:
    """The page, or the way to it; None where `path` is another one. May read the store."""
    found = _PATH.fullmatch(path)
    if found is None or method not in ("GET", "HEAD"):
        return None
    if registry.load_realm(found[1]) is None:
        return AdminResponse(404, (("content-type", "application/json"),), encode(_UNKNOWN))
    if not found[2]:
        return AdminResponse(302, (_NO_CACHE, ("location", f"{base_url}/admin/{quote(found[1], safe='')}/console/")))
    return AdminResponse(200, (_NO_CACHE, ("content-type", "text/html; charset=utf-8")), _PAGE)
