"""A realm's client policies where clients register themselves.

Source: Keycloak ``ClientRegistrationAuth``, ``AbstractDynamicClientCRUDContext``.
"""

from typing import Final

from keyturn.admin import authentication
from keyturn.admin.client_changes import Fresh
from keyturn.admin.errors import AdminError, Unauthorized
from keyturn.admin.governance import Governance, address_of, policies_in, updater_of
from keyturn.admin.registration.refusal import Refusal
from keyturn.admin.registration.tokens import Kind, Shown
from keyturn.admin.registration.trusted_hosts import Names
from keyturn.model.client_policy import PolicyRefused, Updater
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.spi import Reader

__all__ = ["governance_of_registration"]

_ANONYMOUS: Final = "ByAnonymous"
_SOURCES: Final = {Kind.INITIAL: "ByInitialAccessToken", Kind.REGISTRATION: "ByRegistrationAccessToken"}


def governance_of_registration(
    reader: Reader, realm: RealmRepresentation, shown: Shown, base_url: str, address: str, names: Names, fresh: Fresh
) -> Governance:
    """The policies of `realm`, for who shows this token from this address."""
    return Governance(
        policies=policies_in(realm),
        reader=reader,
        realm_id=str(realm.id),
        base_url=base_url,
        fresh=fresh,
        updater=_updater(reader, realm, shown, base_url, address, names, fresh),
        refuse=_forbidden,
        refuse_changed=_refused,
        dynamic=True,
    )


def _updater(
    reader: Reader, realm: RealmRepresentation, shown: Shown, base_url: str, address: str, names: Names, fresh: Fresh
) -> Updater:
    if shown.kind is Kind.BEARER and shown.claims is not None:
        try:
            administrator = authentication.admit(reader, shown.claims, base_url, fresh.now)
        except Unauthorized:
            pass  # whatever is asked for is refused for that
        else:
            return updater_of(reader, administrator, str(realm.id), address, names)
    source = _SOURCES.get(shown.kind, _ANONYMOUS)
    return Updater(source, address, tuple, lambda role: False, lambda host: address_of(host, names), names.name)


def _forbidden(refused: PolicyRefused) -> AdminError:
    return Refusal(403, "insufficient_scope", refused.error, refused.error, _told(refused))


def _refused(refused: PolicyRefused) -> AdminError:
    return Refusal(400, refused.error, refused.detail, refused.error, _told(refused))


def _told(refused: PolicyRefused) -> dict[str, str]:
    return {
        "reason": "client_policy_error",
        "client_policy_error": refused.error,
        "client_policy_error_detail": refused.detail,
    }
