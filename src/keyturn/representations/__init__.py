"""Owns the one definition of every JSON document on Keycloak's wire.

Refuses rules: what a document means is decided elsewhere.
"""

from keyturn.representations.base import (
    UNSET,
    Maybe,
    Part,
    Representation,
    UnsetType,
    decode,
    encode,
    given,
    kept_fields,
    merge,
    merge_attributes,
    present,
    replace,
    without_nulls,
)
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.representations.component import ComponentExportRepresentation, ComponentRepresentation
from keyturn.representations.credential import CredentialRepresentation
from keyturn.representations.error import ErrorRepresentation, OAuth2ErrorRepresentation
from keyturn.representations.event import (
    AdminEventRepresentation,
    AuthDetailsRepresentation,
    EventRepresentation,
    RealmEventsConfigRepresentation,
)
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.keys import KeyMetadataRepresentation, KeysMetadataRepresentation
from keyturn.representations.mappings import (
    ClientMappingsRepresentation,
    MappingsRepresentation,
    ScopeMappingRepresentation,
)
from keyturn.representations.partial_import import PartialImportRepresentation
from keyturn.representations.protocol_mapper import ProtocolMapperRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.role import Composites, RoleRepresentation, RolesRepresentation
from keyturn.representations.secrecy import replace_secrets, secret_paths
from keyturn.representations.token import AccessTokenResponse
from keyturn.representations.user import UserRepresentation

__all__ = [
    "UNSET",
    "AccessTokenResponse",
    "AdminEventRepresentation",
    "AuthDetailsRepresentation",
    "ClientMappingsRepresentation",
    "ClientRepresentation",
    "ClientScopeRepresentation",
    "ComponentExportRepresentation",
    "ComponentRepresentation",
    "Composites",
    "CredentialRepresentation",
    "ErrorRepresentation",
    "EventRepresentation",
    "GroupRepresentation",
    "KeyMetadataRepresentation",
    "KeysMetadataRepresentation",
    "MappingsRepresentation",
    "Maybe",
    "OAuth2ErrorRepresentation",
    "Part",
    "PartialImportRepresentation",
    "ProtocolMapperRepresentation",
    "RealmEventsConfigRepresentation",
    "RealmRepresentation",
    "Representation",
    "RoleRepresentation",
    "RolesRepresentation",
    "ScopeMappingRepresentation",
    "UnsetType",
    "UserRepresentation",
    "decode",
    "encode",
    "given",
    "kept_fields",
    "merge",
    "merge_attributes",
    "present",
    "replace",
    "replace_secrets",
    "secret_paths",
    "without_nulls",
]
