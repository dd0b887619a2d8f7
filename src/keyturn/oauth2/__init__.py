"""Owns the protocol: what a request to a realm's endpoints gets, decided from memory.

Refuses I/O: bytes come in, bytes and effects go out. What is not in memory is asked for (``Pending``), what must be
written is returned (``Effect``), time and randomness are arguments.
"""
