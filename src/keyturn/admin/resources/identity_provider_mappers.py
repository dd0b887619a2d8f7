"""What identity providers bring along of people: kept as it is administered, never acted on.

Source: Keycloak ``IdentityProviderResource``.
"""

from typing import Any, Final

from keyturn.admin import identity_providers as providers
from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, ErrorMessage, InvalidRequest, KnownDuplicate, NotEnabled, NotFound
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_IDENTITY_PROVIDERS, VIEW_IDENTITY_PROVIDERS
from keyturn.admin.resource import Resource
from keyturn.representations import given, present, replace
from keyturn.representations.defaults import listing
from keyturn.representations.identity_provider import IdentityProviderMapperRepresentation

__all__ = ["identity_provider_mappers", "identity_provider_types"]

identity_provider_mappers: Final = Resource("identity provider mappers", event=Recorded("IDENTITY_PROVIDER_MAPPER"))
identity_provider_types: Final = Resource("identity provider types")


def _find(realm: RealmView, provider_mapper_id: str) -> IdentityProviderMapperRepresentation:
    found = next((each for each in providers.mappers_of(realm) if each.id == provider_mapper_id), None)
    if found is None:
        raise NotFound("Model not found")
    return found


@identity_provider_mappers.get("{alias}/mappers", needs=VIEW_IDENTITY_PROVIDERS)
def get_provider_mappers(realm: RealmView, alias: str) -> list[IdentityProviderMapperRepresentation]:
    """Those of a provider."""
    provider = providers.find(realm, alias)
    return [each for each in providers.mappers_of(realm) if each.identity_provider_alias == provider.alias]


@identity_provider_mappers.post("{alias}/mappers", needs=MANAGE_IDENTITY_PROVIDERS)
def post_provider_mapper(realm: RealmAdmin, alias: str, mapper: IdentityProviderMapperRepresentation) -> Created:
    """Adds one to the provider that it names."""
    provider = providers.find(realm, alias)
    if not present(mapper.name) or not present(mapper.identity_provider_alias):
        raise KnownDuplicate
    known = providers.mappers_of(realm)
    own = {each.name for each in known if each.identity_provider_alias == mapper.identity_provider_alias}
    if mapper.name in own:
        kind = given(provider.provider_id, "")
        raise ErrorMessage(400, f"Failed to add mapper '{mapper.name}' to identity provider [{kind}].")
    made = replace(mapper, id=given(mapper.id, "") or realm.new_id(), config=_config(mapper))
    if any(each.id == made.id for each in known):
        raise KnownDuplicate
    providers.store_mappers(realm, [*known, made])
    return Created(str(made.id))


@identity_provider_mappers.get("{alias}/mappers/{provider_mapper_id}", needs=VIEW_IDENTITY_PROVIDERS)
def get_provider_mapper(realm: RealmView, alias: str, provider_mapper_id: str) -> IdentityProviderMapperRepresentation:
    """One."""
    providers.find(realm, alias)
    return _find(realm, provider_mapper_id)


@identity_provider_mappers.put("{alias}/mappers/{provider_mapper_id}", needs=MANAGE_IDENTITY_PROVIDERS)
def put_provider_mapper(
    realm: RealmAdmin, alias: str, provider_mapper_id: str, mapper: IdentityProviderMapperRepresentation
) -> NoContent:
    """Replaces it."""
    providers.find(realm, alias)
    _find(realm, provider_mapper_id)
    if mapper.id != provider_mapper_id or not present(mapper.name) or not present(mapper.identity_provider_alias):
        raise InvalidRequest("A mapper needs its id, name and identityProviderAlias")
    after = replace(mapper, config=_config(mapper))
    known = providers.mappers_of(realm)
    providers.store_mappers(realm, [after if each.id == provider_mapper_id else each for each in known])
    return NoContent()


@identity_provider_mappers.delete("{alias}/mappers/{provider_mapper_id}", needs=MANAGE_IDENTITY_PROVIDERS)
def delete_provider_mapper(realm: RealmAdmin, alias: str, provider_mapper_id: str) -> NoContent:
    """Removes it."""
    providers.find(realm, alias)
    _find(realm, provider_mapper_id)
    providers.store_mappers(realm, [each for each in providers.mappers_of(realm) if each.id != provider_mapper_id])
    return NoContent()


def _config(mapper: IdentityProviderMapperRepresentation) -> dict[str, str]:
    return {name: text for name, text in given(mapper.config, {}).items() if present(text)}


@identity_provider_mappers.get("{alias}/mapper-types", needs=VIEW_IDENTITY_PROVIDERS)
def get_mapper_types(realm: RealmView, alias: str) -> dict[str, Any]:
    """What mappers of a provider can be, and what they are configured with."""
    kind = given(providers.find(realm, alias).provider_id, "")
    known = listing("identity_provider_types")
    return {name: known["mapper_types"][name] for name in known["mapper_types_of"].get(kind, [])}


@identity_provider_mappers.get("{alias}/export", needs=VIEW_IDENTITY_PROVIDERS, produces=None)
def get_export(realm: RealmView, alias: str) -> NoContent:
    """What SAML providers are told of this server; others nothing."""
    providers.find(realm, alias)
    return NoContent()


@identity_provider_mappers.get("{alias}/reload-keys", needs=MANAGE_IDENTITY_PROVIDERS)
def get_reload_keys(realm: RealmView, alias: str) -> bool:
    """Whether the provider's keys were forgotten: they are read again when they are old."""
    providers.find(realm, alias)
    return False


@identity_provider_mappers.get("{alias}/management/permissions", needs=DECIDED_WITHIN)
def get_permissions_of_provider(realm: RealmView, alias: str) -> None:
    """Fine-grained permissions, which are off."""
    raise NotEnabled


@identity_provider_mappers.put("{alias}/management/permissions", needs=DECIDED_WITHIN, event=None)
def put_permissions_of_provider(realm: RealmView, alias: str) -> None:
    """Fine-grained permissions, which are off."""
    raise NotEnabled


@identity_provider_types.get("providers/{provider_type}", needs=VIEW_IDENTITY_PROVIDERS)
def get_provider_type(realm: RealmView, provider_type: str) -> Any:
    """What a kind of provider is, and what it is configured with."""
    known = listing("identity_provider_types")["providers"]
    if provider_type not in known:
        raise BadRequest
    return known[provider_type]
