"""Identity providers: issuers whose tokens authenticate clients. What is for people is kept, and never acted on."""

from typing import Annotated

from keyturn.representations.base import UNSET, Integer, Maybe, Representation, kept
from keyturn.representations.secrecy import secret_entries

__all__ = [
    "IdentityProviderMapperRepresentation",
    "IdentityProviderRepresentation",
    "UserFederationProviderRepresentation",
]


_BROKERING = kept("identity brokering")


class IdentityProviderRepresentation(Representation):
    """An identity provider."""

    alias: Maybe[str] = UNSET
    display_name: Maybe[str] = UNSET
    internal_id: Maybe[str] = UNSET
    provider_id: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET
    update_profile_first_login_mode: Maybe[str] = UNSET
    trust_email: Annotated[Maybe[bool], _BROKERING] = UNSET
    store_token: Annotated[Maybe[bool], _BROKERING] = UNSET
    add_read_token_role_on_create: Annotated[Maybe[bool], _BROKERING] = UNSET
    authenticate_by_default: Annotated[Maybe[bool], _BROKERING] = UNSET
    link_only: Annotated[Maybe[bool], _BROKERING] = UNSET
    hide_on_login: Maybe[bool] = UNSET
    first_broker_login_flow_alias: Annotated[Maybe[str], _BROKERING] = UNSET
    post_broker_login_flow_alias: Annotated[Maybe[str], _BROKERING] = UNSET
    organization_id: Maybe[str] = UNSET
    config: Annotated[Maybe[dict[str, str]], secret_entries("clientSecret")] = UNSET
    types: Maybe[list[str]] = UNSET
    update_profile_first_login: Maybe[bool] = UNSET


class IdentityProviderMapperRepresentation(Representation):
    """A mapper of an identity provider."""

    id: Annotated[Maybe[str], _BROKERING] = UNSET
    name: Annotated[Maybe[str], _BROKERING] = UNSET
    identity_provider_alias: Annotated[Maybe[str], _BROKERING] = UNSET
    identity_provider_mapper: Annotated[Maybe[str], _BROKERING] = UNSET
    config: Annotated[Maybe[dict[str, str]], _BROKERING] = UNSET


class UserFederationProviderRepresentation(Representation):
    """A user federation provider, in the form that older exports have."""

    id: Maybe[str] = UNSET
    display_name: Maybe[str] = UNSET
    provider_name: Maybe[str] = UNSET
    config: Annotated[Maybe[dict[str, str]], secret_entries("bindCredential")] = UNSET
    priority: Maybe[Integer] = UNSET
    full_sync_period: Maybe[Integer] = UNSET
    changed_sync_period: Maybe[Integer] = UNSET
    last_sync: Maybe[Integer] = UNSET
