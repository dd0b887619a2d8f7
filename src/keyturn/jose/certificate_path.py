"""The path from a client's certificate to an authority (RFC 5280 §6), as the rules of TLS clients want it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

__all__ = ["LONGEST", "top_of_path"]

LONGEST: Final = 5
"""Authorities between a certificate and the one that is trusted."""

_DER: Final = serialization.Encoding.DER
_CLIENTS: Final = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_PERIOD: Final = 60
"""Seconds for which a path that was found is not looked for again: it costs more than all else of a request."""


def top_of_path(
    certificate: bytes, others: Sequence[bytes], authorities: tuple[bytes, ...], now: float
) -> bytes | None:
    """The one of `authorities` that a path leads to from `certificate` by way of `others`; None without one.

    All are DER. Checked are signatures, times, what authorities may do, name constraints, and that the certificate is
    for TLS clients if it says what for. What expires on the way may count for a minute more; that of `certificate`
    itself does not. Does NOT look at revocation lists.
    """
    return _found(certificate, tuple(others), authorities, int(now // _PERIOD))


@lru_cache(maxsize=4096)
def _found(certificate: bytes, others: tuple[bytes, ...], authorities: tuple[bytes, ...], period: int) -> bytes | None:
    time = datetime.fromtimestamp(period * _PERIOD, UTC)
    leaf = x509.load_der_x509_certificate(certificate)
    # A minute that began before the certificate did would be too early for it.
    time = max(time, leaf.not_valid_before_utc)
    try:
        policies = PolicyBuilder().store(_store(authorities)).time(time).max_chain_depth(LONGEST)
        verifier = policies.extension_policies(ca_policy=_AUTHORITY, ee_policy=_CLIENT).build_client_verifier()
        chain = verifier.verify(leaf, [x509.load_der_x509_certificate(other) for other in others]).chain
    except (VerificationError, UnsupportedAlgorithm, x509.InvalidVersion, ValueError):
        return None
    return chain[-1].public_bytes(_DER) if len(chain) > 1 else None


@lru_cache(maxsize=1024)
def _store(authorities: tuple[bytes, ...]) -> Store:
    return Store([x509.load_der_x509_certificate(authority) for authority in authorities])


def _may_issue(policy: Policy, certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("no authority")


def _may_sign(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an authority that may not sign certificates")


def _is_for_clients(policy: Policy, certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and _CLIENTS.isdisjoint(usage):
        raise ValueError("not for TLS clients")


_AUTHORITY: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _may_issue)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
)
_CLIENT: Final = ExtensionPolicy.permit_all().may_be_present(
    x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _is_for_clients
)
