"""Identity providers of a partial import: kept in the realm for exports.

Source: Keycloak ``IdentityProvidersPartialImport``, ``IdentityProviderMappersPartialImport``.
"""

from dataclasses import dataclass

from keyturn.admin.context import RealmAdmin
from keyturn.admin.errors import InvalidRequest
from keyturn.admin.identity_provider_checks import check_imported, with_usual_settings
from keyturn.admin.identity_providers import remove
from keyturn.representations import given, replace
from keyturn.representations.identity_provider import (
    IdentityProviderMapperRepresentation,
    IdentityProviderRepresentation,
)
from keyturn.representations.partial_import import ResourceType
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import REALMS

__all__ = ["IdentityProviderMappers", "IdentityProviders"]


def _stored(realm: RealmAdmin) -> RealmRepresentation:
    """The realm as it is by now."""
    stored = realm.tx.get(REALMS, realm.id, realm.id)
    return realm.realm if stored is None else stored


@dataclass(frozen=True, slots=True)
class IdentityProviders:
    """See `Kind`."""

    realm: RealmAdmin
    type: ResourceType = "IDP"

    def takes(self, _: IdentityProviderRepresentation) -> bool:
        return True

    def name(self, provider: IdentityProviderRepresentation) -> str:
        name = given(provider.alias, "")
        if not name.strip():
            raise InvalidRequest("An identity provider needs an alias")
        return name

    def find(self, provider: IdentityProviderRepresentation) -> str | None:
        listed = given(_stored(self.realm).identity_providers, [])
        return next((str(each.internal_id) for each in listed if each.alias == provider.alias), None)

    def taken(self, provider: IdentityProviderRepresentation) -> str:
        return f"Identity Provider '{provider.alias}' already exists."

    def remove(self, provider: IdentityProviderRepresentation) -> None:
        remove(self.realm, given(provider.alias, ""))

    def create(self, provider: IdentityProviderRepresentation) -> str:
        stored = _stored(self.realm)
        others = given(stored.identity_providers, [])
        made = replace(provider, internal_id=self.realm.new_id())
        check_imported(stored, made, others, features=self.realm.environment.features)
        made = with_usual_settings(made, given(made.provider_id, ""))
        self.realm.tx.update(REALMS, self.realm.id, replace(stored, identity_providers=[*others, made]))
        return str(made.internal_id)


@dataclass(frozen=True, slots=True)
class IdentityProviderMappers:
    """See `Kind`."""

    realm: RealmAdmin
    type: ResourceType = "IDP_MAPPER"

    def takes(self, _: IdentityProviderMapperRepresentation) -> bool:
        return True

    def name(self, mapper: IdentityProviderMapperRepresentation) -> str:
        name = given(mapper.name, "")
        if not name.strip():
            raise InvalidRequest("A mapper of an identity provider needs a name")
        return name

    def find(self, mapper: IdentityProviderMapperRepresentation) -> str | None:
        listed = given(_stored(self.realm).identity_provider_mappers, [])
        return next((str(each.id) for each in listed if _is(each, mapper)), None)

    def taken(self, mapper: IdentityProviderMapperRepresentation) -> str:
        return f"Identity Provider Mapper'{mapper.name}' already exists."

    def remove(self, mapper: IdentityProviderMapperRepresentation) -> None:
        stored = _stored(self.realm)
        others = [each for each in given(stored.identity_provider_mappers, []) if not _is(each, mapper)]
        self.realm.tx.update(REALMS, self.realm.id, replace(stored, identity_provider_mappers=others))

    def create(self, mapper: IdentityProviderMapperRepresentation) -> str:
        stored = _stored(self.realm)
        made = replace(mapper, id=self.realm.new_id(), config=given(mapper.config, {}))
        listed = [*given(stored.identity_provider_mappers, []), made]
        self.realm.tx.update(REALMS, self.realm.id, replace(stored, identity_provider_mappers=listed))
        return str(made.id)


def _is(mapper: IdentityProviderMapperRepresentation, other: IdentityProviderMapperRepresentation) -> bool:
    return mapper.name == other.name and mapper.identity_provider_alias == other.identity_provider_alias
