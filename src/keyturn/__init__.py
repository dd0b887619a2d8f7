"""keyturn: the authorization server for machines, on Keycloak's wire.

The two libraries are ``keyturn.client`` (get and keep tokens) and ``keyturn.resource_server`` (accept them).
"""

from typing import Final

__version__: Final = "0.1.0"
KEYCLOAK_VERSION: Final = "26.7.3"
"""The Keycloak version whose wire keyturn speaks."""
