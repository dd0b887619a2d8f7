"""Finds ids by names: users, clients, groups, roles."""

from collections.abc import Iterable
from typing import Any, Final

from keyturn.cli.kcadm.answers import get_json
from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.errors import KcadmError
from keyturn.cli.kcadm.json_document import compact
from keyturn.cli.kcadm.session import Session
from keyturn.cli.kcadm.url import add_query, admin_root, resource_url

__all__ = ["Lookup"]

_FIRST_TWO: Final = (("first", "0"), ("max", "2"))
_EXACTLY: Final = (("exact", "true"),)


class Lookup:
    """Reads the admin interface of one realm."""

    __slots__ = ("_root", "session")

    def __init__(self, session: Session, arguments: Arguments) -> None:
        self.session = session
        root = arguments.text("--admin-root")
        self._root = admin_root(session.server) if root is None else root

    def url(self, uri: str) -> str:
        """Where `uri` is in the realm."""
        return resource_url(self._root, self.session.target_realm, uri)

    def user_id(self, username: str) -> str:
        """Raises KcadmError: there is not exactly one."""
        return self._find("users", [("username", username), *_EXACTLY], "username", username)

    def client_id(self, name: str) -> str:
        """The id of the client with that ``clientId``. Raises KcadmError: there is not exactly one."""
        return self._find("clients", [("clientId", name), *_FIRST_TWO], "clientId", name)

    def group_id(self, name: str) -> str:
        """Raises KcadmError: there is not exactly one among those at the top."""
        return self._find("groups", [("search", name), *_EXACTLY], "name", name)

    def group_id_by_path(self, path: str) -> str:
        """Raises KcadmError: there is not exactly one among those at the top."""
        return self._find("groups", [("path", path), *_FIRST_TWO], "path", path)

    def realm_role_id(self, name: str) -> str:
        """Raises KcadmError: there is not exactly one."""
        return self._find("roles", [("search", name), *_FIRST_TWO], "name", name)

    def role_name(self, client: str | None, role_id: str) -> str:
        """The name of a client's role by its id. Raises KcadmError: there is not exactly one."""
        resource = f"clients/{'null' if client is None else client}/roles"
        return self._find(resource, [("id", role_id), *_FIRST_TWO], "id", role_id, wanted="name")

    def roles(self, client: str | None) -> list[dict[str, Any]]:
        """All roles of a client, or of the realm.

        Raises:
            KcadmError: the server refused.
        """
        return self._list(self.url("roles" if client is None else f"clients/{client}/roles"))

    def _find(
        self, resource: str, query: Iterable[tuple[str, str]], attribute: str, value: str, wanted: str = "id"
    ) -> str:
        items = self._list(add_query(self.url(resource), query))
        exact = [item for item in items if _text(item.get(attribute)) == value]
        if len(exact) > 1:
            raise KcadmError(f"Multiple {resource} found for {attribute}: {value}")
        singular = resource.removesuffix("s")
        if not exact:
            kind = singular[:1].upper() + singular[1:]
            if len(items) > 1:
                raise KcadmError(
                    f"Some matches, but not an exact match, found for {kind} with {attribute}: {value}. "
                    "Try using a more unique search, such as an id."
                )
            raise KcadmError(f"{kind} not found for {attribute}: {value}")
        if wanted not in exact[0]:
            raise KcadmError(f"Returned {singular} info has no '{wanted}' attribute")
        return _text(exact[0][wanted])

    def _list(self, url: str) -> list[dict[str, Any]]:
        found = get_json(self.session, url)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise KcadmError("Failed to read JSON response")
        return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)
