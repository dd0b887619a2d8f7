"""Owns what is done to nodes and their database while they serve: ``make test-chaos``.

Refuses to be part of the other tests: it takes minutes, and wants the machine for itself.
"""
