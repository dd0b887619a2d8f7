"""Owns what happened and where it goes: events and their sinks.

Refuses decisions; a sink that fails never fails the request it tells of.
"""
