"""Owns people's logins: their sessions, and the passwords that they begin with.

Refuses tokens and HTTP: a session is what is stored of a login.
"""
