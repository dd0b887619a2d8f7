"""A client's credentials: those that it has beside the one that Keycloak knows, and that one as one of them."""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import Conflict, InvalidRequest, NotFound
from keyturn.admin.governance import governance_of
from keyturn.admin.identity_providers import providers_of
from keyturn.jose.jwk import InvalidKey
from keyturn.model.claim_rules import InvalidRule, claim_rule
from keyturn.model.client_credential import (
    CERTIFICATE,
    FEDERATED,
    KEY,
    MAXIMUM,
    OF_KEYCLOAK,
    OWN,
    ROTATED,
    SECRET,
    TYPES,
    end_of,
    is_name,
    key_of,
    listed_credentials,
    named_credentials,
    secrets_count,
    with_credentials,
)
from keyturn.model.client_secret import (
    ROTATED_CREATED,
    ROTATED_EXPIRES,
    ROTATED_SECRET,
    ROTATION,
    SECRET_CREATED,
    has_rotated_secret,
    seconds,
    secret_expires,
    without_rotated_secret,
)
from keyturn.model.new_documents import CREATION_TIME
from keyturn.model.trusted_issuer import ALIAS, SUBJECT, authenticates_clients, check_rule
from keyturn.representations import UNSET, ClientRepresentation, Maybe, given, present, replace
from keyturn.representations.client_credential import ClientCredentialRepresentation
from keyturn.store.collections import CLIENTS
from keyturn.store.spi import ClientUse

__all__ = ["add", "change", "credentials_of", "find", "remove", "shown"]

_SHORTEST_SECRET: Final = 16
_LONGEST_SECRET: Final = 255
_LONGEST_OVERLAP: Final = 10 * 366 * 86400
_SETTLED: Final = ("name", "type", "created", "secret", "public_key", "certificate", "issuer")
"""What a change does not reach."""


@dataclass(frozen=True, slots=True)
class Held:
    """A credential as it is stored, and the name that its use is counted under."""

    credential: ClientCredentialRepresentation
    counted: str


def credentials_of(realm: RealmView, client: ClientRepresentation, *, sealed: bool = False) -> list[Held]:
    """All of `client`'s that count or have counted: what Keycloak knows first, then those with names.

    Where what is secret of it is `sealed`, they are without their secrets.
    """
    if client.public_client is True:
        return []
    rotation = ROTATION in realm.environment.features
    attributes = given(client.attributes, {})
    named = listed_credentials(attributes) if sealed else named_credentials(attributes)
    own = () if client.bearer_only is True else _of_keycloak(client, rotation=rotation)
    return [*own, *(Held(each, given(each.name, "")) for each in named)]


def _of_keycloak(client: ClientRepresentation, *, rotation: bool) -> Iterator[Held]:
    attributes = given(client.attributes, {})
    authenticator = given(client.client_authenticator_type, "")
    made = ClientCredentialRepresentation
    if secrets_count(authenticator):
        created, expires = seconds(attributes, SECRET_CREATED), secret_expires(attributes)
        yield Held(made(name=SECRET, type=SECRET, created=_maybe(created), expires=_maybe(expires)), OWN)
        if rotation and has_rotated_secret(attributes):
            created, expires = seconds(attributes, ROTATED_CREATED), seconds(attributes, ROTATED_EXPIRES)
            yield Held(made(name=ROTATED, type=SECRET, created=_maybe(created), expires=_maybe(expires)), ROTATED)
    elif authenticator == "client-jwt":
        yield Held(made(name=KEY, type=KEY), OWN)
    elif authenticator == "federated-jwt":
        claims = {"sub": [attributes[SUBJECT]]} if attributes.get(SUBJECT) else UNSET
        yield Held(made(name="subject", type=FEDERATED, issuer=attributes.get(ALIAS, UNSET), claims=claims), OWN)
    else:
        yield Held(made(name=CERTIFICATE, type=CERTIFICATE), OWN)


def _maybe(value: int | None) -> Maybe[int]:
    return UNSET if value is None else value


def shown(held: Iterable[Held], uses: Iterable[ClientUse]) -> list[ClientCredentialRepresentation]:
    """What is told of them: when each was used last, and no secret. `uses` are those of their client."""
    known: Mapping[str, ClientUse] = {use.credential: use for use in uses}
    return [_shown(each, known.get(each.counted)) for each in held]


def _shown(held: Held, use: ClientUse | None) -> ClientCredentialRepresentation:
    credential = replace(held.credential, secret=UNSET)
    if use is None or not use.last or use.last < given(credential.created, 0):  # it is of one that had the name before
        return credential
    return replace(credential, last_used=use.last, last_used_from=use.address or UNSET)


def find(realm: RealmView, client: ClientRepresentation, name: str) -> Held:
    """The credential of this name. Raises NotFound."""
    found = next((each for each in credentials_of(realm, client) if each.credential.name == name), None)
    if found is None:
        raise NotFound("Could not find credential")
    return found


def add(
    realm: RealmAdmin, client: ClientRepresentation, sent: ClientCredentialRepresentation
) -> ClientCredentialRepresentation:
    """Stores a new credential, and gives it with its secret.

    Where it ``replaces`` another of its type, that one counts for ``overlap`` seconds more. What replaces the secret
    that Keycloak knows becomes that secret, and the one until now gets a name.

    Raises:
        InvalidRequest: it is none, or one too many.
        Conflict: its name is taken.
        NotFound: what it replaces is not there.
    """
    if client.public_client is True or client.bearer_only is True:
        raise InvalidRequest("A public client has no credentials, nor has one that only takes tokens")
    if sent.type not in TYPES:
        raise InvalidRequest(f"The type of a credential is one of {', '.join(TYPES)}")
    overlap = given(sent.overlap, 0)
    if not 0 <= overlap <= _LONGEST_OVERLAP:
        raise InvalidRequest(f"An overlap has between 0 and {_LONGEST_OVERLAP} seconds")
    made = _made(realm, client, sent)
    if not present(sent.replaces):
        _store(realm, client, [*_counting(realm, client), made])
        return made
    replaced = find(realm, client, given(sent.replaces, "")).credential
    if replaced.type != made.type:
        raise InvalidRequest("A credential replaces one of its own type")
    if replaced.name == SECRET:
        return _follow(realm, client, made, overlap)
    if replaced.name in OF_KEYCLOAK:
        raise InvalidRequest(f"What {replaced.name} stands for is changed with the client")
    others = [each for each in _counting(realm, client) if each.name != replaced.name]
    end = min(realm.now() + overlap, given(replaced.expires, 0) or 2**62)
    kept = [replace(replaced, expires=end)] if overlap else []
    _store(realm, client, [*others, *kept, made])
    return made


def _follow(
    realm: RealmAdmin, client: ClientRepresentation, made: ClientCredentialRepresentation, overlap: int
) -> ClientCredentialRepresentation:
    """Makes the secret of `made` the one that Keycloak knows; the one until now counts on, under the name of `made`."""
    if present(made.expires):
        raise InvalidRequest("The secret that Keycloak knows expires by a client policy alone")
    before, now, attributes = given(client.secret, ""), realm.now(), given(client.attributes, {})
    changed = replace(client, secret=made.secret, attributes={**attributes, CREATION_TIME: str(now)})
    changed = governance_of(realm).updated(changed, before)
    client_id, old = str(client.id), given(made.name, "")
    if given(changed.attributes, {}).get(ROTATED_SECRET) == before:  # a policy has it count on
        realm.tx.rename_use(realm.id, client_id, OWN, ROTATED)
    elif before and overlap:
        created = seconds(attributes, SECRET_CREATED)
        kept = replace(made, secret=before, created=_maybe(created), expires=now + overlap)
        changed = with_credentials(changed, _within_bounds([*_counting(realm, client), kept]))
        realm.tx.rename_use(realm.id, client_id, OWN, old)
    realm.update(CLIENTS, changed)
    return replace(made, name=SECRET)


def _made(
    realm: RealmView, client: ClientRepresentation, sent: ClientCredentialRepresentation
) -> ClientCredentialRepresentation:
    now, kind = realm.now(), given(sent.type, "")
    name = given(sent.name, "") or f"{kind}-{realm.environment.new_id()[:8]}"
    if not is_name(name):
        raise InvalidRequest(
            "A name has up to 64 letters, digits, dots, hyphens or underscores, and is none of Keycloak's"
        )
    known = credentials_of(realm, client)
    if any(each.credential.name == name for each in known):
        raise Conflict(f"Credential {name} already exists")
    expires = given(sent.expires, 0)
    if present(sent.expires) and expires <= now:
        raise InvalidRequest("A credential that has expired already")
    made = ClientCredentialRepresentation(name=name, type=kind, created=now, expires=expires or UNSET)
    if kind == SECRET:
        return replace(made, secret=_secret(realm, client, sent.secret, known))
    if kind == FEDERATED:
        return _federated(realm, made, sent)
    return _key(
        replace(made, public_key=sent.public_key) if kind == KEY else replace(made, certificate=sent.certificate)
    )


def _key(made: ClientCredentialRepresentation) -> ClientCredentialRepresentation:
    """`made`, once its key can be read; a certificate ends when it says, or sooner."""
    if "PRIVATE KEY" in given(made.public_key, "") + given(made.certificate, ""):  # a file may hold the pair
        raise InvalidRequest(f"The {made.type} stands beside a private key, which nobody but the client is to have")
    try:
        key_of(made)
        if made.type == KEY:
            return made
        end = end_of(given(made.certificate, ""))
    except InvalidKey as error:
        raise InvalidRequest(f"The {made.type} cannot be read: {error}") from None
    if end <= given(made.created, 0):
        raise InvalidRequest("A certificate that has expired already")
    return replace(made, expires=min(end, given(made.expires, end)))


def _secret(realm: RealmView, client: ClientRepresentation, sent: Maybe[str], known: Iterable[Held]) -> str:
    secret = given(sent, "") or realm.environment.new_secret()
    if not _SHORTEST_SECRET <= len(secret) <= _LONGEST_SECRET:
        raise InvalidRequest(f"A secret has between {_SHORTEST_SECRET} and {_LONGEST_SECRET} characters")
    others = [given(client.secret, ""), *(given(each.credential.secret, "") for each in known)]
    if any(hmac.compare_digest(secret.encode(), other.encode()) for other in others):
        raise InvalidRequest("The client has this secret already")
    return secret


def _federated(
    realm: RealmView, made: ClientCredentialRepresentation, sent: ClientCredentialRepresentation
) -> ClientCredentialRepresentation:
    alias, claims = given(sent.issuer, ""), given(sent.claims, {})
    provider = next((each for each in providers_of(realm) if each.alias == alias), None)
    if provider is None or not authenticates_clients(provider):
        raise InvalidRequest("The issuer is the alias of an identity provider whose tokens authenticate clients")
    try:
        claim_rule(claims)
        check_rule(provider, claims)
    except InvalidRule as error:
        raise InvalidRequest(str(error)) from None
    return replace(made, issuer=alias, claims=claims)


def change(realm: RealmAdmin, client: ClientRepresentation, name: str, sent: ClientCredentialRepresentation) -> None:
    """Gives a named credential another end (``expires``, 0 for none) and, of a rule, other claims.

    What is only shown may come back as it was.

    Raises:
        NotFound, InvalidRequest.
    """
    before = find(realm, client, name).credential
    if name in OF_KEYCLOAK:
        raise InvalidRequest(f"What {name} stands for is changed with the client")
    settled = (field for field in _SETTLED if present(getattr(sent, field)))
    if any(getattr(sent, field) != getattr(before, field) for field in settled):
        raise InvalidRequest("Only the end of a credential, and the claims of a rule, can change")
    after = before
    if present(sent.expires):
        end = given(sent.expires, 0)
        if end < 0:
            raise InvalidRequest("A time is not negative")
        if before.type == CERTIFICATE:
            end = min(end or 2**62, end_of(given(before.certificate, "")))
        after = replace(after, expires=end or UNSET)
    if present(sent.claims) and before.type == FEDERATED:
        after = _federated(realm, after, replace(sent, issuer=before.issuer))
    named = named_credentials(given(client.attributes, {}))
    _store(realm, client, [after if each.name == name else each for each in named])


def remove(realm: RealmAdmin, client: ClientRepresentation, name: str) -> None:
    """Ends a credential at once. Raises NotFound; InvalidRequest: Keycloak has the client have it."""
    find(realm, client, name)
    if name == ROTATED:
        realm.update(CLIENTS, without_rotated_secret(client))
        return
    if name in OF_KEYCLOAK:
        raise InvalidRequest(f"What {name} stands for is changed with the client")
    _store(realm, client, [each for each in named_credentials(given(client.attributes, {})) if each.name != name])


def _counting(realm: RealmView, client: ClientRepresentation) -> list[ClientCredentialRepresentation]:
    """The named ones, the expired left out once the room for others is needed."""
    named = named_credentials(given(client.attributes, {}))
    if len(named) < MAXIMUM:
        return list(named)
    return [each for each in named if not 0 < given(each.expires, 0) < realm.now()]


def _store(
    realm: RealmAdmin, client: ClientRepresentation, credentials: Sequence[ClientCredentialRepresentation]
) -> None:
    realm.update(CLIENTS, with_credentials(client, _within_bounds(credentials)))


def _within_bounds(
    credentials: Sequence[ClientCredentialRepresentation],
) -> Sequence[ClientCredentialRepresentation]:
    """Raises InvalidRequest."""
    if len(credentials) > MAXIMUM:
        raise InvalidRequest(f"A client has at most {MAXIMUM} named credentials")
    return credentials
