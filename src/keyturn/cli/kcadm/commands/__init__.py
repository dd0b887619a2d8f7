"""The commands: each turns its arguments into requests and the answers into output.

Refuses parsing of options (``options``), transport (``http_connection``) and log-in (``session``).
"""
