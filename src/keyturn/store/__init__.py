"""Owns what survives: documents, relations, sessions and the change log, in SQL.

Refuses rules: it keeps what it is given, whole, and finds it again. Synchronous; never called on the event loop.
"""
