"""Reads the command line and serves."""

import argparse
import ssl

import uvicorn

from keyturn.resource_server import ResourceServer

from .app import application


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="protected_service")
    parser.add_argument("--issuer", required=True, help="the realm's URL, as tokens name it")
    parser.add_argument("--audience", help="this service's name in tokens' aud (default: any, see below)")
    parser.add_argument("--ca", help="PEM file with the CA to trust for the issuer (default: the system's)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    options = parser.parse_args()
    resource_server = ResourceServer(
        options.issuer,
        options.audience,
        # Keycloak and keyturn name no service in `aud` until an audience mapper says so. A token for any service of the
        # realm is then good for this one, too: only the role stands between. Name an audience as soon as you can.
        dangerously_accept_any_audience=options.audience is None,
        ssl_context=ssl.create_default_context(cafile=options.ca) if options.ca else None,
    )
    uvicorn.run(application(resource_server), host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
