"""Identity providers: issuers whose tokens authenticate clients. Source: Keycloak ``IdentityProvidersResource``."""

from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin import identity_providers as providers
from keyturn.admin.admin_events import Located, Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.permissions import MANAGE_IDENTITY_PROVIDERS, VIEW_IDENTITY_PROVIDERS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.representations import given
from keyturn.representations.identity_provider import IdentityProviderRepresentation

__all__ = ["identity_providers"]


def _sent(_realm: RealmView, _values: Located, body: Any) -> Any:
    return providers.shown(body) if isinstance(body, IdentityProviderRepresentation) else None


identity_providers: Final = Resource("identity providers", event=Recorded("IDENTITY_PROVIDER", shows=_sent))


@dataclass(frozen=True, slots=True)
class IdentityProviderQuery(Query):
    """``search`` begins the alias, or is a pattern with ``*``; ``type`` is what they do; ``first``, ``max`` page."""

    search: str | None = None
    type: str | None = None
    brief_representation: bool | None = None
    first: int | None = None
    max: int | None = None


@identity_providers.get("", needs=VIEW_IDENTITY_PROVIDERS)
def get_identity_providers(realm: RealmView, query: IdentityProviderQuery) -> list[IdentityProviderRepresentation]:
    """All, by alias, without their secrets."""
    found = providers.found(realm, query.search or "", query.type)
    first = max(query.first or 0, 0)
    found = found[first : None if query.max is None or query.max < 0 else first + query.max]
    return [providers.brief(each) if query.brief_representation else providers.shown(each) for each in found]


@identity_providers.post("", needs=MANAGE_IDENTITY_PROVIDERS)
def post_identity_provider(realm: RealmAdmin, provider: IdentityProviderRepresentation) -> Created:
    """Adds one; its tokens count from the next request on."""
    made = providers.made(realm, provider)
    providers.store(realm, [*providers.providers_of(realm), made])
    return Created(given(made.alias, ""))


@identity_providers.get("{alias}", needs=VIEW_IDENTITY_PROVIDERS)
def get_identity_provider(realm: RealmView, alias: str) -> IdentityProviderRepresentation:
    """One, without its secret."""
    return providers.shown(providers.find(realm, alias))


@identity_providers.put("{alias}", needs=MANAGE_IDENTITY_PROVIDERS, no_cache=True)
def put_identity_provider(realm: RealmAdmin, alias: str, provider: IdentityProviderRepresentation) -> NoContent:
    """Replaces it."""
    before = providers.find(realm, alias)
    after = providers.changed(realm, before, provider)
    others = providers.providers_of(realm)
    providers.store(realm, [after if each.alias == before.alias else each for each in others])
    return NoContent()


@identity_providers.delete("{alias}", needs=MANAGE_IDENTITY_PROVIDERS, no_cache=True)
def delete_identity_provider(realm: RealmAdmin, alias: str) -> NoContent:
    """Takes it away: nobody is authenticated by its tokens any more."""
    providers.remove(realm, alias)
    return NoContent()
