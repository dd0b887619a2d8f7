"""KEYTURN_CONNECT_TO leads connections elsewhere, as curl's --connect-to does."""

import pytest

from keyturn.cli.kcadm.connect_to import destination
from keyturn.cli.kcadm.errors import UsageError


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ("", ("keycloak", 8443)),
        ("keycloak:8443:127.0.0.1:28443", ("127.0.0.1", 28443)),
        ("KEYCLOAK:8443:127.0.0.1:28443", ("127.0.0.1", 28443)),
        ("keycloak::127.0.0.1:", ("127.0.0.1", 8443)),
        ("::127.0.0.1:1", ("127.0.0.1", 1)),
        ("keycloak:8443::28443", ("keycloak", 28443)),
        ("keycloak:8443:[::1]:28443", ("::1", 28443)),
        ("other:8443:127.0.0.1:1, keycloak:8443:127.0.0.1:2", ("127.0.0.1", 2)),
        ("keycloak:8080:127.0.0.1:1", ("keycloak", 8443)),
    ],
)
def test_the_first_entry_that_matches_counts(entries: str, expected: tuple[str, int]) -> None:
    assert destination("keycloak", 8443, entries) == expected


@pytest.mark.parametrize("entries", ["keycloak", "keycloak:127.0.0.1", "a:b:c:d", "a:1:b:2:3"])
def test_refuses_what_is_no_entry(entries: str) -> None:
    with pytest.raises(UsageError, match="KEYTURN_CONNECT_TO is not HOST:PORT:TARGET:PORT"):
        destination("keycloak", 8443, entries)
