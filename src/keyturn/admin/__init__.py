"""Owns Keycloak's admin REST API: who may do what, routing, and the rules of each resource.

Refuses HTTP serving, SQL and token issuing: a request and an answer are plain values, called in a worker thread.
"""
