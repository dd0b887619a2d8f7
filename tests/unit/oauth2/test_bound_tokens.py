"""A client whose tokens must be bound never gets a plain bearer token (RFC 9449 §5.1, RFC 8705 §3)."""

import pytest

from harness.realm import RealmUnderTest
from harness.tokens import ask


@pytest.mark.parametrize(
    ("attribute", "description"),
    [
        ("dpop.bound.access.tokens", "DPoP proof is missing"),
        ("tls.client.certificate.bound.access.tokens", "Client Certification missing for MTLS HoK Token Binding"),
    ],
)
def test_refuses_a_client_that_has_shown_nothing_to_bind_to(
    realm: RealmUnderTest, attribute: str, description: str
) -> None:
    realm.add_client(client_id="svc", secret="s3cret", service_accounts_enabled=True, attributes={attribute: "true"})
    answer = ask(realm, {"grant_type": "client_credentials"}, basic=("svc", "s3cret"))
    assert answer.error == (400, "invalid_request", description)
