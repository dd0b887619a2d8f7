"""What a token must carry to be let in."""

from collections.abc import Collection
from dataclasses import dataclass

from keyturn.resource_server.access_token import AccessToken
from keyturn.resource_server.errors import InsufficientScope

__all__ = ["Requirement", "require"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """Realm roles, client roles (pairs of client id and role) and scopes, all of which a token must carry."""

    realm_roles: frozenset[str] = frozenset()
    client_roles: frozenset[tuple[str, str]] = frozenset()
    scopes: frozenset[str] = frozenset()

    def check(self, token: AccessToken) -> None:
        """That `token` carries everything.

        Raises:
            InsufficientScope: naming what is missing, and all the scopes that are needed.
        """
        missing = [f"realm role {role}" for role in sorted(self.realm_roles - token.realm_roles)]
        missing += [
            f"role {role} of client {client}"
            for client, role in sorted(self.client_roles)
            if role not in token.client_roles(client)
        ]
        missing += [f"scope {scope}" for scope in sorted(self.scopes - token.scopes)]
        if missing:
            raise InsufficientScope(f"Needs {', '.join(missing)}", scope=" ".join(sorted(self.scopes)) or None)


def require(
    *,
    realm_role: str | Collection[str] = (),
    client_role: tuple[str, str] | Collection[tuple[str, str]] = (),
    scope: str | Collection[str] = (),
) -> Requirement:
    """A requirement: one of each or several, and all of them. A client role is (client id, role).

    Raises:
        ValueError: nothing is required, or a role or scope is blank.
    """
    requirement = Requirement(_names(realm_role), _pairs(client_role), _names(scope))
    client_names = (name for pair in requirement.client_roles for name in pair)
    names = [*requirement.realm_roles, *requirement.scopes, *client_names]
    if not names or not all(name.strip() for name in names):
        raise ValueError("require what? Name a realm role, a client role or a scope")
    return requirement


def _names(value: str | Collection[str]) -> frozenset[str]:
    return frozenset({value} if isinstance(value, str) else value)


def _pairs(value: tuple[str, str] | Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    match value:
        case (str(client), str(role)):
            return frozenset({(client, role)})
        case _:
            return frozenset((client, role) for client, role in value)
