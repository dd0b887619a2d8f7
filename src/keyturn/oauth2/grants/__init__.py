"""Owns the grant types: one file a grant, listed in ``GRANTS``, and those of Keycloak that give nothing here.

A grant decides; it does not parse, write, log or look up.
"""

from typing import Final

from keyturn.oauth2.grants.client_credentials import ClientCredentials
from keyturn.oauth2.grants.password import Password
from keyturn.oauth2.grants.refresh_token import RefreshToken
from keyturn.oauth2.grants.token_exchange import TokenExchange
from keyturn.oauth2.grants.unavailable import (
    AuthorizationCode,
    BackchannelAuthentication,
    DeviceCode,
    JwtBearer,
    Permission,
)
from keyturn.oauth2.spi import Grant

GRANTS: Final[tuple[Grant, ...]] = (ClientCredentials(), Password(), RefreshToken(), TokenExchange())
UNAVAILABLE: Final[tuple[Grant, ...]] = (
    AuthorizationCode(),
    DeviceCode(),
    BackchannelAuthentication(),
    JwtBearer(),
    Permission(),
)
