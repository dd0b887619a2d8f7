"""Gets a token with the client's secret and calls a protected service with it.

    CLIENT_ID=backend-service CLIENT_SECRET=... python examples/call_service.py \
        --issuer https://localhost:8443/realms/my-app-realm --ca ca.pem http://127.0.0.1:8090/

The token is got on the first request, kept, and renewed ahead of its expiry: keep the client, not the token. Secrets
come from the environment, since command lines can be read by everyone on the machine.
"""

import argparse
import os
import ssl
import sys

import httpx

from keyturn.client import BearerAuth, ClientSecretBasic, TokenError, TokenSource


def main() -> int:
    """Call the service once; 0 if it let us in."""
    parser = argparse.ArgumentParser(prog="call_service")
    parser.add_argument("--issuer", required=True, help="the realm's URL")
    parser.add_argument("--ca", help="PEM file with the CA to trust (default: the system's)")
    parser.add_argument("url", help="what to call")
    options = parser.parse_args()
    context = ssl.create_default_context(cafile=options.ca)
    authentication = ClientSecretBasic(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    source = TokenSource(authentication, issuer=options.issuer, ssl_context=context)
    with httpx.Client(auth=BearerAuth(source), verify=context) as client:
        try:
            response = client.get(options.url)
        except TokenError as error:
            print(f"No token: {error}", file=sys.stderr)
            return 1
    print(response.status_code, response.headers.get("www-authenticate", ""))
    print(response.text)
    return 0 if response.is_success else 1


if __name__ == "__main__":
    sys.exit(main())
