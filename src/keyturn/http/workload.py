"""The token that this server itself has in Kubernetes: a cluster tells its keys to those who have one."""

from pathlib import Path
from typing import Final

from keyturn.jose import jwt

TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def own_token(issuer: str, file: Path = TOKEN) -> str | None:
    """The token in `file`, if `issuer` has issued it: nobody else is to see it. None where there is none."""
    try:
        token = file.read_text().strip()
        return token if jwt.parse(token).claims.get("iss") == issuer else None
    except (OSError, ValueError, jwt.InvalidToken):
        return None
