"""A small service that lets in who has the realm role ``backend-access``. Any ASGI server runs it; this uses uvicorn:

    python -m examples.protected_service --issuer https://localhost:8443/realms/my-app-realm --ca ca.pem --port 8090

With a token of a client that has the role it answers 200 and says who called; without a token 401, with a broken,
expired or foreign one 401 ``invalid_token``, without the role 403 ``insufficient_scope`` (RFC 6750 §3). ``GET /health``
is public.

The token is checked offline against the issuer's keys. A client that was disabled, or lost the role, a minute ago is
let in until its token expires: keep lifespans short, or introspect.
"""
