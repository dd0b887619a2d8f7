"""How a realm changes.

Source: Keycloak ``RealmAdminResource.updateRealm``, ``DefaultExportImportManager.updateRealm``.
"""

import re
from collections.abc import Container
from typing import Final

from msgspec.structs import replace

from keyturn.admin.authentication_flows import BOUND_FLOWS, flows_of
from keyturn.admin.client_policy_documents import with_client_policies
from keyturn.admin.column_lengths import check_columns_of_realm
from keyturn.admin.errors import BadRequest, Conflict, ErrorMessage, InvalidRequest
from keyturn.admin.password_policy import check_password_policy
from keyturn.admin.realm_creation import check_brute_force, check_own_attributes, check_realm_name
from keyturn.admin.realm_documents import MASK
from keyturn.admin.sender_addresses import sender_problem
from keyturn.model.administration import MASTER, administration_client_id
from keyturn.model.new_realm_document import ELSEWHERE, KEYS, MIRRORED, MIRRORED_IF_GIVEN, SCIM, SHOWN_IN_EXPORTS
from keyturn.model.realm_settings import with_settings_that_agree
from keyturn.representations import UNSET, given, merge, present
from keyturn.representations.defaults import fragment
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, REALMS
from keyturn.store.spi import Duplicate, Transaction

__all__ = ["update_realm"]

_NOT_TAKEN: Final = (
    *ELSEWHERE,
    *SHOWN_IN_EXPORTS,
    *KEYS,
    "id",
    "default_role",
    "client_profiles",
    "client_policies",
)
_REQUIRED_CREDENTIALS: Final = frozenset({"password", "secret", "cert", "kerberos"})
_LONGEST: Final = 255
_RESET_ATTRIBUTE: Final = re.compile("(ciba|parRequestUri).*")
"""Attributes that have a default again after each change that does not name them."""
_KEPT_ATTRIBUTE: Final = re.compile("client(Offline)?Session.*")
"""Attributes that stay though a change of attributes does not name them."""
_SSL_REQUIRED: Final = frozenset({"all", "external", "none"})
_SECONDS: Final = re.compile("[0-9]{1,9}")


def update_realm(
    tx: Transaction, stored: RealmRepresentation, change: RealmRepresentation, *, features: Container[str] = ()
) -> RealmRepresentation:
    """Stores `stored` with what `change` gives: ``null`` and absent leave a field as it is.

    What an import would bring along (clients, roles, users, …) is not taken. Attributes are replaced but for Keycloak's
    own. Client profiles and policies are taken where they can be read; `features` are Keycloak's previews that are on.
    A new name renames the realm's client in master and the built-in clients' URLs.

    Raises:
        AdminError: what comes of it is no valid realm, or the name is taken.
    """
    if present(change.realm):
        _check_new_name(str(stored.realm), str(change.realm))
    check_password_policy(given(change.password_policy, ""))
    _check_values(stored, change)
    attributes = _attributes(stored, change)
    taken = replace(change, **dict.fromkeys(_NOT_TAKEN, UNSET))
    realm = merge(stored, replace(taken, attributes=UNSET, browser_security_headers=UNSET, smtp_server=UNSET))
    realm = replace(
        realm,
        attributes=attributes,
        scim_api_enabled=False,
        browser_security_headers={
            **given(stored.browser_security_headers, {}),
            **given(change.browser_security_headers, {}),
        },
        smtp_server=_smtp(stored, change),
        ssl_required=given(realm.ssl_required, "external").lower(),
        password_policy=given(realm.password_policy, "") or UNSET,
        **_from_attributes(change, attributes),
    )
    realm = with_settings_that_agree(realm, stored, change)
    _check_lifespans(realm)
    check_own_attributes(realm)
    realm = with_client_policies(
        realm,
        change,
        features=features,
        scope_names=lambda: [str(scope.name) for scope in tx.select(CLIENT_SCOPES, str(realm.id))],
    )
    try:
        tx.update(REALMS, str(realm.id), realm)
    except Duplicate:
        raise Conflict("Realm with same name exists") from None
    if realm.realm != stored.realm:
        _rename(tx, realm, str(stored.realm), str(realm.realm))
    return realm


def _check_values(stored: RealmRepresentation, change: RealmRepresentation) -> None:
    """Raises AdminError for what Keycloak cannot store."""
    flows = {flow.alias for flow in flows_of(stored)}
    if given(change.ssl_required, "none").lower() not in _SSL_REQUIRED:
        raise InvalidRequest("sslRequired is none of all, external, none")
    if not set(given(change.required_credentials, [])) <= _REQUIRED_CREDENTIALS:
        raise InvalidRequest("There is no such required credential")
    if any(given(getattr(change, name), "browser") not in flows for name in BOUND_FLOWS):
        raise InvalidRequest("There is no such authentication flow")
    login, action = change.access_code_lifespan_login, change.access_code_lifespan_user_action
    if present(login) and present(action) and 0 in (login, action):
        raise ErrorMessage(400, "AccessCodeLifespanLogin or AccessCodeLifespanUserAction cannot be 0")
    check_brute_force(change)
    if len(given(change.display_name, "")) > _LONGEST:
        raise InvalidRequest(f"displayName is longer than {_LONGEST} characters")
    problem = sender_problem(given(change.smtp_server, {}))
    if problem is not None:
        raise ErrorMessage(400, problem)
    check_columns_of_realm(replace(change, localization_texts=UNSET))


def _check_lifespans(realm: RealmRepresentation) -> None:
    """That no client's session outlives the session it is part of."""
    if given(realm.client_session_idle_timeout, 0) > given(realm.sso_session_idle_timeout, 0):
        raise ErrorMessage(400, "Client Session Idle Timeout cannot be greater than Realm SSO Idle Timeout.")
    if given(realm.client_session_max_lifespan, 0) > given(realm.sso_session_max_lifespan, 0):
        raise ErrorMessage(400, "Client session max lifespan cannot exceed realm SSO session max lifespan.")


def _check_new_name(old: str, new: str) -> None:
    if old == new:
        return
    if old == MASTER:
        raise ErrorMessage(400, "Can't rename master realm")
    try:
        check_realm_name(new)
    except BadRequest as error:
        raise ErrorMessage(400, str(error.document["error"])) from None


def _attributes(stored: RealmRepresentation, change: RealmRepresentation) -> dict[str, str]:
    """The attributes after a change: those in it replace the others, and Keycloak's own fall back to their defaults."""
    before, posted = given(stored.attributes, {}), given(change.attributes, {})
    kept = {name: value for name, value in before.items() if _KEPT_ATTRIBUTE.fullmatch(name)}
    own = posted | kept if present(change.attributes) else before
    usual = given(fragment("realm", str(stored.realm)).attributes, {})
    reset = {name: posted.get(name, value) for name, value in usual.items() if _RESET_ATTRIBUTE.fullmatch(name)}
    reset.update({attribute: usual[attribute] for attribute in MIRRORED.values()})
    mirrored = {
        attribute: str(getattr(change, name))
        for name, attribute in {**MIRRORED, **MIRRORED_IF_GIVEN}.items()
        if present(getattr(change, name))
    }
    if present(change.scim_api_enabled):
        mirrored[SCIM] = str(change.scim_api_enabled).lower()
    return {**own, **reset, **mirrored}


def _from_attributes(change: RealmRepresentation, attributes: dict[str, str]) -> dict[str, int]:
    """Fields that are set by attributes of their name: some by those in the `change`, some by those after it."""
    followed = {name: int(attributes[attribute]) for name, attribute in MIRRORED.items()}
    attributes = given(change.attributes, {})
    return followed | {
        name: int(attributes[attribute])
        for name, attribute in MIRRORED_IF_GIVEN.items()
        if _SECONDS.fullmatch(attributes.get(attribute, ""))
    }


def _smtp(stored: RealmRepresentation, change: RealmRepresentation) -> dict[str, str]:
    """The new mail settings; a masked password means the one that there is."""
    before = given(stored.smtp_server, {})
    after = given(change.smtp_server, before)
    after = {name: before.get(name, value) if value == MASK else value for name, value in after.items()}
    if after.get("auth") != "true":  # a password that is not used is not kept
        after.pop("password", None)
    return after


def _rename(tx: Transaction, realm: RealmRepresentation, old: str, new: str) -> None:
    master = tx.find(REALMS, None, realm=MASTER)
    if master is not None:
        master_id = str(master.id)
        client = tx.find(CLIENTS, master_id, client_id=administration_client_id(old))
        if client is not None:
            renamed = replace(client, client_id=administration_client_id(new))
            tx.update(CLIENTS, master_id, renamed)
    before, after = f"/realms/{old}/", f"/realms/{new}/"
    before_admin, after_admin = f"/admin/{old}/", f"/admin/{new}/"

    def moved(url: str) -> str:
        if url.startswith(before):
            return after + url.removeprefix(before)
        return after_admin + url.removeprefix(before_admin) if url.startswith(before_admin) else url

    for client in tx.select(CLIENTS, str(realm.id)):
        base_url = moved(client.base_url) if isinstance(client.base_url, str) else client.base_url
        redirect_uris = [moved(uri) for uri in given(client.redirect_uris, [])]
        if base_url != client.base_url or redirect_uris != given(client.redirect_uris, []):
            tx.update(CLIENTS, str(realm.id), replace(client, base_url=base_url, redirect_uris=redirect_uris))
