"""How a realm comes to be, alone or as an import: first everything that takes long, then one short transaction.

Source: Keycloak ``RealmManager.importRealm``, ``RealmsAdminResource.importRealm``.
"""

import dataclasses
from collections.abc import Callable
from typing import Final, TypeVar

from keyturn.admin.administrator import Administrator
from keyturn.admin.authentication_flows import action_alias, check_depth
from keyturn.admin.client_changes import Fresh
from keyturn.admin.client_policy_documents import with_client_policies
from keyturn.admin.client_validation import check_client, check_mapper_ids
from keyturn.admin.column_lengths import check_columns
from keyturn.admin.errors import (
    AdminError,
    BadRequest,
    Conflict,
    ErrorMessage,
    InvalidRequest,
    OAuthError,
    ServerError,
)
from keyturn.admin.identity_provider_checks import imported
from keyturn.admin.imported_passwords import with_hashed_passwords
from keyturn.admin.lengths import LONGEST, LONGEST_ID
from keyturn.admin.password_policy import check_password_policy
from keyturn.admin.patterns import Patterns
from keyturn.admin.reserved_characters import check_characters
from keyturn.admin.sender_addresses import sender_problem
from keyturn.admin.user_passwords import check_password
from keyturn.jose.jwk import InvalidKey
from keyturn.model.administration import MASTER, administration_client_id, master_side
from keyturn.model.key_providers import generate, is_readable
from keyturn.model.made_realm import InvalidImport, UnreadableForm
from keyturn.model.new_realm import NewRealm, new_realm
from keyturn.model.realm_attributes import problem_with
from keyturn.representations import Representation, given, replace
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import (
    CLIENT_SCOPES,
    CLIENTS,
    COMPONENTS,
    GROUPS,
    REALMS,
    ROLES,
    USERS,
)
from keyturn.store.retrying import retried
from keyturn.store.spi import Collection, Duplicate, Relation, Store, Transaction

__all__ = [
    "administer_realms",
    "check_brute_force",
    "check_own_attributes",
    "check_realm_name",
    "create_realm",
    "prepare_realm",
    "remove_realm",
    "store_realm",
]

D = TypeVar("D", bound=Representation)

_OF_BRUTE_FORCE: Final = {
    "max_temporary_lockouts": "Maximum temporary lockouts",
    "max_failure_wait_seconds": "Maximum failure wait seconds",
    "minimum_quick_login_wait_seconds": "Minimum quick login wait seconds",
    "wait_increment_seconds": "Wait increment seconds",
    "quick_login_check_milli_seconds": "Quick login check milliseconds",
    "max_delta_time_seconds": "Maximum delta time seconds",
    "failure_factor": "Failure factor",
    "max_secondary_auth_failures": "Maximum secondary authentication failures",
}
_SSL_REQUIRED: Final = frozenset({"all", "external", "none"})


def create_realm(
    store: Store, representation: RealmRepresentation, *, fresh: Fresh, random: Callable[[int], bytes]
) -> RealmRepresentation:
    """Makes and stores a realm with all that its representation brings; gives its own document.

    Keys and password hashes are made before the transaction begins.

    Raises:
        AdminError: it is no valid realm, or one of this name or id exists.
    """
    prepared = prepare_realm(representation, fresh=fresh, random=random)

    def put() -> RealmRepresentation:
        with store.write() as tx:
            store_realm(tx, prepared, fresh=fresh)
        return prepared.realm

    return retried(put)


def check_realm_name(name: str) -> None:
    """Raises AdminError for a name that no realm may have."""
    if not name.strip():
        raise ErrorMessage(400, "Realm name cannot be empty")
    check_characters(name)
    if name in {".", ".."}:
        raise BadRequest(f"Realm name '{name}' not allowed.")  # no path leads there


def check_own_attributes(realm: RealmRepresentation) -> None:
    """Raises AdminError for attributes of keyturn's own that there are not, or that cannot be acted on."""
    problem = problem_with(realm)
    if problem is not None:
        raise InvalidRequest(problem)


def prepare_realm(
    representation: RealmRepresentation,
    *,
    fresh: Fresh,
    random: Callable[[int], bytes],
    features: frozenset[str] = frozenset(),
) -> NewRealm:
    """All documents of the realm, with key material and password hashes. Slow; reads and writes nothing.

    Raises:
        AdminError: it is no valid realm.
    """
    name = given(representation.realm, "")
    check_realm_name(name)
    check_characters(given(representation.id, ""))
    _check_fields(representation)
    check_password_policy(given(representation.password_policy, ""))
    try:
        made = new_realm(representation, new_id=fresh.new_id, new_secret=fresh.new_secret, now_ms=int(fresh.now * 1000))
    except UnreadableForm:
        raise ErrorMessage(400, "unable to read contents from stream") from None
    except InvalidImport as error:
        raise InvalidRequest(str(error)) from error
    check_own_attributes(made.realm)
    check_depth(given(made.realm.authentication_flows, []))
    providers = given(made.realm.identity_providers, [])
    if providers:
        providers = imported(made.realm, providers, features=features, new_id=fresh.new_id)
        made = dataclasses.replace(made, realm=replace(made.realm, identity_providers=providers))
    for client in made.clients:
        if client.client_id in {posted.client_id for posted in given(representation.clients, [])}:
            if len(str(client.id)) > LONGEST_ID:
                raise ErrorMessage(400, f"Client ID must not exceed {LONGEST_ID} characters")
            check_client(client)
    check_columns(made)
    _check_scopes(made)
    for scope in made.client_scopes:
        check_mapper_ids(given(scope.protocol_mappers, []))
    if not all(component.provider_id for component in made.components):
        raise InvalidRequest("A component needs its providerId")
    try:
        components = [generate(each, realm_name=name, now=fresh.now, random=random) for each in made.components]
    except InvalidKey as error:
        raise InvalidRequest(str(error)) from error
    if not all(map(is_readable, components)):
        raise InvalidRequest("Failed to decode private key")
    _check_passwords(made)
    users = [with_hashed_passwords(_with_known_actions(user, made), int(fresh.now * 1000)) for user in made.users]
    realm = with_client_policies(
        made.realm,
        representation,
        features=features,
        scope_names=lambda: [str(scope.name) for scope in made.client_scopes],
    )
    return dataclasses.replace(made, realm=realm, components=components, users=users)


def _check_passwords(made: NewRealm) -> None:
    """That the users' passwords are what the realm's policy allows."""
    patterns = Patterns()
    for user in made.users:
        for credential in given(user.credentials, []):
            if isinstance(credential.value, str):
                try:
                    check_password(given(made.realm.password_policy, ""), credential.value, user, patterns)
                except OAuthError:
                    raise ErrorMessage(400, "Password policy not met. See logs for details") from None


def _with_known_actions(user: UserRepresentation, made: NewRealm) -> UserRepresentation:
    actions = [action_alias(made.realm, action) for action in given(user.required_actions, [])]
    return user if actions == given(user.required_actions, []) else replace(user, required_actions=actions)


def _check_scopes(made: NewRealm) -> None:
    default, optional = (
        set(made.relations.get(relation, ())) for relation in ("realm_default_scope", "realm_optional_scope")
    )
    if default & optional:
        raise Conflict("Duplicate resource error")


def check_brute_force(realm: RealmRepresentation) -> None:
    """Raises ErrorMessage for a setting of brute-force detection that is negative. Source: Keycloak ``RealmModel``."""
    for name, text in _OF_BRUTE_FORCE.items():
        if given(getattr(realm, name), 0) < 0:
            raise ErrorMessage(400, f"{text} may not be a negative value")


def _check_fields(representation: RealmRepresentation) -> None:
    check_brute_force(representation)
    lengths = (
        (representation.realm, LONGEST),
        (representation.id, LONGEST_ID),
        (representation.display_name, LONGEST),
    )
    if any(isinstance(text, str) and len(text) > longest for text, longest in lengths):
        raise ErrorMessage(400, "Database operation failed")
    if not all(given(scope.name, "") for scope in given(representation.client_scopes, [])):
        raise InvalidRequest("A client scope needs a name")
    if not all(given(user.username, "").strip() for user in given(representation.users, [])):
        raise InvalidRequest("A user needs a username")
    if given(representation.ssl_required, "none").lower() not in _SSL_REQUIRED:
        raise InvalidRequest("sslRequired is none of all, external, none")
    problem = sender_problem(given(representation.smtp_server, {}))
    if problem is not None:
        raise BadRequest(problem)


def store_realm(
    tx: Transaction,
    made: NewRealm,
    *,
    fresh: Fresh,
    creator: Administrator | None = None,
    administered: bool = True,
) -> None:
    """Stores the realm and master's side of it. `creator` gets the rights in it, unless ``admin`` of master has them.

    Args:
        administered: whether master's side is stored, too; else `administer_realms` has to be called.

    Raises:
        AdminError: something of it is taken.
    """
    realm_id, name = made.realm_id, given(made.realm.realm, "")
    if tx.find(REALMS, None, realm=name) is not None:
        raise Conflict(f"Realm {name} already exists")
    try:
        _insert(tx, made)
    except Duplicate:
        raise Conflict("Duplicate resource error") from None
    for relation, pairs in made.relations.items():
        tx.link_many(Relation(relation), realm_id, pairs)
    if administered and name != MASTER:
        _store_master_side(tx, name, fresh, creator)


def administer_realms(tx: Transaction, *, fresh: Fresh) -> None:
    """Stores master's side of every realm that has none. Raises AdminError."""
    master = tx.find(REALMS, None, realm=MASTER)
    if master is None:
        raise _no_master()
    for realm in tx.select(REALMS, None):
        name = given(realm.realm, "")
        client_id = administration_client_id(name)
        if name != MASTER and tx.find(CLIENTS, str(master.id), client_id=client_id) is None:
            _store_master_side(tx, name, fresh, None)


def _insert(tx: Transaction, made: NewRealm) -> None:
    realm_id = made.realm_id
    tx.insert(REALMS, realm_id, made.realm)
    _insert_all(tx, realm_id, CLIENT_SCOPES, made.client_scopes)
    _insert_all(tx, realm_id, CLIENTS, made.clients)
    _insert_all(tx, realm_id, ROLES, made.roles)
    _insert_all(tx, realm_id, COMPONENTS, made.components)
    _insert_all(tx, realm_id, GROUPS, made.groups)
    _insert_all(tx, realm_id, USERS, made.users)


def _insert_all(tx: Transaction, realm_id: str, collection: Collection[D], documents: list[D]) -> None:
    tx.insert_many(collection, realm_id, documents)


def _store_master_side(tx: Transaction, name: str, fresh: Fresh, creator: Administrator | None) -> None:
    master = tx.find(REALMS, None, realm=MASTER)
    if master is None:
        raise _no_master()
    master_id = str(master.id)
    admin = tx.find(ROLES, master_id, container_id=master_id, name="admin")
    if admin is None:
        raise _no_master()
    side = master_side(name, master_id=master_id, admin_role_id=str(admin.id), new_id=fresh.new_id)
    try:
        tx.insert(CLIENTS, master_id, side.client)
    except Duplicate:
        raise Conflict("Duplicate resource error") from None
    for role in side.roles:
        tx.insert(ROLES, master_id, role)
    for source, target in side.composites:
        tx.link(Relation.COMPOSITE, master_id, source, target)
    if creator is not None and creator.realm_id == master_id and not creator.holds(tx, str(admin.id)):
        for role in side.roles:
            if role.name != "impersonation":
                tx.link(Relation.USER_ROLE, master_id, str(creator.user.id), str(role.id))


def _no_master() -> AdminError:
    return ServerError()


def remove_realm(tx: Transaction, realm: RealmRepresentation) -> None:
    """Removes the realm and master's side of it."""
    tx.delete_realm(str(realm.id))
    master = tx.find(REALMS, None, realm=MASTER)
    if master is None:
        return
    master_id = str(master.id)
    client = tx.find(CLIENTS, master_id, client_id=administration_client_id(str(realm.realm)))
    if client is not None:
        for role in tx.select(ROLES, master_id, where={"container_id": str(client.id)}):
            tx.delete(ROLES, master_id, str(role.id))
        tx.delete(CLIENTS, master_id, str(client.id))
