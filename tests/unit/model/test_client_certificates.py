"""What the attributes of a client say of its certificates."""

import json
import ssl
from base64 import b64encode

import pytest

from harness.authority import authority, self_signed
from keyturn.model.client_certificates import AUTHORITIES, authorities_of, own_certificates

TOO_MUCH = " " * 128 * 1024


def test_what_is_longer_than_certificates_take_is_not_read() -> None:
    known = authority()
    assert authorities_of({AUTHORITIES: known.pem}) == (known.der,)
    with pytest.raises(ValueError, match="too long"):
        authorities_of({AUTHORITIES: TOO_MUCH + known.pem})


def test_nor_is_a_key_set() -> None:
    der = self_signed().der
    keys = json.dumps({"keys": [{"x5c": [b64encode(der).decode()]}]})
    assert own_certificates({"use.jwks.string": "true", "jwks.string": keys}) == (der,)
    assert own_certificates({"use.jwks.string": "true", "jwks.string": TOO_MUCH + keys}) == ()
    assert own_certificates({"jwt.credential.certificate": TOO_MUCH + ssl.DER_cert_to_PEM_cert(der)}) == ()
