"""Whom a realm's mail is from: checked as it is written, though no mail is sent.

Source: Keycloak ``DefaultEmailSenderProvider.validate``.
"""

import re
from collections.abc import Mapping
from typing import Final

from keyturn.admin.user_attribute_validators import is_email

__all__ = ["sender_problem"]

_HOST: Final = re.compile(r"[A-Za-z0-9.\u0080-\uffff-]+|\[.*\]")
_ADDRESSES: Final = {"from": "sender", "replyTo": "reply-to"}


def sender_problem(settings: Mapping[str, str | None]) -> str | None:
    """What is wrong with the addresses in mail `settings`, of which there is one at least; None where nothing is."""
    for name, text in _ADDRESSES.items():
        address = settings.get(name)
        if not settings or (name != "from" and not address):
            continue
        if not _is_address(address or "", unicode=settings.get("allowutf8") == "true"):
            return (
                f"Invalid {text} address '{'null' if address is None else address}'. If the address contains UTF-8 "
                "characters in the local part please ensure the SMTP server supports the SMTPUTF8 extension and "
                "enable 'Allow UTF-8' in the email realm configuration."
            )
    return None


def _is_address(address: str, *, unicode: bool) -> bool:
    local, _, host = address.rpartition("@")
    return is_email(address) and bool(_HOST.fullmatch(host)) and (unicode or local.isascii())
