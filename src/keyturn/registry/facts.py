"""Finds out what the protocol asks, and performs what it decides. Blocks: for worker threads.

Every question and every effect of ``oauth2.spi`` has its function here.
"""

from collections.abc import Callable

from keyturn.model import key_providers
from keyturn.model.login_failures import DISABLED_REASON, LOCKED_OUT, PERMANENTLY, after_failure
from keyturn.model.realm import Realm
from keyturn.model.required_actions import demands_profile, demands_verified_email
from keyturn.model.subject import Subject
from keyturn.oauth2.identifiers import new_id
from keyturn.oauth2.spi import (
    CheckPassword,
    CheckSubjectToken,
    CheckToken,
    CountFailure,
    Effect,
    EndClientSession,
    EndSession,
    Facts,
    FindSession,
    ForgetFailures,
    MakeKey,
    Overtaken,
    PasswordChecked,
    Question,
    Random,
    RevokeToken,
    SaveSession,
    SessionFound,
    SubjectTokenChecked,
    TokenChecked,
)
from keyturn.registry import revoked
from keyturn.registry.compile import compile_subject
from keyturn.registry.registry import Registry
from keyturn.registry.user_profile import is_complete
from keyturn.representations import UserRepresentation, given, replace
from keyturn.sessions.passwords import verify_password
from keyturn.store.collections import CLIENTS, COMPONENTS, LOGIN_FAILURES, REALMS, SESSIONS, USERS
from keyturn.store.retrying import retried
from keyturn.store.spi import Reader, Store

Clock = Callable[[], float]


class FactFinder:
    """Answers questions from the store, for one server."""

    def __init__(self, store: Store, registry: Registry, clock: Clock, random: Random) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._random = random

    def resolve(self, realm: Realm, question: Question) -> Facts | None:
        """The answer; None for a question that only wants something to be there, as a key."""
        return retried(lambda: self._resolve(realm, question))

    def perform(self, realm: Realm, effect: Effect) -> None:
        """Writes what was decided; durable when this returns. Raises Overtaken."""
        retried(lambda: self._perform(realm, effect))

    def _resolve(self, realm: Realm, question: Question) -> Facts | None:
        match question:
            case CheckPassword():
                return self._check_password(realm, question)
            case FindSession():
                return self._find_session(realm, question)
            case CheckToken():
                return self._check_token(realm, question)
            case CheckSubjectToken():
                return self._check_subject_token(realm, question)
            case MakeKey():
                self._make_key(realm, question.algorithm)
                return None

    def _perform(self, realm: Realm, effect: Effect) -> None:
        match effect:
            case SaveSession():
                self._save_session(realm, effect)
            case EndClientSession():
                self._end_client_session(realm, effect)
            case EndSession():
                with self._store.write() as transaction:
                    transaction.delete(SESSIONS, realm.id, effect.session_id)
            case CountFailure():
                self._count_failure(realm, effect)
            case ForgetFailures():
                with self._store.write() as transaction:
                    transaction.delete(LOGIN_FAILURES, realm.id, effect.user_id)
            case RevokeToken():
                with self._store.write() as transaction:
                    transaction.use_once(revoked.namespace(realm.id), effect.token_id, effect.until)
                    transaction.announce(revoked.REVOKED_TOKEN, realm.id, effect.token_id)

    def _check_password(self, realm: Realm, question: CheckPassword) -> PasswordChecked:
        with self._store.read() as reader:
            user = _find_person(reader, realm, question.username)
            subject = None if user is None else compile_subject(reader, realm, user)
            complete = user is None or _is_set_up(reader, realm, user)
            failures = None if subject is None else reader.get(LOGIN_FAILURES, realm.id, subject.id)
        credentials = [] if user is None else given(user.credentials, [])
        stored = next((c for c in credentials if given(c.type, "") == "password"), None)
        # Verified against nothing as well, so that a name that nobody has takes as long as one that somebody has.
        valid = verify_password(stored, question.password)
        return PasswordChecked(
            subject,
            valid,
            locked=failures is not None and failures.locks(self._clock()),
            failed_before=failures is not None,
            profile_complete=complete,
        )

    def _find_session(self, realm: Realm, question: FindSession) -> SessionFound:
        with self._store.read() as reader:
            session = reader.get(SESSIONS, realm.id, question.session_id)
            if session is None or session.expires <= self._clock():
                return SessionFound(None, None)
            return SessionFound(session, self._subject(reader, realm, session.user_id))

    def _check_token(self, realm: Realm, question: CheckToken) -> TokenChecked:
        now = int(self._clock())
        known = self._registry.revoked
        is_revoked = known.tells(realm.id, question.token_id)
        since = known.expect(realm.id) if is_revoked is None else set[str]()
        with self._store.read() as reader:
            if is_revoked is None:
                ids = {token_id for token_id, _ in reader.used(revoked.namespace(realm.id), now)}
                known.fill(realm.id, since, ids)
                is_revoked = question.token_id in ids
            session = None if question.session_id is None else reader.get(SESSIONS, realm.id, question.session_id)
            if question.user_id is not None:
                return TokenChecked(is_revoked, subject=self._subject(reader, realm, question.user_id))
            if session is None or session.expires <= now:
                return TokenChecked(is_revoked)
            return TokenChecked(is_revoked, session, self._subject(reader, realm, session.user_id))

    def _check_subject_token(self, realm: Realm, question: CheckSubjectToken) -> SubjectTokenChecked:
        audience: dict[str, bool] = {}
        with self._store.read() as reader:
            for client_id in set(question.audience):
                client = reader.find(CLIENTS, realm.id, client_id=client_id)
                if client is not None:
                    audience[client_id] = given(client.enabled, False)
        return SubjectTokenChecked(self._check_token(realm, question.token), audience)

    def _subject(self, reader: Reader, realm: Realm, user_id: str) -> Subject | None:
        user = reader.get(USERS, realm.id, user_id)
        return None if user is None else compile_subject(reader, realm, user)

    def _make_key(self, realm: Realm, algorithm: str) -> None:
        component = key_providers.generate(
            key_providers.fallback(algorithm, component_id=new_id(self._random), realm_id=realm.id),
            realm_name=realm.name,
            now=self._clock(),
            random=self._random,
        )
        with self._store.write() as transaction:
            if transaction.get(REALMS, realm.id, realm.id) is None:
                return
            components = transaction.select(COMPONENTS, realm.id, where={"provider_type": key_providers.PROVIDER_TYPE})
            # Another request may have been faster. A fallback key that was switched off does not count: Keycloak makes
            # one more.
            if algorithm not in key_providers.key_ring(components).signing:
                transaction.insert(COMPONENTS, realm.id, component)

    def _save_session(self, realm: Realm, effect: SaveSession) -> None:
        with self._store.write() as transaction:
            if effect.replaces is None:
                transaction.insert(SESSIONS, realm.id, effect.session)
                return
            if transaction.get(SESSIONS, realm.id, effect.session.id) != effect.replaces:
                # Another refresh, or a logout, came first: neither may be undone.
                raise Overtaken
            transaction.update(SESSIONS, realm.id, effect.session)

    def _count_failure(self, realm: Realm, effect: CountFailure) -> None:
        with self._store.write() as transaction:
            user = transaction.get(USERS, realm.id, effect.user_id)
            if user is None:
                return
            known = transaction.get(LOGIN_FAILURES, realm.id, effect.user_id)
            now_ms = int(self._clock() * 1000)
            failures = after_failure(known, effect.user_id, realm.document, now_ms=now_ms, address=effect.address)
            if known is None:
                transaction.insert(LOGIN_FAILURES, realm.id, failures)
            else:
                transaction.update(LOGIN_FAILURES, realm.id, failures)
            if failures.not_before == PERMANENTLY:
                attributes = {**given(user.attributes, {}), DISABLED_REASON: [LOCKED_OUT]}
                transaction.update(USERS, realm.id, replace(user, enabled=False, attributes=attributes))

    def _end_client_session(self, realm: Realm, effect: EndClientSession) -> None:
        with self._store.write() as transaction:
            session = transaction.get(SESSIONS, realm.id, effect.session_id)
            if session is not None and session.clients.pop(effect.client_id, None) is not None:
                transaction.update(SESSIONS, realm.id, session)


def _is_set_up(reader: Reader, realm: Realm, user: UserRepresentation) -> bool:
    """Whether no required action waits for `user` that nobody has told of."""
    if demands_verified_email(realm.document, user):
        return False
    return not demands_profile(realm.document) or is_complete(reader, realm, user)


def _find_person(reader: Reader, realm: Realm, login: str) -> UserRepresentation | None:
    """Who logs in as `login`: the user name, or the e-mail address where that is allowed; never a service account."""
    name = login.strip().lower()
    if not name:
        return None
    user = reader.find(USERS, realm.id, username=name)
    if user is None and "@" in name and given(realm.document.login_with_email_allowed, True):
        user = reader.find(USERS, realm.id, email=name)
    if user is not None and given(user.service_account_client_id, ""):
        return None
    return user
