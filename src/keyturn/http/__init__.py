"""The asynchronous edge: ASGI application, listeners, TLS, health and metrics.

Owns what touches sockets and the event loop. Refuses protocol decisions (``oauth2``) and admin rules (``admin``).
"""
