"""A client's key, and the proofs that it makes of it (RFC 9449)."""

import uuid
from typing import Any

from harness.realm import NOW
from keyturn.jose import dpop
from keyturn.jose.jwk import PrivateKey, generate, thumbprint


class Holder:
    """Holds a key of its own. `url` is where the endpoints of OpenID Connect are, with a slash at the end."""

    def __init__(self, url: str) -> None:
        self.key: PrivateKey = generate("ES256", now=NOW)
        self.jkt = thumbprint(self.key.public.jwk())
        self.url = url

    def proof(self, method: str, url: str, *, jti: str | None = None, now: float = NOW, **options: Any) -> str:
        """A proof for a request of `method` to `url`, or to the endpoint of that name."""
        whole = url if "://" in url else self.url + url
        return dpop.make(self.key, method, whole, now=now, jti=jti or str(uuid.uuid4()), **options)

    def headers(self, method: str, url: str, token: str | None = None, **options: Any) -> dict[str, str]:
        """The headers of a request with a proof, and with `token` where there is one."""
        shown = {"DPoP": self.proof(method, url, access_token=token, **options)}
        return shown if token is None else shown | {"Authorization": f"DPoP {token}"}
