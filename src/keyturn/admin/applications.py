"""Applications that would listen for what is pushed to them (Keycloak ``ResourceAdminManager``).

Refuses to ask any: what is told to their ``adminUrl`` was for Keycloak's adapters, which are gone.
"""

from typing import Any

from keyturn.admin.admin_events import Located
from keyturn.admin.context import RealmView
from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.store.collections import CLIENTS

__all__ = ["logged_out", "out_of_reach", "without_news"]


def out_of_reach(client: ClientRepresentation) -> dict[str, Any]:
    """What Keycloak answers where the client's application cannot be reached."""
    url = _url(client)
    return {"failedRequests": [url]} if url else {}


def without_news(realm: RealmView, _values: Located, _body: Any) -> dict[str, Any]:
    """What Keycloak answers where it reaches no application of the realm to push a policy to."""
    urls = [url for client in realm.reader.select(CLIENTS, realm.id) if (url := _url(client))]
    return {"failedRequests": urls} if urls else {}


def logged_out(realm: RealmView, _values: Located, _body: Any) -> dict[str, Any]:
    """What Keycloak answers as all are logged out; it believes every enabled application to know."""
    clients = (client for client in realm.reader.select(CLIENTS, realm.id) if given(client.enabled, False))
    urls = [url for client in clients if (url := _url(client))]
    return {"successRequests": urls} if urls else {}


def _url(client: ClientRepresentation) -> str:
    """The absolute ``adminUrl``; empty where there is none, and for Keycloak's own consoles."""
    url, root = given(client.admin_url, ""), given(client.root_url, "")
    if not url.startswith("/"):
        return url
    return "" if not root or root.startswith("${") else root + url
