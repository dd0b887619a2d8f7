"""Ids of tokens and sessions, in Keycloak's shapes."""

from base64 import urlsafe_b64encode

from keyturn.oauth2.spi import Random


def new_id(random: Random) -> str:
    """128 random bits in the shape of a UUID."""
    digits = random(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_session_id(random: Random) -> str:
    """144 random bits as 24 letters (Keycloak ``SecretGenerator.generateSecureID``)."""
    return urlsafe_b64encode(random(18)).decode()
