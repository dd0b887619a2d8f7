"""Owns the container's image, built and run for real: ``make test-image``.

Refuses to be part of the other tests: it wants root, an engine and packages from elsewhere.
"""
