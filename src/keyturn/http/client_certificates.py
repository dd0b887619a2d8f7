"""The client's certificate: that of its connection or, behind a proxy, from the header that its kind writes alone."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from keyturn.config import CertificateHeader
from keyturn.http.origin import Network, is_within
from keyturn.jose.client_certificate import ClientCertificate
from keyturn.jose.forwarded_certificate import HEADERS, Proxy, forwarded_certificate

CONNECTION: Final = "keyturn.certificate"
"""In a request's scope, the certificate of its connection."""

MTLS_PORT: Final = "keyturn.mtls_port"
"""In a request's scope where it came to the port for certificates."""


class ClientCertificates:
    """Finds the certificate that a request came with.

    Args:
        header: what kind of proxy there is, if there is one.
        trusted: the proxies. The header counts from them alone: they must remove or replace what callers send. The
            certificate of a proxy's own connection is nobody's else.
    """

    def __init__(self, header: CertificateHeader = "none", trusted: Iterable[Network] = ()) -> None:
        self._proxy: Proxy | None = None if header == "none" else header
        self._trusted = tuple(trusted)

    def of(self, scope: Mapping[str, Any]) -> ClientCertificate | None:
        """The certificate; None where there is none that counts, or one from elsewhere."""
        own: ClientCertificate | None = scope.get(CONNECTION)
        proxy = self._proxy
        if proxy is None:
            return own
        header = HEADERS[proxy]
        if own is None and all(name != header for name, _ in scope["headers"]):
            return None
        client = scope.get("client")
        if not client or not is_within(client[0], self._trusted):
            return own
        return forwarded_certificate(proxy, scope["headers"])
