"""Owns dynamic client registration (RFC 7591, RFC 7592) and Keycloak's own: its tokens, policies, documents.

Refuses to touch the token path: whoever registers a client is served as an administrator is. Imported when it is first
called.
"""
