"""The command lines: ``keyturn``, which runs and tends a server, and ``kcadm``, which administers one over HTTP.

Owns arguments, messages and exit statuses; refuses what belongs to the server.
"""
