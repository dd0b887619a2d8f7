"""Users, service accounts among them."""

from typing import Annotated, Any

from keyturn.representations.base import ANY_LISTS, UNSET, Integer, Long, Maybe, Representation, kept
from keyturn.representations.credential import CredentialRepresentation

__all__ = ["FederatedIdentityRepresentation", "UserConsentRepresentation", "UserRepresentation"]

_LOGIN_PAGES = kept("login pages")
_FEDERATION = kept("identity brokering and user federation")
_FEATURES = kept("features for people")


class FederatedIdentityRepresentation(Representation):
    """A link from a user to an identity provider."""

    identity_provider: Annotated[Maybe[str], _FEDERATION] = UNSET
    user_id: Annotated[Maybe[str], _FEDERATION] = UNSET
    user_name: Annotated[Maybe[str], _FEDERATION] = UNSET


class UserConsentRepresentation(Representation):
    """A user's consent to a client."""

    client_id: Maybe[str] = UNSET
    granted_client_scopes: Maybe[list[str]] = UNSET
    created_date: Maybe[Long] = UNSET
    last_updated_date: Maybe[Long] = UNSET
    granted_realm_roles: Maybe[list[str]] = UNSET


class UserRepresentation(Representation):
    """A user or a service account."""

    id: Maybe[str] = UNSET
    username: Maybe[str] = UNSET
    first_name: Maybe[str] = UNSET
    last_name: Maybe[str] = UNSET
    email: Maybe[str] = UNSET
    email_verified: Maybe[bool] = UNSET
    attributes: Annotated[Maybe[dict[str, list[str]]], ANY_LISTS] = UNSET
    user_profile_metadata: Maybe[dict[str, Any]] = UNSET
    enabled: Maybe[bool] = UNSET
    self: Maybe[str] = UNSET
    origin: Maybe[str] = UNSET
    created_timestamp: Maybe[Long] = UNSET
    totp: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    federation_link: Annotated[Maybe[str], _FEDERATION] = UNSET
    service_account_client_id: Maybe[str] = UNSET
    credentials: Maybe[list[CredentialRepresentation]] = UNSET
    disableable_credential_types: Annotated[Maybe[list[str]], _LOGIN_PAGES] = UNSET
    required_actions: Maybe[list[str]] = UNSET
    federated_identities: Annotated[Maybe[list[FederatedIdentityRepresentation]], _FEDERATION] = UNSET
    realm_roles: Maybe[list[str]] = UNSET
    client_roles: Maybe[dict[str, list[str]]] = UNSET
    client_consents: Annotated[Maybe[list[UserConsentRepresentation]], _LOGIN_PAGES] = UNSET
    not_before: Maybe[Integer] = UNSET
    verifiable_credentials: Annotated[Maybe[list[dict[str, Any]]], _FEATURES] = UNSET
    issued_verifiable_credentials: Annotated[Maybe[list[dict[str, Any]]], _FEATURES] = UNSET
    application_roles: Maybe[dict[str, list[str]]] = UNSET
    social_links: Annotated[Maybe[list[dict[str, Any]]], _FEDERATION] = UNSET
    groups: Maybe[list[str]] = UNSET
    access: Maybe[dict[str, bool]] = UNSET
