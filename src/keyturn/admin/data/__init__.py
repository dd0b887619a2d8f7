"""Owns what Keycloak 26.7.3 says of itself, as data. Refuses rules."""
