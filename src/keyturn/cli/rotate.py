"""``keyturn rotate``: a new secret for each of many clients, while the ones until now count on. Speaks HTTP alone."""

import csv
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from keyturn.cli.kcadm.arguments import Arguments, parse_command_line
from keyturn.cli.kcadm.errors import KcadmError
from keyturn.cli.kcadm.session import Session, open_session, open_store

__all__ = ["CannotRotate", "rotate_secrets", "seconds_of"]

_PAGE: Final = 500
_RENEWED_AFTER: Final = 2.0
"""Seconds after which the login is looked at again: it renews tokens in their last five seconds."""
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BY_SECRET: Final = ("client-secret", "client-secret-jwt")


class CannotRotate(Exception):
    """There is no login, or the server does not tell its clients; the message is one line."""


def seconds_of(text: str) -> int:
    """A period as people write it: ``14d``, ``12h``, ``30m`` or ``3600``. Raises ValueError."""
    parts = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    if parts is None:
        raise ValueError(f"{text!r} is no period such as 14d, 12h, 30m or 3600")
    return int(parts[1]) * _UNITS[parts[2]]


def rotate_secrets(
    realm: str, name: str, overlap: int, patterns: Sequence[str], *, config: Path | None, dry_run: bool
) -> int:
    """Gives each client that proves itself by a secret a new one, and calls the one until now `name`.

    Prints ``clientId,secret``, a line a client. A client that has a credential of that name has been rotated: its
    secret is printed as it is, so that a run that was interrupted is completed by the next one.

    Args:
        overlap: seconds for which the secret until now counts on.
        patterns: of client ids, with ``*``; without any, all clients that have a service account.
        dry_run: prints the client ids alone, and changes nothing.

    Returns:
        How many clients failed; standard error says how each did.

    Raises:
        CannotRotate: see there.
    """
    login = _Login(config)
    written, counted = csv.writer(sys.stdout, lineterminator="\n"), {"rotated": 0, "were already": 0, "failed": 0}
    sent = {"type": "secret", "replaces": "secret", "name": name, "overlap": overlap}
    try:
        for client in list(_clients(login, realm, patterns)):
            if dry_run:
                written.writerow([client["clientId"]])
                continue
            path = f"/admin/realms/{quote(realm)}/clients/{client['id']}"
            status, answer = login.call("POST", f"{path}/credentials", sent)
            outcome, secret = "rotated", answer.get("secret")
            if status == HTTPStatus.CONFLICT:
                outcome, (status, answer) = "were already", login.call("GET", f"{path}/client-secret")
                secret = answer.get("value")
            if status >= HTTPStatus.BAD_REQUEST or not secret:
                outcome = "failed"
                print(f"{client['clientId']}: {status} {_reason(answer)}", file=sys.stderr)
            else:
                written.writerow([client["clientId"], secret])
                sys.stdout.flush()  # the old one ends: what was told is not to be lost
            counted[outcome] += 1
    except KcadmError as error:
        raise CannotRotate(str(error)) from None
    finally:
        login.close()
    if not dry_run:
        print(", ".join(f"{number} {outcome}" for outcome, number in counted.items()), file=sys.stderr)
    return counted["failed"]


class _Login:
    """kcadm's, renewed as kcadm renews it."""

    def __init__(self, config: Path | None) -> None:
        options = [] if config is None else ["--config", str(config)]
        self._arguments: Arguments = parse_command_line(["get", "clients", *options])
        self._session: Session | None = None
        self._looked_at = 0.0

    def call(self, method: str, path: str, document: object = None) -> tuple[int, Any]:
        """Status and document of the answer. Raises KcadmError: there is none."""
        if self._session is None or time.monotonic() - self._looked_at > _RENEWED_AFTER:
            self.close()
            self._session = open_session(self._arguments, open_store(self._arguments))
            self._looked_at = time.monotonic()
        session = self._session
        headers = {**session.authorization, "Accept": "application/json"}
        body = None
        if document is not None:
            headers["Content-Type"], body = "application/json", json.dumps(document).encode()
        answer = session.http.send(method, session.server + path, headers, body)
        try:
            return answer.status, json.loads(answer.body or b"{}")
        except ValueError:
            return answer.status, {}

    def close(self) -> None:
        """Ends the connection."""
        if self._session is not None:
            self._session.http.close()
            self._session = None


def _clients(login: _Login, realm: str, patterns: Sequence[str]) -> Iterator[dict[str, Any]]:
    first = 0
    while True:
        path = f"/admin/realms/{quote(realm)}/clients?first={first}&max={_PAGE}"
        status, page = login.call("GET", path)
        if status != HTTPStatus.OK or not isinstance(page, list):
            raise CannotRotate(f"the clients of realm {realm} cannot be read: {status} {_reason(page)}")
        yield from (client for client in page if _is_meant(client, patterns))
        if len(page) < _PAGE:
            return
        first += _PAGE


def _is_meant(client: dict[str, Any], patterns: Sequence[str]) -> bool:
    if client.get("publicClient") or client.get("bearerOnly"):
        return False
    if client.get("clientAuthenticatorType", _BY_SECRET[0]) not in _BY_SECRET:
        return False
    if patterns:
        return any(fnmatchcase(str(client.get("clientId")), pattern) for pattern in patterns)
    return bool(client.get("serviceAccountsEnabled"))


def _reason(answer: Any) -> str:
    known = answer if isinstance(answer, dict) else {}
    return str(known.get("error_description") or known.get("errorMessage") or known.get("error") or "")
