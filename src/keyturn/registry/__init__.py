"""Owns the compiled view of realms and clients that the token path reads, and keeps it true.

Refuses to write rules or documents: it reads the store, follows its change log, and performs what the protocol decided.
"""
