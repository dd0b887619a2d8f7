"""Owns keys, signatures, certificates and sealing; the only importer of ``cryptography``.

Refuses I/O, clocks and policy: files are bytes, times are arguments, which key or algorithm is allowed is the caller's.
Import the module you need: ``keyturn.jose.jwt``, ``jwk``, ``seal``, ``x509``, ``truststore``.
"""
