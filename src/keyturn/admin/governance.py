"""A realm's client policies where its clients are administered.

Source: Keycloak ``ClientsResource``, ``ClientResource`` and the contexts that they hand to the policies.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from keyturn.admin.administrator import Administrator
from keyturn.admin.client_changes import Fresh
from keyturn.admin.context import RealmView
from keyturn.admin.errors import AdminError, OAuthError
from keyturn.admin.patterns import InvalidPattern, Patterns, check_pattern
from keyturn.admin.registration.trusted_hosts import Names
from keyturn.model.client_policy import (
    ClientPolicy,
    GovernedClient,
    Occasion,
    PolicyEvent,
    PolicyRefused,
    Updater,
    apply_policies,
)
from keyturn.model.client_secret import without_rotation
from keyturn.oauth2.policy_documents import global_profiles, policies_of, profiles_of
from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, GROUPS, ROLES
from keyturn.store.spi import Reader, Relation

__all__ = ["Governance", "address_of", "governance_of", "look_up_names", "policies_in", "updater_of"]

_BY_ADMINISTRATOR = "ByAuthenticatedUser"
_MOST_CLIENTS = 25
"""Clients that the name of a role is looked up in (Keycloak ``KeycloakModelUtils.getRoleFromString``)."""


def _refused(refused: PolicyRefused) -> AdminError:
    return OAuthError(400, refused.error, refused.detail)


@dataclass(frozen=True, slots=True)
class Governance:
    """The policies of one realm, for one call. Each method raises AdminError where a policy refuses."""

    policies: tuple[ClientPolicy, ...]
    reader: Reader
    realm_id: str
    base_url: str
    fresh: Fresh
    updater: Updater
    refuse: Callable[[PolicyRefused], AdminError] = _refused
    """What becomes of a refusal before a client has been touched, and `refuse_changed` of one afterwards."""
    refuse_changed: Callable[[PolicyRefused], AdminError] = _refused
    dynamic: bool = False
    """Whether the call is one of dynamic client registration."""

    def register(self, posted: ClientRepresentation) -> ClientRepresentation:
        """`posted`, a client that is to be, with what the policies give it."""
        return self._before(PolicyEvent.REGISTER, posted, None).proposed or posted

    def registered(self, client: ClientRepresentation) -> ClientRepresentation:
        """The stored `client`, a new one, as the policies want it."""
        return self._after(PolicyEvent.REGISTERED, client).stored or client

    def update(self, stored: ClientRepresentation, change: ClientRepresentation) -> ClientRepresentation:
        """`change`, asked for of a `stored` client, with what the policies give it."""
        return self.updating(stored, change).proposed or change

    def updating(self, stored: ClientRepresentation, change: ClientRepresentation) -> Occasion:
        """What the policies make of a `change` of a `stored` client."""
        return self._before(PolicyEvent.UPDATE, change, stored)

    def updated(self, client: ClientRepresentation, replaced_secret: str | None = None) -> ClientRepresentation:
        """The stored `client`, which has changed, as the policies want it.

        Without one that rotates secrets, an administrator's change leaves nothing of an earlier rotation.

        Args:
            replaced_secret: the secret until now, where the change is another secret.
        """
        occasion = self._after(PolicyEvent.UPDATED, client, replaced_secret)
        changed = occasion.stored or client
        return changed if occasion.rotates_secret or self.dynamic else without_rotation(changed)

    def view(self, client: ClientRepresentation) -> None:
        """That the client may be looked at."""
        self._apply(Occasion(event=PolicyEvent.VIEW, client=self._governed(client), updater=self.updater))

    def unregister(self, client: ClientRepresentation) -> None:
        """That the client may go."""
        self._apply(Occasion(event=PolicyEvent.UNREGISTER, client=self._governed(client), updater=self.updater))

    def _before(
        self, event: PolicyEvent, proposed: ClientRepresentation, stored: ClientRepresentation | None
    ) -> Occasion:
        occasion = Occasion(
            event=event,
            client=None if stored is None else self._governed(stored),
            proposed=proposed,
            base_url=self.base_url,
            matches=Patterns().match,
            is_pattern=_is_pattern,
            dynamic=self.dynamic,
            updater=self.updater,
        )
        self._apply(occasion)
        return occasion

    def _after(self, event: PolicyEvent, client: ClientRepresentation, replaced_secret: str | None = None) -> Occasion:
        occasion = Occasion(
            event=event,
            client=self._governed(client),
            stored=client,
            now=int(self.fresh.now),
            new_secret=self.fresh.new_secret,
            replaced_secret=replaced_secret,
            dynamic=self.dynamic,
            updater=self.updater,
        )
        self._apply(occasion, self.refuse_changed)
        return occasion

    def _apply(self, occasion: Occasion, refuse: Callable[[PolicyRefused], AdminError] | None = None) -> None:
        try:
            apply_policies(self.policies, occasion)
        except PolicyRefused as refused:
            raise (refuse or self.refuse)(refused) from None

    def _governed(self, client: ClientRepresentation) -> GovernedClient:
        client_id = str(client.id)

        def scopes(relation: Relation) -> list[str]:
            ids = self.reader.targets(relation, self.realm_id, client_id)
            return [str(scope.name) for scope in self.reader.get_many(CLIENT_SCOPES, self.realm_id, ids)]

        return GovernedClient(
            public=client.public_client is True,
            bearer_only=client.bearer_only is True,
            protocol=given(client.protocol, "openid-connect"),
            authenticator=given(client.client_authenticator_type, ""),
            consent_required=client.consent_required is True,
            full_scope=client.full_scope_allowed is True,
            direct_access_grants=client.direct_access_grants_enabled is True,
            attributes=given(client.attributes, {}),
            roles=lambda: [
                str(role.name) for role in self.reader.select(ROLES, self.realm_id, where={"container_id": client_id})
            ],
            default_scopes=lambda: scopes(Relation.CLIENT_DEFAULT_SCOPE),
            silent_scopes=tuple,
            optional_scopes=lambda: scopes(Relation.CLIENT_OPTIONAL_SCOPE),
        )


def _is_pattern(pattern: str) -> bool:
    try:
        check_pattern(pattern)
    except InvalidPattern:
        return False
    return True


_NAMES: ContextVar[Names | None] = ContextVar("_NAMES", default=None)
"""What has been looked up for this call."""


def look_up_names(realm: RealmView, judge: Callable[[Governance], object]) -> None:
    """Has `judge` ask the policies ahead of the transaction: whatever names they look up, it need not wait for.

    Raises AdminError where a policy refuses.
    """
    _NAMES.set(Names())
    judge(governance_of(realm))


def governance_of(realm: RealmView) -> Governance:
    """The policies of the call's realm, for its administrator."""
    names = _NAMES.get() or Names()
    return Governance(
        policies=policies_in(realm.realm),
        reader=realm.reader,
        realm_id=realm.id,
        base_url=realm.base_url,
        fresh=realm.fresh(),
        updater=updater_of(realm.reader, realm.administrator, realm.id, realm.address, names),
    )


def policies_in(realm: RealmRepresentation) -> tuple[ClientPolicy, ...]:
    """The realm's policies that are enabled."""
    policies = policies_of(realm)
    if not given(policies.policies, []):
        return ()
    from keyturn.oauth2.client_policies import compile_policies  # most realms never need it

    return compile_policies(profiles_of(realm), policies, global_profiles())


def updater_of(reader: Reader, administrator: Administrator, realm_id: str, address: str, names: Names) -> Updater:
    """Who changes a client of this realm with an access token."""

    def groups() -> list[str]:
        ids = reader.targets(Relation.MEMBERSHIP, administrator.realm_id, str(administrator.user.id))
        return [str(group.name) for group in reader.get_many(GROUPS, administrator.realm_id, ids)]

    def has_role(name: str) -> bool:
        role_id = _role_of_text(reader, realm_id, name)
        return role_id is not None and administrator.realm_id == realm_id and administrator.holds(reader, role_id)

    return Updater(_BY_ADMINISTRATOR, address, groups, has_role, lambda host: address_of(host, names), names.name)


def address_of(host: str, names: Names) -> str | None:
    """The first address of `host`; None where nobody knows it."""
    return next(iter(names.addresses(host)), None)


def _role_of_text(reader: Reader, realm_id: str, text: str) -> str | None:
    """The role of the realm, or of a client as ``client.role``; both names may have dots."""
    dots = [at for at, character in enumerate(text) if character == "."]
    for at in list(reversed(dots))[:_MOST_CLIENTS]:
        client = reader.find(CLIENTS, realm_id, client_id=text[:at])
        if client is not None:
            role = reader.find(ROLES, realm_id, container_id=str(client.id), name=text[at + 1 :])
            return None if role is None else str(role.id)
    role = reader.find(ROLES, realm_id, container_id=realm_id, name=text)
    return None if role is None else str(role.id)
