"""kcadm: Keycloak's Admin CLI, command for command and word for word, for keyturn and for Keycloak.

Owns its options, texts, output and session file; refuses everything but HTTP: it knows nothing of a server's inside.
Imports stay few and late, for a command must be done in a quarter of a second.
"""
