"""Owns the frozen run-time view of realms and clients, compiled for speed.

Refuses the wire: nothing here is ever sent or stored, but for the session.
"""
