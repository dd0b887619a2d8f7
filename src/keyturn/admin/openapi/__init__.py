"""Owns the description of the admin API (OpenAPI 3.1), made from the endpoints' own signatures and the documents.

Refuses to say what the code says already: ``texts.toml`` holds what no signature can. Loaded when first asked for.
"""
