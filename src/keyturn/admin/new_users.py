"""Users as they come into a realm: with the realm's default role and groups."""

from keyturn.model.new_documents import NewId, new_service_account, service_account_username
from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import USERS
from keyturn.store.spi import Reader, Relation, Transaction

__all__ = ["ensure_service_account", "insert_user", "service_account_of"]


def insert_user(tx: Transaction, realm: RealmRepresentation, user: UserRepresentation) -> None:
    """Stores a new user, with the realm's default role and groups. Raises Duplicate."""
    realm_id, user_id = str(realm.id), str(user.id)
    tx.insert(USERS, realm_id, user)
    default_role = given(realm.default_role, None)
    if default_role is not None:
        tx.link(Relation.USER_ROLE, realm_id, user_id, str(default_role.id))
    for group_id in tx.targets(Relation.DEFAULT_GROUP, realm_id, realm_id):
        tx.link(Relation.MEMBERSHIP, realm_id, user_id, group_id)


def service_account_of(reader: Reader, realm_id: str, client: ClientRepresentation) -> UserRepresentation | None:
    """The user that stands for `client`."""
    return reader.find(USERS, realm_id, service_account_client=str(client.id))


def ensure_service_account(
    tx: Transaction, realm: RealmRepresentation, client: ClientRepresentation, *, new_id: NewId, now_ms: int
) -> UserRepresentation:
    """The user that stands for `client`, made where there is none. Raises Duplicate where its name is taken."""
    realm_id = str(realm.id)
    user = service_account_of(tx, realm_id, client)
    if user is None:
        user = new_service_account(client, new_id=new_id, now_ms=now_ms)
        insert_user(tx, realm, user)
    elif user.username != (name := service_account_username(str(client.client_id))):
        user.username = name
        tx.update(USERS, realm_id, user)
    return user
