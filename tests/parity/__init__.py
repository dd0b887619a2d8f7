"""The real Keycloak as the executable specification: runs one scenario against two servers, or against one and a
record of the other, and tells where their answers differ. Where they do, Keycloak is right.

Owns the scenarios, the records, the comparison and the list of known differences; knows keyturn by HTTP only.
"""
