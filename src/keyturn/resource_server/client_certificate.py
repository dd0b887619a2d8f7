"""The certificate that a request's caller has shown (RFC 8705 §3), in an ASGI application."""

from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

from keyturn.jose.client_certificate import read_certificate
from keyturn.jose.forwarded_certificate import Proxy, forwarded_certificate

__all__ = ["CertificateOf", "from_proxy", "from_tls", "thumbprint_of"]

CertificateOf: TypeAlias = Callable[[Mapping[str, Any]], str | None]
"""Finds the thumbprint (``x5t#S256``) of the caller's certificate in an ASGI scope; None without one."""


def from_tls(scope: Mapping[str, Any]) -> str | None:
    """From the connection, for servers that tell of it as ASGI's TLS extension says.

    The server must have demanded or asked for certificates: what it has not verified, it must not tell.
    """
    told = (scope.get("extensions") or {}).get("tls") or {}
    chain = told.get("client_cert_chain") or ()
    if not chain or told.get("client_cert_error"):
        return None
    return thumbprint_of(chain[0])


def from_proxy(kind: Proxy, trusted: Collection[str]) -> CertificateOf:
    """From the header that a proxy of this kind sets; see ``keyturn.jose.forwarded_certificate``.

    Args:
        trusted: the proxies' addresses, or networks in CIDR notation. They alone are believed, and must remove that
            header from what callers send.

    Raises:
        ValueError: no address, or one that is none.
    """
    networks = [ip_network(address) for address in trusted]
    if not networks:
        raise ValueError("name the proxies' addresses: anybody else can send their headers, too")

    def find(scope: Mapping[str, Any]) -> str | None:
        client = scope.get("client")
        try:
            peer = ip_address(client[0] if client else "")
        except ValueError:
            return None
        if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped
        if not any(peer in network for network in networks):
            return None
        certificate = forwarded_certificate(kind, [(name.lower(), value) for name, value in scope["headers"]])
        return None if certificate is None else certificate.thumbprint

    return find


def thumbprint_of(certificate: bytes | str) -> str | None:
    """``x5t#S256`` of a certificate in DER (as ``ssl.SSLSocket.getpeercert(True)`` gives it) or PEM; None of else.

    Does NOT verify it.
    """
    try:
        return read_certificate(certificate).thumbprint
    except ValueError:
        return None
